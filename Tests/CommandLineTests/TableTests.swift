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
    let text = Table.list([Row(name: "a", size: 512), Row(name: "long name", size: nil)], columns).text()
    #expect(text == "NAME       SIZE     NOTE\na          512 MiB  x\nlong name  -        x\n")
  }

  @Test func theWidestCellsAreCutToFitTheTerminal() {
    let rows = [Row(name: "a name that is kept", size: 512)]
    let columns: [Column<Row>] = [
      Column("name") { $0.name }, Column("desc") { _ in "a description that is much too long" },
      Column("state") { _ in "running" },
    ]
    let text = Table.list(rows, columns).text(width: 44)
    #expect(text == "NAME                 DESC            STATE\na name that is kept  a description…  running\n")
    #expect(!Table.list(rows, columns).text(width: 10).contains("a description t"))
    #expect(Table.list(rows, columns).text().contains("much too long"))
  }

  @Test func coloursAreOfStatesAndTitlesAlone() {
    let columns: [Column<Row>] = [Column("state") { $0.name }, Column("size") { _ in "1" }]
    let text = Table.list([Row(name: "error", size: 1), Row(name: "running: slow", size: 1)], columns).text(
      inColours: true)
    #expect(text.contains("\u{1B}[31merror\u{1B}[0m          1\n"))
    #expect(text.contains("\u{1B}[32mrunning: slow\u{1B}[0m  1\n"))
    #expect(!Table.list([Row(name: "error", size: 1)], columns).text().contains("\u{1B}"))
  }

  @Test func anEmptyListHasItsTitles() {
    #expect(Table.list([], columns).text() == "NAME  SIZE  NOTE\n")
  }

  @Test func fieldsStandUnderEachOther() {
    #expect(Table.fields(Row(name: "a", size: nil), columns).text() == "NAME  a\nSIZE  -\nNOTE  x\n")
  }

  @Test(arguments: ["a\u{1B}[31mb", "a\nb", "a\u{9B}31mb", "a\u{202E}b", "a\u{7F}b"])
  func whatMovesACursorIsReplaced(name: String) {
    let text = Table.list([Row(name: name, size: 1)], columns).text()
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
