import Testing

@testable import CommandLineTool

@Suite struct TableTests {
  private struct Row {
    var name: String
    var size: Int?
  }

  private let columns: [Column<Row>] = [
    Column("name") { $0.name }, Column("size") { $0.size.map(Units.mebibytes) }, Column("note") { _ in "x" },
  ]

  @Test func columnsAreAligned() {
    let text = Table.list([Row(name: "a", size: 512), Row(name: "long name", size: nil)], columns)
    #expect(text == "NAME       SIZE     NOTE\na          512 MiB  x\nlong name  -        x\n")
  }

  @Test func anEmptyListHasItsTitles() {
    #expect(Table.list([], columns) == "NAME  SIZE  NOTE\n")
  }

  @Test func fieldsStandUnderEachOther() {
    #expect(Table.fields(Row(name: "a", size: nil), columns) == "NAME  a\nSIZE  -\nNOTE  x\n")
  }

  @Test(arguments: ["a\u{1B}[31mb", "a\nb", "a\u{9B}31mb", "a\u{202E}b", "a\u{7F}b"])
  func whatMovesACursorIsReplaced(name: String) {
    let text = Table.list([Row(name: name, size: 1)], columns)
    #expect(text.split(separator: "\n").count == 2)
    #expect(!text.unicodeScalars.contains { "\u{1B}\u{9B}\u{202E}\u{7F}".unicodeScalars.contains($0) })
  }

  @Test(
    arguments: zip(
      [0, 1023, 1536, 3 << 30, 1 << 50, Int64.max], ["0 B", "1023 B", "1.5 KiB", "3 GiB", "1024 TiB", "8388608 TiB"]))
  func bytesAreReadable(count: Int64, text: String) {
    #expect(Units.bytes(count) == text)
  }

  @Test func absurdSizesDoNotTrap() {
    #expect(Units.gibibytes(.max) == "8388608 TiB")
    #expect(Units.gibibytes(10) == "10 GiB")
  }
}
