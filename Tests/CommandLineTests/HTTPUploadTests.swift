import Foundation
import Synchronization
import Testing

@testable import CommandLineTool

/// Uploads over a real connection, to a server that may not play by the rules.
@Suite struct HTTPUploadTests {
  private let folder: TemporaryFolder
  private let big: String

  /// The big file is larger than what buffers of sockets hold.
  init() throws {
    folder = try TemporaryFolder()
    big = try folder.write("", to: "big")
    #expect(truncate(big, 64 << 20) == 0)
  }

  private func upload(
    _ path: String, to server: RawServer, report: @escaping @Sendable (Int64) -> Void = { _ in }
  ) async throws -> APIAnswer {
    let pieces = FilePieces(content: try FileContent(path: path), report: report)
    let address = try ServerAddress("http://127.0.0.1:\(server.port)", allowInsecureHTTP: false)
    let request = APIRequest(method: .put, target: "/p/content?a=b", headers: ["X-A": "1"])
    let answer = Mutex<APIAnswer?>(nil)
    try await HTTPTransport.withTransport(ca: nil) { transport in
      let given = try await transport.send(request, pieces, to: address)
      answer.withLock { $0 = given }
    }
    return try #require(answer.withLock { $0 })
  }

  @Test func theBytesOnTheWire() async throws {
    let server = try RawServer { connection in
      let data = connection.read(atLeast: 1)
      let rest = data.suffix(5) == Data("hello".utf8) ? Data() : connection.read(atLeast: 5)
      connection.answer(200, "{}")
      return data + rest
    }
    let reported = Mutex<[Int64]>([])
    let file = try folder.write("hello", to: "small")
    let answer = try await upload(file, to: server) { done in reported.withLock { $0.append(done) } }
    #expect(answer.status == 200 && answer.body == Data("{}".utf8))
    #expect(reported.withLock { $0 } == [5])
    let lines = String(decoding: try await server.received(), as: UTF8.self).components(separatedBy: "\r\n")
    #expect(lines.first == "PUT /p/content?a=b HTTP/1.1")
    #expect(lines.suffix(2) == ["", "hello"])
    #expect(Set(lines.map { $0.lowercased() }).isSuperset(of: ["content-length: 5", "x-a: 1"]))
    #expect(!lines.contains { $0.lowercased().hasPrefix("transfer-encoding") })
  }

  @Test(arguments: [413, 507])
  func aRefusalBeforeTheEndIsTheAnswer(status: Int) async throws {
    let server = try RawServer { connection in
      let first = connection.read(atLeast: 100_000)
      connection.answer(status, #"{"detail":"No."}"#)
      return first + connection.read()
    }
    let last = Mutex<Int64>(0)
    let answer = try await upload(big, to: server) { done in last.withLock { $0 = done } }
    #expect(answer.status == status && answer.body == Data(#"{"detail":"No."}"#.utf8))
    #expect(last.withLock { $0 } < 64 << 20)
    #expect(try await server.received().count < 64 << 20)
  }

  @Test func aRefusalIsReadThoughTheConnectionIsReset() async throws {
    let server = try RawServer { connection in
      let first = connection.read(atLeast: 100_000)
      connection.answer(507, "{}")
      return first
    }
    #expect(try await upload(big, to: server).status == 507)
  }

  @Test func aConnectionThatEndsIsAFailure() async throws {
    let server = try RawServer { $0.read(atLeast: 100_000) }
    let failure = await #expect(throws: CommandFailure.self) { try await upload(big, to: server) }
    #expect(failure?.status == .failed)
    #expect(failure?.lines.first?.hasSuffix("closed the connection without an answer.") == true)
  }

  @Test func aFileThatShrinksIsNotSentAsIfItWereWhole() async throws {
    let server = try RawServer { [big] connection in
      let first = connection.read(atLeast: 100_000)
      guard truncate(big, 1 << 20) == 0 else { return Data() }
      return first + connection.read()
    }
    let failure = await #expect(throws: CommandFailure.self) { try await upload(big, to: server) }
    #expect(failure == CommandFailure(.failed, "\(big) changed its length while it was sent."))
    let count = try await server.received().count
    #expect((100_000..<(64 << 20)).contains(count))
  }

  @Test func cancellingEndsTheConnection() async throws {
    let server = try RawServer { $0.read() }
    let interruptions = AsyncStream.makeStream(of: Void.self)
    let failure = await #expect(throws: CommandFailure.self) {
      try await Interruption.guarding(interruptions.stream) {
        try await upload(big, to: server) { if $0 > 1 << 20 { interruptions.continuation.yield() } }
      }
    }
    #expect(failure == CommandFailure(.failed, "Interrupted."))
    #expect(try await server.received().count < 64 << 20)
  }

  @Test func aStallEndsAnUpload() async throws {
    let late = CommandFailure(.timedOut, "late")
    let start = ContinuousClock.now
    await #expect(throws: late) {
      try await Stall(.milliseconds(10), late).limiting { try await Task.sleep(for: .seconds(60)) }
    }
    #expect(ContinuousClock.now - start < .seconds(30))
    // So long that a busy machine does not end it.
    let lively = Stall(.seconds(10), late)
    let value = try await lively.limiting {
      for _ in 0..<110 {
        try await Task.sleep(for: .milliseconds(100))
        lively.postpone()
      }
      return 1
    }
    #expect(value == 1)
  }

  @Test func theFirstSignalIsAnElementOfTheStream() async throws {
    var signals = await Interruption.stream(of: [SIGUSR2]).makeAsyncIterator()
    kill(getpid(), SIGUSR2)
    #expect(await signals.next() != nil)
  }

  @Test func anIgnoredSignalStaysIgnored() async throws {
    signal(SIGUSR1, SIG_IGN)
    let stream = await Interruption.stream(of: [SIGUSR1])
    kill(getpid(), SIGUSR1)
    let task = Task {
      for await _ in stream { return true }
      return false
    }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    #expect(await task.value == false)
  }
}
