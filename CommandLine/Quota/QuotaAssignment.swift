import Models

/// What people change of a quota.
struct QuotaChange: Sendable, Equatable {
  var limits: [QuotaAssignment] = []
  /// Nil leaves the group as it is; `default` takes the person out of it.
  var group: String?
  /// Of VMs that the person makes.
  var caps: [CapAssignment] = []

  var isEmpty: Bool { limits.isEmpty && group == nil && caps.isEmpty }

  /// - Throws: `CommandFailure` `usage`.
  init(_ texts: [String]) throws {
    let prefix = "\(QuotaAssignment.groupWord)="
    let groups = texts.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    guard groups.count <= 1, groups.first != "" else {
      throw CommandFailure(.usage, "group=NAME is given once, with a name or default.")
    }
    group = groups.first
    caps = try texts.filter(CapAssignment.isOne).map { try CapAssignment($0) }
    limits = try QuotaAssignment.parse(texts.filter { !$0.hasPrefix(prefix) && !CapAssignment.isOne($0) })
  }
}

/// A limit as people set it: `vms=5`, `mem=16G`, `disk=unlimited`, `images=default`.
struct QuotaAssignment: Sendable, Equatable {
  static let unlimitedWord = "unlimited"
  static let defaultWord = "default"
  static let groupWord = "group"

  let resource: QuotaResource
  /// Nil takes the person's own limit away.
  let limit: Quota.Limit?

  /// - Throws: `CommandFailure` `usage`.
  static func parse(_ texts: [String]) throws -> [QuotaAssignment] {
    let assignments = try texts.map(parse)
    for (index, assignment) in assignments.enumerated()
    where assignments[..<index].contains(where: { $0.resource == assignment.resource }) {
      throw CommandFailure(.usage, "\(assignment.resource.rawValue) is given more than once.")
    }
    return assignments
  }

  private static func parse(_ text: String) throws -> QuotaAssignment {
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2 else {
      throw CommandFailure(.usage, "\"\(text)\" is not RESOURCE=LIMIT, such as vms=5.")
    }
    guard let resource = QuotaResource(rawValue: String(sides[0])) else {
      let known = QuotaResource.allCases.map(\.rawValue).joined(separator: ", ")
      throw CommandFailure(.usage, "\"\(sides[0])\" cannot be limited. What can: \(known).")
    }
    return QuotaAssignment(resource: resource, limit: try limit(sides[1], of: resource))
  }

  private static func limit(_ text: Substring, of resource: QuotaResource) throws -> Quota.Limit? {
    if text == defaultWord { return nil }
    if text == unlimitedWord { return .unlimited }
    guard let number = resource.number(text) else {
      let unit = resource.unitName.map { " of \($0), also written with K, M, G or T" } ?? ""
      let rule = "it takes a whole number\(unit); unlimited; or default."
      throw CommandFailure(.usage, "\"\(text)\" is no limit of \(resource.rawValue): \(rule)")
    }
    return .at(number)
  }
}

extension QuotaResource {
  /// Bytes in one of what is counted; nil for what is no size.
  private var unit: Int64? {
    switch self {
    case .mem: 1 << 20
    case .disk: 1 << 30
    case .imageBytes, .diskReadBytes, .diskWrittenBytes, .netRxBytes, .netTxBytes: 1
    case .images, .vms, .vcpus, .cpuSeconds, .memMiBHours: nil
    }
  }

  var unitName: String? {
    switch unit {
    case nil: nil
    case 1: "bytes"
    case 1 << 20: "MiB"
    default: "GiB"
    }
  }

  /// A limit as it is written, in the API's own unit; nil for what is none, is too large, or is no whole number of it.
  func number(_ text: Substring) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits) else { return nil }
    let suffix = text.dropFirst(digits.count)
    guard !suffix.isEmpty else { return count }
    guard let unit, let scale = Units.scale(suffix) else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: scale)
    return overflow || bytes % unit != 0 ? nil : bytes / unit
  }

  /// A limit for people.
  func text(of number: Int64) -> String {
    guard let unit else { return "\(number)" }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
    return Units.bytes(overflow ? .max : bytes)
  }

  /// What is held is counted as it is now; what is consumed, in a calendar month (UTC).
  var period: String {
    switch self {
    case .images, .imageBytes, .vms, .vcpus, .mem, .disk: "at a time"
    case .cpuSeconds, .memMiBHours, .diskReadBytes, .diskWrittenBytes, .netRxBytes, .netTxBytes: "a month"
    }
  }
}
