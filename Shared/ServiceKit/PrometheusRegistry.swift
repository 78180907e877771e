import CoreMetrics
import Foundation
import Synchronization

/// The process's metrics, in Prometheus' text format (exposition format 0.0.4). It is the back end of swift-metrics.
public final class PrometheusRegistry: MetricsFactory, Sendable {
  public static let shared = PrometheusRegistry()

  private typealias Kind = MetricFamily.Kind

  private struct Series {
    var kind: Kind
    var value: Double = 0
    var count: Int64 = 0
  }

  private struct Key: Hashable, Comparable {
    let name: String
    let labels: String
    static func < (a: Key, b: Key) -> Bool { (a.name, a.labels) < (b.name, b.labels) }
  }

  private let series = Mutex<[Key: Series]>([:])

  /// Counts an answered request and the time it took.
  func recordRequest(method: String, route: String, status: Int, seconds: Double) {
    let labels = [("method", method), ("route", route), ("status", String(status))]
    add(1, to: "http_requests_total", labels, kind: .counter)
    observe(seconds, in: "http_request_duration_seconds", [("method", method), ("route", route)])
  }

  private func add(_ amount: Double, to name: String, _ labels: [(String, String)], kind: Kind) {
    series.withLock { $0[Self.key(name, labels), default: Series(kind: kind)].value += amount }
  }

  private func set(_ value: Double, _ name: String, _ labels: [(String, String)]) {
    series.withLock { $0[Self.key(name, labels)] = Series(kind: .gauge, value: value) }
  }

  private func observe(_ value: Double, in name: String, _ labels: [(String, String)]) {
    series.withLock { series in
      let key = Self.key(name, labels)
      series[key, default: Series(kind: .summary)].value += value
      series[key, default: Series(kind: .summary)].count += 1
    }
  }

  private static func key(_ name: String, _ labels: [(String, String)]) -> Key {
    let valid = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    return Key(name: valid, labels: MetricFamily.text(of: labels))
  }

  /// Counts a refusal by the code that the client gets.
  func recordProblem(code: String) { add(1, to: "http_problems_total", [("code", code)], kind: .counter) }

  private static let help = [
    "http_requests_total": "Answered requests.",
    "http_request_duration_seconds": "Time from the head of a request to the head of its answer.",
    "http_problems_total": "Refused requests by the code of the problem.",
  ]

  /// Everything, as a scrape reads it.
  public func exposition() -> String {
    var text = ""
    var previous = ""
    for (key, series) in series.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      if key.name != previous {
        text += MetricFamily.head(key.name, series.kind, Self.help[key.name] ?? "What a library of the service counts.")
      }
      previous = key.name
      if series.kind == .summary {
        text += "\(key.name)_sum\(key.labels) \(series.value)\n\(key.name)_count\(key.labels) \(series.count)\n"
      } else {
        text += "\(key.name)\(key.labels) \(series.value)\n"
      }
    }
    return text
  }

  private final class Handler: CounterHandler, FloatingPointCounterHandler, RecorderHandler, TimerHandler, MeterHandler
  {
    let registry: PrometheusRegistry
    let name: String
    let labels: [(String, String)]
    let kind: Kind

    init(registry: PrometheusRegistry, name: String, labels: [(String, String)], kind: Kind) {
      self.registry = registry
      self.name = name
      self.labels = labels
      self.kind = kind
    }

    func increment(by amount: Int64) { registry.add(Double(amount), to: name, labels, kind: kind) }
    func increment(by amount: Double) { registry.add(amount, to: name, labels, kind: kind) }
    func decrement(by amount: Double) { registry.add(-amount, to: name, labels, kind: kind) }
    func reset() { registry.set(0, name, labels) }
    func set(_ value: Int64) { registry.set(Double(value), name, labels) }
    func set(_ value: Double) { registry.set(value, name, labels) }
    func record(_ value: Int64) { registry.observe(Double(value), in: name, labels) }
    func record(_ value: Double) { registry.observe(value, in: name, labels) }
    func recordNanoseconds(_ duration: Int64) { registry.observe(Double(duration) / 1e9, in: name, labels) }
  }

  private func handler(_ label: String, _ dimensions: [(String, String)], _ kind: Kind) -> Handler {
    Handler(registry: self, name: label, labels: dimensions, kind: kind)
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    handler(label, dimensions, .counter)
  }
  public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler
  {
    handler(label, dimensions, .counter)
  }
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    handler(label, dimensions, .gauge)
  }
  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    handler(label, dimensions, aggregate ? .summary : .gauge)
  }
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    handler(label, dimensions, .summary)
  }
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}
}
