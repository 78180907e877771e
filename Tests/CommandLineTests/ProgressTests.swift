import Models
import Testing

@testable import CommandLineTool

@Suite struct ProgressTests {
  private static let gibibyte: Int64 = 1 << 30

  private static let import42 = OperationProgress(done: gibibyte * 42 / 100 + 1, total: gibibyte, rate: 24 << 20)

  @Test(
    arguments: [
      (200, "downloading  [##########..............]   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (77, "downloading  [##########..............]   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (76, "downloading  [#########..............]   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (58, "downloading  [##...]   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (57, "downloading   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (49, "downloading   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"), (48, "[###.....]   42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (44, " 42%  0.4/1 GiB  24 MiB/s  ETA 0:25"), (36, " 42%  0.4/1 GiB  24 MiB/s  ETA 0:25"),
      (35, "[##....]   42%  24 MiB/s  ETA 0:25"), (33, " 42%  24 MiB/s  ETA 0:25"), (25, " 42%  24 MiB/s  ETA 0:25"),
      (24, "[##...]   42%  ETA 0:25"), (15, " 42%  ETA 0:25"), (14, "[##...]   42%"), (13, " 42%"), (5, " 42%"),
      (4, ""), (0, ""), (-1, ""),
    ])
  func aLineFits(width: Int, line: String) {
    #expect(ProgressBar.text("downloading", Self.import42, width: width) == line)
  }

  @Test(arguments: 0...120)
  func aLineNeverReachesTheLastColumn(width: Int) {
    for label in ["", "sending", "漢字漢字", String(repeating: "x", count: 300)] {
      for progress in [Self.import42, OperationProgress(done: 5 << 40, total: nil, rate: 1)] {
        let line = ProgressBar.text(label, progress, width: width)
        let columns = line.unicodeScalars.map { $0.value < 0x80 ? 1 : 2 }.reduce(0, +)
        #expect(columns <= max(0, width - 1), "\(line)")
      }
    }
  }

  @Test(
    arguments: [
      (0, "[........................]    0%"), (1 << 29, "[############............]   50%"),
      (Self.gibibyte - 1, "[#######################.]   99%"), (Self.gibibyte, "[########################]  100%"),
      (Self.gibibyte * 2, "[########################]  100%"), (-5, "[........................]    0%"),
    ])
  func theBarIsFullAtTheEndAlone(done: Int64, bar: String) {
    let line = ProgressBar.text("x", OperationProgress(done: done, total: Self.gibibyte), width: 80)
    #expect(line.hasPrefix("x  \(bar)  "))
  }

  @Test(arguments: [nil, 0, -1] as [Int64?])
  func withoutATotalThereIsNoBar(total: Int64?) {
    let progress = OperationProgress(done: 3 << 20, total: total, rate: 1 << 20)
    #expect(ProgressBar.text("x", progress, width: 80) == "x  3 MiB  1 MiB/s")
    #expect(ProgressBar.text("x", progress, width: 6) == "3 MiB")
    #expect(ProgressBar.eta(progress) == nil)
  }

  @Test func whatMovesACursorIsReplaced() {
    #expect(ProgressBar.text("a\u{1B}[2J", Self.import42, width: 80).hasPrefix("a\u{FFFD}[2J  ["))
  }

  @Test(
    arguments: [
      (0, 100, 100, "0:01"), (0, 100, 99, "0:02"), (0, 5900, 100, "0:59"), (0, 6000, 100, "1:00"),
      (0, 359_900, 100, "59:59"), (0, 360_000, 100, "1:00:00"), (0, 359_999, 1, "99:59:59"),
      (0, 360_000, 1, "over 99 h"), (0, Int64.max, 1, "over 99 h"), (100, 100, 1, "0:00"), (200, 100, 1, "0:00"),
    ] as [(Int64, Int64, Int64, String)])
  func theTimeLeft(done: Int64, total: Int64, rate: Int64, text: String) {
    #expect(ProgressBar.eta(OperationProgress(done: done, total: total, rate: rate)) == text)
  }

  @Test(arguments: [nil, 0, -1] as [Int64?])
  func withoutARateNobodyKnowsTheTimeLeft(rate: Int64?) {
    #expect(ProgressBar.eta(OperationProgress(done: 0, total: 9, rate: rate)) == nil)
    #expect(ProgressBar.text("x", OperationProgress(done: 0, total: 9, rate: rate), width: 30).hasSuffix("0/9 B"))
  }

  @Test func aThrottleAllowsFiveASecond() {
    var throttle = Throttle(interval: .milliseconds(200))
    let start = ContinuousClock.now
    let allowed = (0..<1000).filter { throttle.allows(at: start + .milliseconds($0)) }
    #expect(allowed == [0, 200, 400, 600, 800])
  }

  @Test func theRateIsThatOfTheLastSeconds() {
    var meter = RateMeter()
    let start = ContinuousClock.now
    #expect(meter.rate(done: 0, at: start) == nil)
    #expect(meter.rate(done: 50, at: start + .milliseconds(100)) == nil)
    #expect(meter.rate(done: 1000, at: start + .seconds(1)) == 1000)
    for second in 2...20 { _ = meter.rate(done: Int64(1000 + second), at: start + .seconds(second)) }
    #expect(meter.rate(done: 1021, at: start + .seconds(21)) == 1)
  }

  @Test(
    arguments: [
      (#"{"done":42,"total":100,"rate":1}"#, "importing 42%"), (#"{"done":3145728}"#, "importing 3 MiB"),
      (#"{"done":199,"total":200}"#, "importing 99%"), (nil, "importing"),
    ])
  func anImportingImageTellsHowFarItIs(progress: String?, state: String) async throws {
    let bench = try Bench()
    let image = Sample.imageJSON(state: "importing", progress: progress)
    bench.transport.answer("GET /iaas/images", "[\(image)]")
    bench.transport.answer("GET /iaas/images/\(Sample.image)", image)
    #expect(await bench.run("image", "ls") == .done)
    #expect(bench.console.out.contains("  \(state)  "))
    #expect(await bench.run("image", "show", Sample.image) == .done)
    #expect(bench.console.out.contains("STATE         \(state)\n"))
  }

  @Test func anAvailableImageHasNoProgress() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/images", "[\(Sample.imageJSON(progress: #"{"done":1,"total":2}"#))]")
    #expect(await bench.run("image", "ls") == .done)
    #expect(bench.console.out.contains("  available  "))
  }
}
