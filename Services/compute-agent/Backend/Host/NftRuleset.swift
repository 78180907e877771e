import Foundation

/// The rules of nftables that packets meet whatever iptables says, as `nft -j list ruleset` prints them
/// (libnftables-json(5)). Each chain that the kernel calls must let a packet through.
struct NftRuleset: Sendable {
  enum Hook: String, Sendable { case input, forward }

  /// A chain that the kernel calls.
  struct Chain: Equatable, Sendable {
    let family: String
    let table: String
    let name: String

    /// As nft takes it.
    var words: String { "\(family) \(table) \(name)" }
  }

  private let chains: [[String: NftValue]]
  private let rules: [[String: NftValue]]

  init(json: Data) throws {
    let document = try JSONDecoder().decode([String: NftValue].self, from: json)
    let items = document["nftables"]?.array ?? []
    chains = items.compactMap { $0["chain"]?.object }
    rules = items.compactMap { $0["rule"]?.object }
  }

  /// The rules of a chain, and of those that it leads to.
  private func rules(from chain: String, of table: [[String: NftValue]]) -> [[String: NftValue]] {
    var (names, next) = (Set([chain]), [chain])
    while let name = next.popLast() {
      for rule in table where rule["chain"]?.string == name {
        next += NftRule(rule).targets.filter { names.insert($0).inserted }
      }
    }
    return table.filter { rule in rule["chain"]?.string.map { names.contains($0) } ?? false }
  }

  /// The chains that drop a packet, which no rule that they lead to accepts.
  func chains(of hook: Hook, dropping packet: Packet) -> [Chain] {
    chains.compactMap { chain in
      guard chain["hook"]?.string == hook.rawValue, chain["type"]?.string == "filter",
        let family = chain["family"]?.string, family == "ip" || family == "inet",
        let table = chain["table"]?.string, let name = chain["name"]?.string,
        // This one is iptables' own, which shows it itself.
        !(family == "ip" && table == "filter" && name == hook.rawValue.uppercased())
      else { return nil }
      let ours = rules(from: name, of: rules.filter { $0["family"]?.string == family && $0["table"]?.string == table })
      let last = ours.last { $0["chain"]?.string == name }.map(NftRule.init)
      guard chain["policy"]?.string == "drop" || last?.dropsAll == true else { return nil }
      guard !ours.contains(where: { NftRule($0).accepts(packet) }) else { return nil }
      return Chain(family: family, table: table, name: name)
    }
  }
}

/// One rule, by its statements.
private struct NftRule {
  let statements: [NftValue]

  init(_ rule: [String: NftValue]) { statements = rule["expr"]?.array ?? [] }

  /// The chains that it leads to, also by a map of verdicts.
  var targets: [String] { statements.flatMap(\.targets) }

  private var matches: [[String: NftValue]] { statements.compactMap { $0["match"]?.object } }

  var dropsAll: Bool { matches.isEmpty && statements.contains { $0["drop"] != nil || $0["reject"] != nil } }

  /// Whether it lets the packet through, at least where it comes from a certain place or the like.
  func accepts(_ packet: Packet) -> Bool {
    if let key = statements.lazy.compactMap({ $0["vmap"]?["key"] }).first {
      return packet.isAnswer || key["ct"] == nil
    }
    return statements.contains { $0["accept"] != nil } && matches.allSatisfy { Self.fits($0, packet) }
  }

  private static func fits(_ match: [String: NftValue], _ packet: Packet) -> Bool {
    guard let left = match["left"], let right = match["right"] else { return true }
    let isEqual = match["op"]?.string != "!="
    let fit: Bool? =
      switch (left["meta"]?["key"]?.string, left["ct"]?["key"]?.string, left["payload"]?["field"]?.string) {
      case ("iifname", _, _), ("iif", _, _): packet.input.map { right.names($0) } ?? (right.names("lo") ? false : nil)
      case ("oifname", _, _), ("oif", _, _): packet.output.map { right.names($0) }
      case (_, "state", _): right.names(packet.isAnswer ? "established" : "new")
      case (_, _, "dport"):
        left["payload"]?["protocol"]?.string != "udp" && packet.port.map { right.holds($0) } ?? false
      case ("l4proto", _, _): right.names("tcp")
      case (_, _, "protocol"): right.names("tcp")
      default: nil
      }
    return fit.map { $0 == isEqual } ?? true
  }
}

/// A value of JSON.
enum NftValue: Decodable, Sendable {
  case object([String: NftValue])
  case array([NftValue])
  case string(String)
  case number(Int)
  case other

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode([String: NftValue].self) {
      self = .object(value)
    } else if let value = try? container.decode([NftValue].self) {
      self = .array(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode(Int.self) {
      self = .number(value)
    } else {
      self = .other
    }
  }

  var object: [String: NftValue]? { if case .object(let value) = self { value } else { nil } }
  var array: [NftValue]? { if case .array(let value) = self { value } else { nil } }
  var string: String? { if case .string(let value) = self { value } else { nil } }

  subscript(name: String) -> NftValue? { object?[name] }

  /// All that is named by `jump` or `goto` in it.
  var targets: [String] {
    switch self {
    case .object(let members):
      members.flatMap { name, value in
        name == "jump" || name == "goto" ? [value["target"]?.string].compactMap { $0 } : value.targets
      }
    case .array(let values): values.flatMap(\.targets)
    case .string, .number, .other: []
    }
  }

  /// Whether it is this word, or has it among others; what a named set holds is not known here, and may be it.
  func names(_ word: String) -> Bool {
    switch self {
    case .string(let text) where text.hasSuffix("*"): word.hasPrefix(text.dropLast())
    case .string(let text): text == word || text.hasPrefix("@")
    case .array(let values): values.contains { $0.names(word) }
    case .object(let members): members["set"]?.names(word) ?? false
    case .number, .other: false
    }
  }

  /// Whether it is this number, or has it among others or in a range.
  func holds(_ number: Int) -> Bool {
    switch self {
    case .number(let value): return value == number
    case .array(let values): return values.contains { $0.holds(number) }
    case .string(let text): return text.hasPrefix("@")
    case .object(let members):
      if case .array(let ends)? = members["range"], case .number(let low)? = ends.first,
        case .number(let high)? = ends.last
      {
        return low <= number && number <= high
      }
      return members["set"]?.holds(number) ?? false
    case .other: return false
    }
  }
}
