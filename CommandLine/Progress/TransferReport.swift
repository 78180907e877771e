import Models
import Synchronization

/// Shows how much of a transfer of ours is done.
final class TransferReport: Sendable {
  private let label: String
  private let total: Int64
  private let line: ProgressLine
  private let meter = Mutex(RateMeter())

  init(_ label: String, total: Int64, line: ProgressLine) {
    self.label = label
    self.total = total
    self.line = line
  }

  func moved(_ done: Int64) {
    let rate = meter.withLock { $0.rate(done: done, at: .now) }
    line.show(label, OperationProgress(done: done, total: total, rate: rate))
  }
}
