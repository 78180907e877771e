import Foundation
import Models
import ServiceKit
import Testing

@testable import InventoryService

@Suite struct AddressPolicyTests {
  private func refusal(_ url: String, allowed: [String] = []) async -> ErrorCode? {
    do { _ = try await AddressPolicy(allowed: allowed).resolve(AddressPolicy.checkedURL(url)) } catch let error
      as ServiceError
    { return error.code } catch {}
    return nil
  }

  @Test(arguments: [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "10.1.2.3", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[fc00::1]", "[fe80::1]",
    "[fd00:ec2::254]", "[ff02::1]", "[2002:7f00:1::]", "localhost",
  ])
  func addressesThatAreNotPublicAreForbidden(_ host: String) async {
    #expect(await refusal("http://\(host)/image") == .urlForbidden)
  }

  @Test(arguments: ["1.1.1.1", "[2606:4700::1111]", "172.32.0.1", "100.128.0.1"])
  func publicAddressesAreTaken(_ host: String) async { #expect(await refusal("https://\(host)/image") == nil) }

  @Test(arguments: [
    "ftp://1.1.1.1/", "file:///etc/passwd", "json:{}", "nbd://1.1.1.1", "http://", "//1.1.1.1/", "1.1.1.1",
    "http://user@1.1.1.1/", "http://user:pass@1.1.1.1/", "http://①②⑦.⓪.⓪.①/", "",
  ])
  func otherURLsAreForbidden(_ url: String) async { #expect(await refusal(url) == .urlForbidden) }

  @Test func theOperatorAllowsByAddressAndRange() async throws {
    #expect(await refusal("http://127.0.0.1/", allowed: ["127.0.0.1"]) == nil)
    #expect(await refusal("http://127.0.0.2/", allowed: ["127.0.0.1"]) == .urlForbidden)
    #expect(await refusal("http://10.200.0.1/", allowed: ["10.0.0.0/8"]) == nil)
    #expect(await refusal("http://[::ffff:10.0.0.1]/", allowed: ["10.0.0.0/8"]) == nil)
    for bad in ["x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "host.example"] {
      #expect(throws: (any Error).self) { try AddressPolicy(allowed: [bad]) }
    }
  }
}
