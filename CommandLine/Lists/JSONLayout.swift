import Foundation

/// A JSON document of any kind; decoding it shows that it is well-formed.
struct JSONDocument: Decodable, Sendable {
  init(from decoder: any Decoder) throws {}
}

/// Lays JSON out for people. The tokens stay the bytes that were sent, in their order.
enum JSONLayout {
  /// How often larger than what was sent the result may be, so that brackets within brackets do not fill the memory.
  private static let growth = 8

  /// A line for every member and element.
  /// - Parameter json: A document that is known to be well-formed.
  /// - Returns: The document as it was, if it would grow beyond all measure.
  static func indented(_ json: Data) -> Data {
    var writer = Writer()
    for byte in json {
      writer.take(byte)
      guard writer.text.count <= json.count * growth + 1024 else { return json }
    }
    return writer.text
  }

  private struct Writer {
    private(set) var text = Data()
    private var depth = 0
    private var isString = false
    private var isEscaped = false
    /// Whether a bracket was opened just now: its line ends only if something stands in it.
    private var isOpen = false

    mutating func take(_ byte: UInt8) {
      guard !isString else { return takeInString(byte) }
      switch byte {
      case 0x20, 0x09, 0x0a, 0x0d: return
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if !isOpen { newLine() }
        isOpen = false
        text.append(byte)
      default: begin(byte)
      }
    }

    private mutating func begin(_ byte: UInt8) {
      if isOpen { newLine() }
      isOpen = false
      text.append(byte)
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        isOpen = true
      case UInt8(ascii: ","): newLine()
      case UInt8(ascii: ":"): text.append(0x20)
      case UInt8(ascii: "\""): isString = true
      default: break
      }
    }

    private mutating func takeInString(_ byte: UInt8) {
      text.append(byte)
      isString = isEscaped || byte != UInt8(ascii: "\"")
      isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
    }

    private mutating func newLine() {
      text.append(0x0a)
      text.append(contentsOf: repeatElement(0x20, count: 2 * max(0, depth)))
    }
  }
}
