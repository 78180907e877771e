import Foundation
import Testing

@testable import CommandLineTool

@Suite struct JSONLayoutTests {
  private func indented(_ json: String) -> String {
    String(decoding: JSONLayout.indented(Data(json.utf8)), as: UTF8.self)
  }

  @Test(
    arguments: [
      ("1", "1"), (" {} ", "{}"), ("[ ]", "[]"), ("[{ }, [\n] ]", "[\n  {},\n  []\n]"),
      (#"{"a":1}"#, "{\n  \"a\": 1\n}"),
      (#"{"a" : {"b":[true , null]}}"#, #"{|  "a": {|    "b": [|      true,|      null|    ]|  }|}"#),
      (#"["a,]\",b{","\\",": "]"#, #"[|  "a,]\",b{",|  "\\",|  ": "|]"#), (#""a b""#, #""a b""#),
      ("[1.50,1e400,-0]", "[|  1.50,|  1e400,|  -0|]"), (#"["é\u001b"]"#, #"[|  "é\u001b"|]"#),
    ])
  func aLineForEachMember(json: String, text: String) {
    #expect(indented(json) == text.replacing("|", with: "\n"))
    #expect(indented(indented(json)) == indented(json))
  }

  @Test func bracketsWithinBracketsDoNotFillTheMemory() {
    let json = String(repeating: "[", count: 500) + String(repeating: "1,", count: 50_000) + "1"
    let closed = json + String(repeating: "]", count: 500)
    #expect(indented(closed) == closed)
  }
}
