/// A command of the shell, with what it takes.
struct ShellVerb: Sendable, Equatable {
  /// What a place is filled with, so that it can be completed.
  enum Kind: Sendable { case text, secret, host, user, image, vm }

  struct Parameter: Sendable, Equatable {
    let name: String
    var kind = Kind.text
    var isOptional = false

    var usage: String { isOptional ? "[<\(name)>]" : "<\(name)>" }
  }

  /// One or two, such as `vm` and `add`.
  let words: [String]
  var parameters: [Parameter] = []
  /// Whether the rest of the line is one condition.
  var takesQuery = false
  /// The words of the same command in one shot.
  let command: [String]

  private init(
    _ words: String, _ parameters: [Parameter] = [], takesQuery: Bool = false, command: String? = nil
  ) {
    self.words = words.split(separator: " ").map(String.init)
    self.parameters = parameters
    self.takesQuery = takesQuery
    self.command = (command ?? words).split(separator: " ").map(String.init)
  }

  var usage: String {
    (words + (takesQuery ? ["[<query>]"] : parameters.map(\.usage))).joined(separator: " ")
  }

  private static let user = Parameter(name: "userId", kind: .user)
  private static let image = Parameter(name: "imgId", kind: .image)
  private static let vm = Parameter(name: "vmId", kind: .vm)
  private static let password = Parameter(name: "password", kind: .secret)

  static let help = ShellVerb("help")
  static let exit = ShellVerb("exit")

  /// All of them, in the order of the help.
  static let all: [ShellVerb] = [
    help, exit,
    // Without the password it is asked for, unseen.
    ShellVerb("login", [Parameter(name: "email"), Parameter(name: "password", kind: .secret, isOptional: true)]),
    ShellVerb("host ls", takesQuery: true),
    ShellVerb("host add", [Parameter(name: "addr"), Parameter(name: "user"), password]),
    ShellVerb("host rm", [Parameter(name: "hostId", kind: .host)]),
    ShellVerb("user list", takesQuery: true, command: "user ls"),
    ShellVerb("user add", [Parameter(name: "email"), password]), ShellVerb("user rm", [user]),
    ShellVerb("image ls", takesQuery: true),
    ShellVerb("image add", [Parameter(name: "url"), Parameter(name: "name"), Parameter(name: "desc")]),
    ShellVerb("image rm", [image]), ShellVerb("image shares", [image]), ShellVerb("image share", [image, user]),
    ShellVerb("image unshare", [image, user]),
    ShellVerb("vm ls", takesQuery: true),
    ShellVerb("vm add", [Parameter(name: "image", kind: .image), Parameter(name: "mem", isOptional: true)]),
    ShellVerb("vm start", [vm]), ShellVerb("vm stop", [vm]), ShellVerb("vm rm", [vm]),
    ShellVerb("vm save", [vm, Parameter(name: "imgName"), Parameter(name: "imgDesc")]), ShellVerb("vm shares", [vm]),
    ShellVerb("vm share", [vm, user]), ShellVerb("vm unshare", [vm, user]),
  ]
}

/// What a line of the shell asks for.
enum ShellRequest: Equatable {
  case nothing, help, exit
  /// The arguments of the same command in one shot.
  case run([String])
}

extension ShellRequest {
  /// - Throws: `CommandFailure` `usage`.
  init(_ line: String) throws {
    let line = ShellWords(line.drop { $0.isWhitespace }.isEmpty ? "" : line).words.isEmpty ? "" : line
    let parsed = ShellWords(line)
    let texts = parsed.texts
    guard let first = texts.first, !first.hasPrefix("#") else {
      self = .nothing
      return
    }
    guard let verb = ShellVerb.all.first(where: { texts.starts(with: $0.words) }) else {
      throw Self.unknown(texts)
    }
    let rest = parsed.words.dropFirst(verb.words.count)
    if verb.takesQuery {
      let query = Self.query(line, rest)
      self = .run(verb.command + (query.isEmpty ? [] : ["--", query]))
      return
    }
    if let quote = parsed.open { throw CommandFailure(.usage, "A quote (\(quote)) is not closed.") }
    let required = verb.parameters.filter { !$0.isOptional }.count
    guard (required...verb.parameters.count).contains(rest.count) else {
      throw CommandFailure(.usage, "usage: \(verb.usage)")
    }
    switch verb {
    case .help: self = .help
    case .exit: self = .exit
    default: self = .run(verb.command + (rest.isEmpty ? [] : ["--"]) + rest.map(\.text))
    }
  }

  /// The rest of the line as it stands, or what is in the quotes that are around all of it.
  private static func query(_ line: String, _ words: ArraySlice<ShellWords.Word>) -> String {
    guard let start = words.first?.start else { return "" }
    let rest = String(line[start...].reversed().drop { $0.isWhitespace }.reversed())
    let isQuoted = words.count == 1 && rest.hasPrefix("\"") && rest.hasSuffix("\"") && rest.count > 1
    return isQuoted ? words.first?.text ?? "" : rest
  }

  private static func unknown(_ words: [String]) -> CommandFailure {
    let nouns = Set(ShellVerb.all.filter { $0.words.count > 1 }.map { $0.words[0] })
    let asked: String
    let known: [String]
    if let noun = words.first, nouns.contains(noun) {
      known = ShellVerb.all.filter { $0.words.first == noun }.map { $0.words.joined(separator: " ") }
      guard words.count > 1 else {
        return CommandFailure(.usage, "\(noun) takes one of: \(known.joined(separator: ", ")).")
      }
      asked = words.prefix(2).joined(separator: " ")
    } else {
      asked = words.prefix(2).joined(separator: " ")
      known = ShellVerb.all.map { $0.words.joined(separator: " ") }
    }
    let nearest = Spelling.nearest(to: asked, in: known) ?? Spelling.nearest(to: words[0], in: known)
    let advice = nearest.map { "did you mean \"\($0)\"?" } ?? "help lists them."
    return CommandFailure(.usage, "There is no command \"\(asked)\"; \(advice)")
  }
}

/// Words that are nearly the same.
enum Spelling {
  /// - Returns: Nil when none is near.
  static func nearest(to word: String, in known: [String]) -> String? {
    known.map { ($0, distance(Array(word.lowercased()), Array($0))) }
      .filter { $0.1 <= max(2, word.count / 3) }.min { $0.1 < $1.1 }?.0
  }

  /// How many characters have to be changed, put in, taken out, or swapped with the next (optimal string alignment).
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var rows = [Array(0...right.count)]
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var best = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (left[i] == right[j] ? 0 : 1))
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, rows[i - 1][j - 1] + 1) }
        row.append(best)
      }
      rows.append(row)
    }
    return rows[left.count][right.count]
  }
}
