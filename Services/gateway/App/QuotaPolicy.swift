import Foundation
import Models
import ServiceKit

/// Which limits hold for whom: what was set for the person, else what the configuration says of their group, else its
/// defaults. Administrators have none but those that were set for them.
struct QuotaPolicy: Sendable, Equatable {
  var defaults = Quota()
  var groups: [String: Quota] = [:]

  func limits(of user: User, revision: Int64) -> Limits {
    let sources =
      [user.quota] + (user.quota.group.flatMap { groups[$0] }.map { [$0] } ?? []) + (user.admin ? [] : [defaults])
    var numbers: [QuotaResource: Int64] = [:]
    for resource in QuotaResource.allCases {
      if case .at(let number)? = sources.lazy.compactMap({ $0.limits[resource] }).first { numbers[resource] = number }
    }
    let caps = sources.compactMap(\.caps).reduce(Caps.none) { $0.completed(by: $1) }
    return Limits(numbers, revision: revision, defaults: Self.numbers(of: defaults), caps: caps == .none ? nil : caps)
  }

  private static func numbers(of quota: Quota) -> [QuotaResource: Int64] {
    quota.limits.compactMapValues { if case .at(let number) = $0 { number } else { nil } }
  }

  /// - Throws: `invalid_field` for a group that there is not.
  func check(_ quota: Quota?) throws {
    guard let group = quota?.group, groups[group] == nil else { return }
    let known = groups.keys.sorted().joined(separator: ", ")
    throw ServiceError.invalid(
      "quota.group", known.isEmpty ? "names no group: this installation has none." : "must be one of \(known).")
  }
}

extension QuotaPolicy: Decodable {
  private enum CodingKeys: CodingKey, CaseIterable { case defaults, groups }

  init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    defaults = try fields.decodeIfPresent(Quota.self, forKey: .defaults) ?? Quota()
    groups = try fields.decodeIfPresent([String: Quota].self, forKey: .groups) ?? [:]
  }

  /// - Parameter path: Of a JSON file; without one nothing is limited but what is set for a person.
  /// - Throws: `SettingsError` for a file that cannot be read, or does not say what it should.
  static func load(_ path: String?) throws -> QuotaPolicy {
    guard let path else { return QuotaPolicy() }
    do {
      return try JSONDecoder().decode(QuotaPolicy.self, from: try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch let error as ServiceError { throw SettingsError("The quotas in \(path): \(error.message)") } catch let error
      as DecodingError
    {
      throw SettingsError(
        "The quotas in \(path) cannot be read: they are {\"defaults\": {…}, \"groups\": {\"NAME\": {…}}}. \(error)")
    } catch { throw SettingsError("The quotas in \(path) cannot be read: \(error.localizedDescription)") }
  }
}
