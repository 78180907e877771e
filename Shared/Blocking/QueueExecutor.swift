import Dispatch

/// A serial executor over a private dispatch queue, so that an actor may block its own thread and no other.
///
/// An actor takes it with `nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }`.
/// `DispatchSerialQueue`, which would do the same, does not exist on Linux.
public final class QueueExecutor: SerialExecutor {
  private let queue: DispatchQueue

  /// - Parameter label: The queue's name, seen in a debugger.
  public init(label: String) {
    queue = DispatchQueue(label: label)
  }

  /// Runs the job on the queue, after those enqueued before it.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  /// Stops the process when called from outside the queue.
  public func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }
}
