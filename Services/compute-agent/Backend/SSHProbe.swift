import Foundation
import ServiceKit

/// Whether something greets as an SSH server at an address. Blocks for at most twice its patience.
enum SSHProbe {
  enum Answer: Equatable, Sendable {
    case silence
    /// There is a machine, but no SSH server.
    case refusal
    /// The first line, in printable characters.
    case greeting(String)
  }

  /// The longest line (RFC 4253, 4.2).
  private static let lineLimit = 255

  /// - Parameter patience: Milliseconds for each of connecting and hearing.
  static func ask(_ address: String, port: UInt16 = 22, patience: Int32 = 1000) -> Answer {
    guard let address = IPAddress(address) else { return .silence }
    let descriptor = socket(
      address.bytes.count == 4 ? AF_INET : AF_INET6,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return .silence }
    defer { close(descriptor) }
    switch connect(descriptor, to: address, port, patience) {
    case 0: return listen(descriptor, patience)
    case ECONNREFUSED: return .refusal
    default: return .silence
    }
  }

  /// - Returns: 0, or the number of the error.
  private static func connect(_ descriptor: Int32, to address: IPAddress, _ port: UInt16, _ patience: Int32) -> Int32 {
    var storage = sockaddr_storage()
    let length = withUnsafeMutableBytes(of: &storage) { fill($0, address, port) }
    let status = withUnsafePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(descriptor, $0, length) }
    }
    if status == 0 { return 0 }
    guard errno == EINPROGRESS, wait(descriptor, for: Int16(POLLOUT), patience) else { return ETIMEDOUT }
    var (error, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 else { return errno }
    return error
  }

  /// Safe: a `sockaddr_storage` has room for either kind of address, and is aligned for both.
  private static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ address: IPAddress, _ port: UInt16) -> socklen_t {
    if address.bytes.count == 4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      withUnsafeMutableBytes(of: &name.sin_addr) { $0.copyBytes(from: address.bytes) }
      bytes.storeBytes(of: name, as: sockaddr_in.self)
      return socklen_t(MemoryLayout<sockaddr_in>.size)
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.bytes) }
    bytes.storeBytes(of: name, as: sockaddr_in6.self)
    return socklen_t(MemoryLayout<sockaddr_in6>.size)
  }

  /// A machine that takes the connection and says something else, or nothing, is no SSH server.
  private static func listen(_ descriptor: Int32, _ patience: Int32) -> Answer {
    let end = ContinuousClock.now + .milliseconds(Int(patience))
    var line: [UInt8] = []
    while line.count < lineLimit, !line.contains(UInt8(ascii: "\n")) {
      let left = Int32(max(0, (end - .now).seconds * 1000))
      guard left > 0, wait(descriptor, for: Int16(POLLIN), left) else { break }
      var buffer = [UInt8](repeating: 0, count: lineLimit - line.count)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      line += buffer.prefix(count)
    }
    let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    return text.hasPrefix("SSH-") ? .greeting(GuestText.cleaned(text, limit: 64)) : .refusal
  }

  private static func wait(_ descriptor: Int32, for events: Int16, _ milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: events, revents: 0)
    return poll(&entry, 1, milliseconds) == 1
  }
}

/// What guests say, as it may be shown: without control characters, and short.
enum GuestText {
  static func cleaned(_ text: String, limit: Int) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.filter { $0.isASCII && (0x20..<0x7f).contains($0.value) }.prefix(limit)))
  }
}
