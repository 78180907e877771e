import Foundation

/// A JSON array cut into its elements, each of them the bytes that were sent.
enum JSONArray {
  /// - Parameter json: An array that is known to be well-formed.
  static func elements(of json: Data) -> [Data] {
    guard let open = json.firstIndex(of: UInt8(ascii: "[")) else { return [] }
    var elements: [Data] = []
    var scanner = Scanner()
    var start = json.index(after: open)
    for index in json.indices[start...] {
      switch scanner.step(json[index]) {
      case .within: continue
      case .elementEnd, .arrayEnd:
        let element = trimmed(json[start..<index])
        if !element.isEmpty { elements.append(element) }
        start = json.index(after: index)
      }
      if scanner.depth < 0 { break }
    }
    return elements
  }

  static func joined(_ elements: [Data]) -> Data {
    Data("[".utf8) + Data(elements.joined(separator: Data(",".utf8))) + Data("]".utf8)
  }

  /// Without the white space of JSON (RFC 8259, 2) around it.
  private static func trimmed(_ json: Data) -> Data {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    let start = json.drop(while: isSpace)
    return start.lastIndex { !isSpace($0) }.map { Data(start[...$0]) } ?? Data()
  }

  /// Knows which commas stand between elements.
  private struct Scanner {
    enum Place {
      case within, elementEnd, arrayEnd
    }

    private(set) var depth = 0
    private var isString = false
    private var isEscaped = false

    mutating func step(_ byte: UInt8) -> Place {
      guard !isString else {
        isString = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        return .within
      }
      switch byte {
      case UInt8(ascii: "\""): isString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      case UInt8(ascii: ",") where depth == 0: return .elementEnd
      default: break
      }
      return depth < 0 ? .arrayEnd : .within
    }
  }
}
