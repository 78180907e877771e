/// Numbers of one kind, as they are at the moment of a scrape (Prometheus' text format, exposition format 0.0.4).
public struct MetricFamily: Sendable {
  public enum Kind: String, Sendable { case counter, gauge, summary }

  public struct Sample: Sendable {
    let labels: [(String, String)]
    let value: Double

    public init(_ labels: [(String, String)] = [], _ value: Double) {
      self.labels = labels
      self.value = value
    }
  }

  let name: String
  let help: String
  let kind: Kind
  let samples: [Sample]

  /// - Parameters:
  ///   - name: With its unit, and `_total` for a counter (https://prometheus.io/docs/practices/naming/).
  ///   - help: A sentence without a line break.
  public init(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }

  /// The lines of the family; nothing when it has no samples.
  var exposition: String {
    guard !samples.isEmpty else { return "" }
    return Self.head(name, kind, help)
      + samples.map { "\(name)\(Self.text(of: $0.labels)) \($0.value)\n" }.joined()
  }

  static func head(_ name: String, _ kind: Kind, _ help: String) -> String {
    "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
  }

  static func text(of labels: [(String, String)]) -> String {
    let texts = labels.map { label, value in
      let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
      return "\(label)=\"\(escaped)\""
    }
    return texts.isEmpty ? "" : "{\(texts.joined(separator: ","))}"
  }
}
