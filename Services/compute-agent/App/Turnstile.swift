/// Lets one through at a time, in the order in which they came.
actor Turnstile {
  private var isTaken = false
  private var waiters: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
  private var numbers = 0

  /// Runs the body when it is its turn.
  /// - Throws: `CancellationError` when the task is cancelled while it waits.
  func pass<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    try await enter()
    defer { leave() }
    return try await body()
  }

  private func enter() async throws {
    try Task.checkCancellation()
    guard isTaken else {
      isTaken = true
      return
    }
    numbers += 1
    let number = numbers
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { waiters.append((number, $0)) }
    } onCancel: {
      Task { await giveUp(number) }
    }
  }

  private func giveUp(_ number: Int) {
    guard let index = waiters.firstIndex(where: { $0.number == number }) else { return }
    waiters.remove(at: index).continuation.resume(throwing: CancellationError())
  }

  private func leave() {
    guard !waiters.isEmpty else {
      isTaken = false
      return
    }
    waiters.removeFirst().continuation.resume()
  }
}
