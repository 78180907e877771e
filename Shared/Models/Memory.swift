/// An amount of memory as clients write it: a number, a string of digits (both MiB), a string with a unit (`512M`,
/// `2G`, `262144K`, as QEMU's `-m`), or an empty string, which asks for the default.
public struct MemoryAmount: Decodable, Sendable, Equatable {
  /// Nil asks for the default.
  public var mebibytes: Int?

  public init(mebibytes: Int?) { self.mebibytes = mebibytes }

  /// - Throws: `ServiceError` `invalid_field`.
  public init(text: String) throws {
    let trimmed = text.trimmingPrefix(while: \.isWhitespace)
    guard !trimmed.isEmpty else {
      self.init(mebibytes: nil)
      return
    }
    let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits), number < 1 << 40, number > 0 else { throw Self.unreadable }
    let unit = trimmed.dropFirst(digits.count).uppercased()
    switch unit {
    case "", "M", "MB", "MIB": self.init(mebibytes: number)
    case "G", "GB", "GIB": self.init(mebibytes: number * 1024)
    case "K", "KB", "KIB": self.init(mebibytes: (number + 1023) / 1024)
    default: throw Self.unreadable
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self.init(mebibytes: nil)
      return
    }
    if let number = try? container.decode(Int.self) {
      guard number > 0 else { throw Self.unreadable }
      self.init(mebibytes: number)
      return
    }
    guard let text = try? container.decode(String.self) else { throw Self.unreadable }
    try self.init(text: text)
  }

  private static let unreadable = ServiceError.invalid(
    "mem", "must be a whole number of MiB, or a number with K, M or G, such as 512M.")
}
