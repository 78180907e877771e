import Models

/// The limits set for a person. A resource that this version does not know keeps its limit when others are changed.
struct QuotaView: Codable, Sendable, Equatable {
  /// By resource; what is absent has the installation's default.
  var limits: [String: Quota.Limit]
  /// Limits of the installation's configuration that go before its defaults.
  var group: String?
  /// Of the VMs that the person makes.
  var caps: Caps?

  private static let capsWord = "caps"

  init(limits: [String: Quota.Limit] = [:], group: String? = nil, caps: Caps? = nil) {
    self.limits = limits
    self.group = group
    self.caps = caps
  }

  /// A limit, the name of a group, or caps.
  private enum Member: Codable {
    case limit(Quota.Limit)
    case group(String)
    case caps(Caps)

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        self = .limit(.unlimited)
      } else if let text = try? value.decode(String.self) {
        self = .group(text)
      } else if let number = try? value.decode(Int64.self) {
        self = .limit(.at(number))
      } else {
        self = .caps(try value.decode(Caps.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var value = encoder.singleValueContainer()
      switch self {
      case .limit(.unlimited): try value.encodeNil()
      case .limit(.at(let number)): try value.encode(number)
      case .group(let name): try value.encode(name)
      case .caps(let caps): try value.encode(caps)
      }
    }
  }

  init(from decoder: any Decoder) throws {
    limits = [:]
    for (name, member) in try decoder.singleValueContainer().decode([String: Member].self) {
      switch member {
      case .limit(let limit): limits[name] = limit
      case .group(let text): if name == QuotaAssignment.groupWord { group = text }
      case .caps(let found): if name == Self.capsWord { caps = found }
      }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var members = limits.mapValues { Member.limit($0) }
    members[QuotaAssignment.groupWord] = group.map { Member.group($0) }
    members[Self.capsWord] = caps.map { Member.caps($0) }
    var container = encoder.singleValueContainer()
    try container.encode(members)
  }

  func changed(by change: QuotaChange) -> QuotaView {
    var changed = change.limits.reduce(into: self) { $0.limits[$1.resource.rawValue] = $1.limit }
    if let group = change.group { changed.group = group == QuotaAssignment.defaultWord ? nil : group }
    if !change.caps.isEmpty {
      var caps = caps ?? .none
      for assignment in change.caps { assignment.apply(to: &caps) }
      changed.caps = caps == .none ? nil : caps
    }
    return changed
  }

  /// All that can be limited, in the order of the API, then what this version does not know.
  var rows: [QuotaRow] {
    let known = QuotaResource.allCases.map(\.rawValue)
    let strange = limits.keys.filter { !known.contains($0) }.sorted()
    return (known + strange).map { QuotaRow(resource: $0, limit: limits[$0]) }
  }

  /// What is set, in one line.
  var summary: String {
    let set =
      (group.map { ["group \($0)"] } ?? []) + rows.filter { $0.limit != nil }.map { "\($0.resource) \($0.limitText)" }
      + (caps.map { CapAssignment.lines($0) } ?? [])
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
