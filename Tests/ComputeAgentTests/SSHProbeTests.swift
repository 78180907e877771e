import Foundation
import TestSupport
import Testing

@testable import ComputeAgent

@Suite(.timeLimit(.minutes(5))) struct SSHProbeTests {
  /// What the probe makes of a server that says these bytes before it is asked anything.
  private func answer(to bytes: [UInt8]) async throws -> SSHProbe.Answer {
    try await Greeter.with(bytes) { port in SSHProbe.ask("127.0.0.1", port: port, patience: 60_000) }
  }

  @Test func aServerIsKnownByItsGreeting() async throws {
    #expect(try await answer(to: Array("SSH-2.0-OpenSSH_9.2\r\nmore".utf8)) == .greeting("SSH-2.0-OpenSSH_9.2"))
    #expect(try await answer(to: Array("SSH-2.0-\u{1b}[2Jx\u{7}\n".utf8)) == .greeting("SSH-2.0-[2Jx"))
  }

  @Test func whatSaysSomethingElseIsNoServer() async throws {
    #expect(try await answer(to: Array("HTTP/1.1 200 OK\r\n".utf8)) == .refusal)
    #expect(try await answer(to: [UInt8](repeating: 0, count: 10_000)) == .refusal)
    #expect(try await answer(to: []) == .refusal)
    let endless = try await answer(to: Array("SSH-2.0-".utf8) + [UInt8](repeating: 0x41, count: 10_000))
    guard case .greeting(let line) = endless else {
      Issue.record("\(endless)")
      return
    }
    #expect(line.count == 64)
  }

  @Test func whereNobodyListensTheMachineIsThereAllTheSame() async throws {
    let port = try await Greeter.with([]) { $0 }
    #expect(SSHProbe.ask("127.0.0.1", port: port, patience: 60_000) == .refusal)
    #expect(SSHProbe.ask("not an address") == .silence)
  }
}

/// A server on 127.0.0.1 that says the same to everybody, and waits for nothing.
private enum Greeter {
  static func with<Value: Sendable>(
    _ bytes: [UInt8], _ body: @escaping @Sendable (UInt16) -> Value
  ) async throws -> Value {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 4) == 0 ? getsockname(listener, $0, &length) : -1
      }
    }
    try #require(status == 0)
    defer { close(listener) }
    let port = UInt16(bigEndian: name.sin_port)
    let greeting = Thread {
      let peer = accept(listener, nil, nil)
      guard peer >= 0 else { return }
      _ = bytes.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      Thread.sleep(forTimeInterval: 0.2)
      close(peer)
    }
    greeting.start()
    return await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: body(port)) }.start()
    }
  }
}
