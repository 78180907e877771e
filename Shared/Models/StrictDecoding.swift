import Foundation

private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// A container whose object has no other members than `Key` names, and null only where it says something; `Decodable`
  /// itself ignores other members in silence, and takes null for the lack of one.
  /// - Parameter nullable: The members that may be null.
  /// - Throws: `ServiceError` `invalid_field` that names the first stranger, or the first member that is null.
  public func strictContainer<Key: CodingKey & CaseIterable>(
    _: Key.Type, nullable: [Key] = []
  ) throws -> KeyedDecodingContainer<Key> {
    let known = Set(Key.allCases.map(\.stringValue))
    let given = try container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    if let stranger = given.first(where: { !known.contains($0) }) {
      let name = Text.printable(stranger, limit: 64)
      throw ServiceError.invalid(
        name, "is not a field of this request; it takes \(known.sorted().joined(separator: ", ")).")
    }
    let fields = try container(keyedBy: Key.self)
    let mayBeNull = Set(nullable.map(\.stringValue))
    for key in fields.allKeys where !mayBeNull.contains(key.stringValue) {
      guard try !fields.decodeNil(forKey: key) else {
        let path = (codingPath + [key]).map(\.stringValue).joined(separator: ".")
        throw ServiceError.invalid(path, "must not be null; leave it out.")
      }
    }
    return fields
  }
}

/// Rules for text that comes from outside.
public enum Text {
  /// - Parameter limit: Unicode code points, as JSON Schema counts: a character may be made of any number of them.
  /// - Throws: `ServiceError` `invalid_field` unless the text has 1 to `limit` code points, none of them a control
  ///   character or one that reverses the direction of writing (Unicode TR 9).
  public static func checked(_ text: String, field: String, limit: Int = 255, mayBeEmpty: Bool = false) throws -> String
  {
    guard mayBeEmpty || !text.isEmpty else { throw ServiceError.invalid(field, "must not be empty.") }
    guard text.unicodeScalars.count <= limit else {
      throw ServiceError.invalid(field, "must have at most \(limit) characters.")
    }
    guard !text.unicodeScalars.contains(where: isForbidden) else {
      throw ServiceError.invalid(field, "must not contain control characters or direction overrides.")
    }
    return text
  }

  /// What is said about a resource; it may be empty.
  /// - Throws: `invalid_field`.
  static func description(_ text: String, field: String = "desc") throws -> String {
    try checked(text, field: field, limit: 1024, mayBeEmpty: true)
  }

  /// The text cut to `limit` characters, with what must not reach a terminal replaced.
  public static func printable(_ text: String, limit: Int) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit).map { isForbidden($0) ? "\u{FFFD}" : $0 }))
  }

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || (0x202A...0x202E).contains(scalar.value)
      || (0x2066...0x2069).contains(scalar.value)
  }
}
