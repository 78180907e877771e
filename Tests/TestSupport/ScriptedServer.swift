import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 that answers each connection as a test says, well-formed or not.
public final class ScriptedServer: Sendable {
  /// What is done with a connection once its request is here.
  public enum Step: Sendable {
    case send([UInt8])
    case pause(Duration)
    /// Sends the bytes again and again until the other side goes.
    case forever([UInt8])
  }

  private let channel: any Channel
  private let seen = Mutex<[String]>([])

  public var port: Int { channel.localAddress?.port ?? 0 }
  public var url: String { "http://127.0.0.1:\(port)" }
  /// The heads of the requests that came, in their order.
  public var requests: [String] { seen.withLock { $0 } }

  private init(channel: any Channel) { self.channel = channel }

  /// - Parameter answer: What to do for the head of a request; the connection is closed after the last step.
  public static func with<Value>(
    _ answer: @escaping @Sendable (String) -> [Step], _ body: (ScriptedServer) async throws -> Value
  ) async throws -> Value {
    let bound = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
      }
    let server = ScriptedServer(channel: bound.channel)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await withDiscardingTaskGroup { connections in
          try? await bound.executeThenClose { accepted in
            for try await connection in accepted {
              connections.addTask { try? await server.serve(connection, answer) }
            }
          }
        }
      }
      defer { group.cancelAll() }
      return try await body(server)
    }
  }

  private func serve(
    _ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ answer: @Sendable (String) -> [Step]
  ) async throws {
    try await connection.executeThenClose { inbound, outbound in
      var head = ""
      var requests = inbound.makeAsyncIterator()
      while let buffer = try await requests.next() {
        head += String(buffer: buffer)
        // A TLS handshake is answered as a request is: by what the test says.
        if head.contains("\r\n\r\n") || buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) == 0x16 { break }
      }
      let request = head
      seen.withLock { $0.append(request) }
      for step in answer(request) {
        switch step {
        case .send(let bytes):
          for start in stride(from: 0, to: bytes.count, by: 32_768) {
            try await outbound.write(ByteBuffer(bytes: bytes[start..<min(start + 32_768, bytes.count)]))
          }
        case .pause(let time): try await Task.sleep(for: time)
        case .forever(let bytes):
          while !Task.isCancelled { try await outbound.write(ByteBuffer(bytes: bytes)) }
        }
      }
      // What the socket has not taken yet would be dropped if the connection were closed whole.
      outbound.finish()
      while try await requests.next() != nil {}
    }
  }

  /// The bytes of an answer with these headers.
  public static func head(_ status: String, _ headers: [String: String] = [:]) -> [UInt8] {
    let lines = ["HTTP/1.1 \(status)", "Connection: close"] + headers.map { "\($0.key): \($0.value)" }.sorted()
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  /// A file, or the rest of it where a request asks for that.
  public static func file(_ bytes: [UInt8], tag: String, to request: String) -> [Step] {
    let range = request.firstMatch(of: /(?i)range: bytes=(\d+)-/).flatMap { Int($0.1) }
    guard let range, request.contains(tag) else {
      return [.send(head("200 OK", ["Content-Length": "\(bytes.count)", "ETag": tag])), .send(bytes)]
    }
    let headers = [
      "Content-Length": "\(bytes.count - range)", "Content-Range": "bytes \(range)-\(bytes.count - 1)/\(bytes.count)",
      "ETag": tag,
    ]
    return [.send(head("206 Partial Content", headers)), .send(Array(bytes[range...]))]
  }
}
