import Blocking
import Foundation
import ServiceKit

/// Asks the system's resolver, which blocks, on a thread of its own.
actor Resolver {
  static let shared = Resolver()

  private nonisolated let executor = QueueExecutor(label: "resolver")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// All addresses of a name, or of an address in any spelling that the system knows; empty when there are none.
  func addresses(of host: String) -> [IPAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    var next = list
    while let info = next?.pointee {
      if let address = Self.address(info) { addresses.append(address) }
      next = info.ai_next
    }
    return addresses
  }

  private static func address(_ info: addrinfo) -> IPAddress? {
    guard let start = info.ai_addr else { return nil }
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(info.ai_addrlen))
    // Safe: getaddrinfo gives whole sockaddr_in (address at 4) and sockaddr_in6 (address at 8) structures.
    switch info.ai_family {
    case AF_INET where bytes.count >= 8: return IPAddress(bytes: Array(bytes[4..<8]))
    case AF_INET6 where bytes.count >= 24: return IPAddress(bytes: Array(bytes[8..<24]))
    default: return nil
    }
  }
}
