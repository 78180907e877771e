import Foundation
import Synchronization

/// A server that speaks to one client with bytes alone, so that it can misbehave.
final class RawServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let result = Mutex<Data?>(nil)

  /// - Parameter serve: Gets the connection, and returns what it received; the connection is closed afterwards.
  init(_ serve: @escaping @Sendable (RawConnection) -> Data) throws {
    signal(SIGPIPE, SIG_IGN)
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, address, &size) == 0
      }
    }
    guard isBound else { throw CocoaError(.fileReadUnknown) }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread {
      let descriptor = accept(listener, nil, nil)
      let received = serve(RawConnection(descriptor: descriptor))
      close(descriptor)
      self.result.withLock { $0 = received }
    }
  }

  deinit { close(listener) }

  /// What was received, once the connection has ended.
  func received() async throws -> Data {
    while true {
      if let data = result.withLock({ $0 }) { return data }
      try await Task.sleep(for: .milliseconds(2))
    }
  }
}

struct RawConnection: Sendable {
  let descriptor: Int32

  /// At least so many bytes, or all until the end.
  func read(atLeast count: Int = .max) -> Data {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while data.count < count {
      let received = recv(descriptor, &buffer, buffer.count, 0)
      guard received > 0 else { break }
      data.append(buffer, count: received)
    }
    return data
  }

  func answer(_ status: Int, _ body: String) {
    let text =
      "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    _ = text.withCString { Foundation.send(descriptor, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
  }
}
