@preconcurrency import Dispatch
import Foundation

/// The signals by which a person or the system ends a process, for as long as something must be put right first.
enum Interruption {
  static let signals = [SIGINT, SIGTERM]
  static let failure = CommandFailure(.failed, "Interrupted.")

  /// A stream with an element for the first of the signals. The second does what it did before, as does each once nobody has
  /// the stream: it ends the process, or the command of a shell. What the process was started to ignore stays ignored.
  static func stream(of signals: [Int32]) async -> AsyncStream<Void> {
    let (stream, elements) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let sources = signals.filter { !isIgnored($0) }.map { source($0) { elements.yield() } }
    elements.onTermination = { _ in for source in sources { source.cancel() } }
    for source in sources { await begin(source) }
    return stream
  }

  private static func source(_ number: Int32, _ action: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    let source = DispatchSource.makeSignalSource(signal: number)
    nonisolated(unsafe) var before = sigaction()
    sigaction(number, nil, &before)
    source.setEventHandler {
      source.cancel()
      action()
    }
    // Safe: it was written before anybody could read it, and is only read.
    source.setCancelHandler { sigaction(number, &before, nil) }
    return source
  }

  /// Returns when the signal is the source's: until then it would end the process.
  private static func begin(_ source: any DispatchSourceSignal) async {
    await withCheckedContinuation { continuation in
      source.setRegistrationHandler { continuation.resume() }
      source.resume()
    }
  }

  /// Runs `body`, which is cancelled when the stream has an element.
  /// - Throws: what `body` throws, or `CommandFailure`.
  static func guarding<Value: Sendable>(
    _ interruptions: AsyncStream<Void>, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await body() }
      group.addTask {
        for await _ in interruptions { throw failure }
        return nil
      }
      while let ended = try await group.next() {
        if let value = ended { return value }
      }
      throw CancellationError()
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return true }
    // Safe: a handler is a pointer, and SIG_IGN the number 1 in its place (signal.h); it is compared and not called.
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
  }
}
