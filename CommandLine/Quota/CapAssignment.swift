import Models

/// What VMs may use at most, as people set it: `cpuShare=50`, `diskBytesPerSecond=10M`, `netBytesPerSecond=none`.
struct CapAssignment: Sendable, Equatable {
  static let noneWord = "none"
  private static let limits: [(name: String, path: WritableKeyPath<Caps, Int64?> & Sendable)] = [
    ("cpuShare", \.share), ("diskBytesPerSecond", \.diskBytesPerSecond),
    ("diskOperationsPerSecond", \.diskOperationsPerSecond), ("netBytesPerSecond", \.netBytesPerSecond),
  ]

  static var names: [String] { limits.map(\.name) }

  let name: String
  /// Nil lifts it.
  let number: Int64?

  /// Whether the text sets one of these, and not something else.
  static func isOne(_ text: String) -> Bool { names.contains { text.hasPrefix("\($0)=") } }

  /// - Throws: `CommandFailure` `usage`.
  init(_ text: String) throws {
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2, let name = Self.names.first(where: { $0 == sides[0] }) else {
      throw CommandFailure(
        .usage, "\"\(text)\" is no cap. What can be capped: \(Self.names.joined(separator: ", ")).")
    }
    self.name = name
    guard sides[1] != Self.noneWord else {
      number = nil
      return
    }
    let digits = sides[1].prefix { $0.isASCII && $0.isNumber }
    let suffix = sides[1].dropFirst(digits.count)
    let scale = suffix.isEmpty ? 1 : name.hasSuffix("BytesPerSecond") ? Units.scale(suffix) : nil
    guard let count = Int64(digits), let scale,
      case (let product, let overflow) = count.multipliedReportingOverflow(by: scale),
      !overflow
    else {
      throw CommandFailure(
        .usage, "\"\(sides[1])\" is no \(name): it takes a whole number, bytes also with K, M or G; or none.")
    }
    number = product
  }

  func apply(to caps: inout Caps) {
    if let limit = Self.limits.first(where: { $0.name == name }) { caps[keyPath: limit.path] = number }
  }

  /// What is set, in words, one a line.
  static func lines(_ caps: Caps) -> [String] {
    limits.compactMap { limit in
      caps[keyPath: limit.path].map { number in
        switch limit.name {
        case "cpuShare": "\(number) % of its vCPUs"
        case "diskOperationsPerSecond": "disk \(number) operations a second"
        case "diskBytesPerSecond": "disk \(Units.bytes(number)) a second"
        default: "network \(Units.bytes(number)) a second"
        }
      }
    }
  }
}

extension Caps {
  fileprivate var share: Int64? {
    get { cpuShare.map { Int64($0) } }
    set { cpuShare = newValue.map { Int(clamping: $0) } }
  }
}
