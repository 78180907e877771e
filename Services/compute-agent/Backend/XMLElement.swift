/// An element of an XML document that is being made. Names are ours; values are escaped, whatever they hold.
struct XML: Sendable {
  private let name: String
  private let attributes: [(String, String)]
  private let children: [XML]
  private let text: String?

  init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: [XML] = []) {
    self.name = name
    self.attributes = attributes.map { ($0.key, $0.value) }
    self.children = children
    text = nil
  }

  init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
    self.name = name
    self.attributes = attributes.map { ($0.key, $0.value) }
    children = []
    self.text = text
  }

  /// An element of which not every attribute is always there.
  init(_ name: String, attributes: [(String, String)]) {
    self.name = name
    self.attributes = attributes
    children = []
    text = nil
  }

  /// The document, an element a line.
  func document(indent: String = "") -> String {
    let start = "\(indent)<\(name)" + attributes.map { " \($0.0)='\(Self.escaped($0.1))'" }.joined()
    if let text { return "\(start)>\(Self.escaped(text))</\(name)>\n" }
    guard !children.isEmpty else { return "\(start)/>\n" }
    return "\(start)>\n" + children.map { $0.document(indent: indent + "  ") }.joined() + "\(indent)</\(name)>\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("'", with: "&apos;").replacing("\"", with: "&quot;")
  }
}
