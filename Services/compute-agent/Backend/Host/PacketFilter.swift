/// A packet as a packet filter sees it; nil is an interface that nobody can know beforehand.
struct Packet: Sendable {
  var input: String?
  var output: String?
  /// Nil for one that may be for any.
  var port: Int?
  /// Whether it answers one that was let through.
  var isAnswer = false
}

/// What becomes of a packet.
enum PacketVerdict: Equatable, Sendable {
  case passes
  /// Where it comes from a certain place, or the like.
  case passesPartly
  case dropped
}

/// The rules of iptables' table `filter`, as `iptables -S` prints them (iptables(8)).
struct IptablesRules: Sendable {
  private struct Rule {
    let words: [Substring]
    let target: String
  }

  private var policies: [String: String] = [:]
  private var chains: [String: [Rule]] = [:]

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 2 else { continue }
      switch words[0] {
      case "-P" where words.count > 2: policies[String(words[1])] = String(words[2])
      case "-N": chains[String(words[1])] = chains[String(words[1])] ?? []
      case "-A":
        guard let index = words.firstIndex(where: { $0 == "-j" || $0 == "-g" }), index + 1 < words.count else {
          continue
        }
        chains[String(words[1]), default: []].append(
          Rule(words: Array(words[2..<index]), target: String(words[index + 1])))
      default: continue
      }
    }
  }

  /// Whether there is a chain of that name.
  func has(_ chain: String) -> Bool { chains[chain] != nil }

  func policy(of chain: String) -> String { policies[chain] ?? "ACCEPT" }

  /// What becomes of a packet that enters a chain of the kernel's.
  func verdict(on packet: Packet, in chain: String) -> PacketVerdict {
    var isPartly = false
    let end = walk(chain, packet, depth: 0, &isPartly) ?? (policy(of: chain) == "ACCEPT")
    return end ? .passes : isPartly ? .passesPartly : .dropped
  }

  /// - Returns: Whether it passes; nil where the chain leaves that to its caller.
  private func walk(_ name: String, _ packet: Packet, depth: Int, _ isPartly: inout Bool) -> Bool? {
    guard depth < 32 else { return nil }
    for rule in chains[name] ?? [] {
      let match = IptablesMatch(rule.words).fits(packet)
      guard match != .no else { continue }
      switch rule.target {
      case "ACCEPT": if match == .yes { return true } else { isPartly = true }
      case "DROP", "REJECT": if match == .yes { return false }
      case "RETURN": if match == .yes { return nil }
      default:
        guard chains[rule.target] != nil else { continue }
        let end = walk(rule.target, packet, depth: depth + 1, &isPartly)
        if match == .yes, let end { return end }
        if end == true { isPartly = true }
      }
    }
    return nil
  }
}

/// The conditions of one rule.
struct IptablesMatch {
  /// Perhaps: it asks for what nobody can know beforehand.
  enum Fit { case yes, no, perhaps }

  private let words: [Substring]

  init(_ words: [Substring]) { self.words = words }

  func fits(_ packet: Packet) -> Fit {
    var (result, isNegated) = (Fit.yes, false)
    var index = words.startIndex
    while index < words.endIndex {
      let (word, value) = (words[index], index + 1 < words.endIndex ? words[index + 1] : "")
      if word == "!" {
        isNegated = true
        index += 1
        continue
      }
      let fit = Self.fits(word, value, packet)
      switch isNegated ? fit.negated : fit {
      case .no: return .no
      case .perhaps: result = .perhaps
      case .yes: break
      }
      isNegated = false
      index += 1
      while index < words.endIndex, !words[index].hasPrefix("-"), words[index] != "!" { index += 1 }
    }
    return result
  }

  private static func fits(_ word: Substring, _ value: Substring, _ packet: Packet) -> Fit {
    switch word {
    // What is loaded says nothing, and a remark neither.
    case "-m", "--comment": .yes
    case "-i": interface(packet.input, value)
    case "-o": interface(packet.output, value)
    case "-p": value == "tcp" || value == "all" ? .yes : .no
    case "--dport", "--dports": packet.port.map { ports(value, hold: $0) } ?? false ? .yes : .no
    case "--ctstate", "--state":
      value.split(separator: ",").contains(packet.isAnswer ? "ESTABLISHED" : "NEW") ? .yes : .no
    // Only what is for this machine comes into INPUT.
    case "--dst-type": value == "LOCAL" && packet.output == nil ? .yes : .no
    default: .perhaps
    }
  }

  private static func interface(_ name: String?, _ pattern: Substring) -> Fit {
    guard let name else { return pattern == "lo" ? .no : .perhaps }
    return (pattern.hasSuffix("+") ? name.hasPrefix(pattern.dropLast()) : name == pattern) ? .yes : .no
  }

  private static func ports(_ list: Substring, hold port: Int) -> Bool {
    list.split(separator: ",").contains { part in
      let ends = part.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
      return (ends[0] ?? 0)...max(ends[0] ?? 0, ends.count > 1 ? ends[1] ?? 65_535 : ends[0] ?? 0) ~= port
    }
  }
}

extension IptablesMatch.Fit {
  fileprivate var negated: Self {
    switch self {
    case .yes: .no
    case .no: .yes
    case .perhaps: .perhaps
    }
  }
}
