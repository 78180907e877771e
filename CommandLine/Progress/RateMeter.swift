/// Bytes a second, over the last few seconds.
struct RateMeter {
  private static let window = Duration.seconds(5)
  /// Samples closer together are one, so that there are never many.
  private static let spacing = Duration.milliseconds(200)

  private var samples: [(time: ContinuousClock.Instant, done: Int64)] = []

  /// Takes note that `done` bytes were moved at `now`; nil until there is something to compare with.
  mutating func rate(done: Int64, at now: ContinuousClock.Instant) -> Int64? {
    while samples.count > 1, samples[1].time <= now - Self.window { samples.removeFirst() }
    defer { if samples.last.map({ now - $0.time >= Self.spacing }) ?? true { samples.append((now, done)) } }
    guard let first = samples.first, now - first.time >= Self.spacing else { return nil }
    return Int64(Double(done - first.done) / ((now - first.time) / .seconds(1)))
  }
}
