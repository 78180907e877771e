import Synchronization

/// Counts calls, from 0.
public final class Counter: Sendable {
  private let value = Mutex(0)

  public init() {}

  public func next() -> Int {
    value.withLock { value in
      defer { value += 1 }
      return value
    }
  }
}
