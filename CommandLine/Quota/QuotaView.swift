import Models

/// The limits set for a person. A resource that this version does not know keeps its limit when others are changed.
struct QuotaView: Codable, Sendable, Equatable {
  /// By resource; what is absent has the installation's default.
  var limits: [String: Quota.Limit]

  init(limits: [String: Quota.Limit] = [:]) { self.limits = limits }

  init(from decoder: any Decoder) throws {
    let numbers = try decoder.singleValueContainer().decode([String: Int64?].self)
    limits = numbers.mapValues { $0.map(Quota.Limit.at) ?? .unlimited }
  }

  func encode(to encoder: any Encoder) throws {
    let numbers: [String: Int64?] = limits.mapValues { limit in
      switch limit {
      case .unlimited: nil
      case .at(let number): number
      }
    }
    var container = encoder.singleValueContainer()
    try container.encode(numbers)
  }

  func changed(by assignments: [QuotaAssignment]) -> QuotaView {
    assignments.reduce(into: self) { $0.limits[$1.resource.rawValue] = $1.limit }
  }

  /// All that can be limited, in the order of the API, then what this version does not know.
  var rows: [QuotaRow] {
    let known = QuotaResource.allCases.map(\.rawValue)
    let strange = limits.keys.filter { !known.contains($0) }.sorted()
    return (known + strange).map { QuotaRow(resource: $0, limit: limits[$0]) }
  }

  /// What is set, in one line.
  var summary: String {
    let set = rows.filter { $0.limit != nil }.map { "\($0.resource) \($0.limitText)" }
    return set.isEmpty ? "default" : set.joined(separator: ", ")
  }
}

/// The body of a change that replaces the quota and nothing else.
struct QuotaUpdate: Encodable, Sendable {
  let quota: QuotaView
}

/// One resource and its limit.
struct QuotaRow: Presentable {
  static let columns: [Column<Self>] = [
    Column("resource") { $0.resource }, Column("limit") { $0.limitText }, Column("counted") { $0.known?.period },
  ]

  let resource: String
  /// Nil for the installation's default.
  let limit: Quota.Limit?

  /// An assignment that sets it again.
  var shortName: String {
    switch limit {
    case nil: "\(resource)=\(QuotaAssignment.defaultWord)"
    case .unlimited: "\(resource)=\(QuotaAssignment.unlimitedWord)"
    case .at(let number): "\(resource)=\(number)"
    }
  }

  var limitText: String {
    switch limit {
    case nil: QuotaAssignment.defaultWord
    case .unlimited: QuotaAssignment.unlimitedWord
    case .at(let number): known?.text(of: number) ?? "\(number)"
    }
  }

  private var known: QuotaResource? { QuotaResource(rawValue: resource) }
}
