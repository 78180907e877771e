import HTTPTypes
import Hummingbird
import Models
import ServiceKit
import Testing

@testable import Gateway

@Suite struct VisitorTests {
  private let proxies = ["127.0.0.1", "10.0.0.0/8"].compactMap { AddressRange($0) }

  private func address(_ forwarded: [String], peer: String?) -> String? {
    var headers: HTTPFields = [:]
    headers[values: .xForwardedFor] = forwarded
    let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/", headerFields: headers)
    return Visitor(Request(head: head, body: .init(buffer: .init())), peer: peer, proxies: proxies).address
  }

  @Test(
    arguments: [
      ([], "192.0.2.1", "192.0.2.1"), (["203.0.113.9"], "192.0.2.1", "192.0.2.1"),
      (["203.0.113.9"], "127.0.0.1", "203.0.113.9"), (["1.1.1.1, 203.0.113.9"], "127.0.0.1", "203.0.113.9"),
      (["203.0.113.9, 10.1.2.3"], "127.0.0.1", "203.0.113.9"),
      (["203.0.113.9", "10.1.2.3"], "10.9.9.9", "203.0.113.9"),
      (["nonsense"], "127.0.0.1", "127.0.0.1"), ([], "127.0.0.1", "127.0.0.1"),
      (["2001:db8::1"], "127.0.0.1", "2001:db8::1"),
      (["10.1.2.3"], "127.0.0.1", "127.0.0.1"),
    ] as [([String], String, String)])
  func onlyOurProxiesAreBelieved(_ forwarded: [String], _ peer: String, _ expected: String) {
    #expect(address(forwarded, peer: peer) == expected)
  }
}
