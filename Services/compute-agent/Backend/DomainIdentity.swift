import Foundation
import Models

/// What a domain of ours carries in its own metadata element, and nothing else knows as surely.
struct DomainIdentity: Equatable, Sendable {
  static let namespace = "https://swift-iaas.example/domain/1"
  static let prefix = "iaas"

  var owner: UserID
  /// That of the last command that was carried out.
  var generation: Int64
  /// The last start that was carried out; 0 before the first.
  var boot: Int64 = 1
  /// The number of the disk that the description names.
  var disk: Int64 = 1
  /// The digest of what the description was made from; nil where that was not noted.
  var definition: String?
  /// Since when nobody knows the VM; whole seconds.
  var quarantined: Date?
  /// What holds for the guest that runs.
  var caps = Caps.none

  /// The element without its namespace, as `virDomainSetMetadata` takes it.
  var element: String { XML("vm", attributes: attributes).document() }

  /// The element as a part of a domain's description.
  var qualifiedElement: XML {
    XML("\(Self.prefix):vm", attributes: [("xmlns:\(Self.prefix)", Self.namespace)] + attributes)
  }

  private var attributes: [(String, String)] {
    [("owner", owner.description), ("generation", String(generation)), ("boot", String(boot)), ("disk", String(disk))]
      + (definition.map { [("definition", $0)] } ?? [])
      + (quarantined.map { [("quarantined", $0.formatted(.iso8601))] } ?? [])
      + (caps == .none ? [] : [("caps", caps.note)])
  }
}

extension DomainIdentity {
  /// Reads the element as libvirt returns it; nil when it is not as we wrote it. One that names only owner and generation
  /// is of a VM's first start, from its first disk.
  init?(metadata text: String) {
    let attributes = text.matches(of: /\s([a-z]+)=(?:'([^']*)'|"([^"]*)")/)
    let values = Dictionary(
      attributes.map { (String($0.1), String($0.2 ?? $0.3 ?? "")) }, uniquingKeysWith: { first, _ in first })
    guard let owner = values["owner"].flatMap({ UserID($0) }),
      let generation = values["generation"].flatMap({ Int64($0) })
    else { return nil }
    self.init(
      owner: owner, generation: generation, boot: values["boot"].flatMap { Int64($0) } ?? 1,
      disk: values["disk"].flatMap { Int64($0) } ?? 1, definition: values["definition"],
      quarantined: values["quarantined"].flatMap { try? Date($0, strategy: .iso8601) },
      caps: values["caps"].flatMap { Caps(note: $0) } ?? .none)
  }
}
