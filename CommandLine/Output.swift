import ArgumentParser
import Foundation
import Models

enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case table, json, yaml, csv, name
}

/// Prints results in the format that was asked for.
struct Output: Sendable {
  let format: OutputFormat
  let console: any Console

  func list<Kind: Presentable>(_ fetched: Fetched<[Kind]>) throws {
    switch format {
    case .table: try console.print(table: .list(fetched.value, Kind.columns))
    case .json: try json(fetched.json)
    case .yaml: try yaml(fetched.json)
    case .csv: try console.write(Data(CSV.text(fetched.value, Kind.columns).utf8))
    case .name: for object in fetched.value { try name(object) }
    }
  }

  /// What the command put together itself, which is no answer of the API.
  func list<Kind: Presentable & Encodable>(made rows: [Kind]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try list(Fetched(value: rows, json: try encoder.encode(rows)))
  }

  /// One object as a row, as after a change, or with all its fields.
  func object<Kind: Presentable>(_ fetched: Fetched<Kind>, withAllFields: Bool = false) throws {
    switch format {
    case .table where withAllFields: try console.print(table: .fields(fetched.value, Kind.fields))
    case .table: try console.print(table: .list([fetched.value], Kind.columns))
    case .json: try json(fetched.json)
    case .yaml: try yaml(fetched.json)
    case .csv:
      try console.write(Data(CSV.text([fetched.value], withAllFields ? Kind.fields : Kind.columns).utf8))
    case .name: try name(fetched.value)
    }
  }

  /// A document that is shown as it is: the server's own bytes for programs, with a line for each member for people.
  func document(_ bytes: Data) throws {
    if format == .yaml { return try yaml(bytes) }
    try json(format == .json ? bytes : JSONLayout.indented(bytes))
  }

  /// Text of others, such as a log: as it is for programs, and without what draws on a terminal for people.
  func text(_ bytes: Data, members: [String: String], member: String) throws {
    guard format != .json, format != .yaml else {
      let text = String(decoding: bytes, as: UTF8.self)
      let object = try Self.encoded(members.merging([member: text]) { $1 })
      return try format == .json ? json(object) : yaml(object)
    }
    guard console.printsToTerminal else { return try console.write(bytes) }
    try console.print(SerialText.readable(bytes))
  }

  /// What a command did that no object of the API tells: a sentence for people, members for programs.
  func note(_ sentence: String, name: String, members: [String: String]) throws {
    switch format {
    case .table: console.tell(sentence)
    case .json: try json(try Self.encoded(members))
    case .yaml: try yaml(try Self.encoded(members))
    case .csv:
      let names = members.keys.sorted()
      try console.write(Data((CSV.line(names) + CSV.line(names.map { members[$0] ?? "" })).utf8))
    case .name: try line(name)
    }
  }

  private static func encoded(_ members: [String: String]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(members)
  }

  /// The API's own bytes, and the end of the line that they lack.
  private func json(_ bytes: Data) throws {
    let end = bytes.last == UInt8(ascii: "\n") ? Data() : Data("\n".utf8)
    if console.printsToTerminal {
      try console.print(String(decoding: bytes + end, as: UTF8.self))
    } else {
      try console.write(bytes + end)
    }
  }

  private func yaml(_ bytes: Data) throws { try console.print(YAML.text(ofJSON: bytes)) }

  private func name(_ object: some Presentable) throws { try line(object.shortName) }

  private func line(_ text: String) throws { try console.print(Text.printable(text, limit: .max) + "\n") }
}
