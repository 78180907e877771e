import Foundation
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct ConsoleLogTests {
  private func withLog(_ body: (ConsoleLog, FileHandle) async throws -> Void) async throws {
    try await TestEnvironment.withFolder { folder in
      let paths = VMPaths(folder: folder, consoleSocket: "")
      // As QEMU does with append='on'.
      let descriptor = open(paths.consoleLog, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      try #require(descriptor >= 0)
      try await body(ConsoleLog(paths: paths), FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }
  }

  private func lines(_ numbers: Range<Int>) -> Data {
    Data(numbers.map { String(format: "line %09d\n", $0) }.joined().utf8)
  }

  @Test func theEndIsGiven() async throws {
    try await withLog { log, writer in
      #expect(try log.tail(10) == Data())
      try writer.write(contentsOf: lines(0..<100))
      #expect(try log.tail(15) == lines(99..<100))
      #expect(try log.tail(1 << 20) == lines(0..<100))
      // virtlogd begins a new file.
      #expect(rename(log.paths.consoleLog, log.paths.consoleLog + ".0") == 0)
      try lines(100..<101).write(to: URL(fileURLWithPath: log.paths.consoleLog))
      #expect(try log.tail(30) == lines(99..<101))
    }
  }

  @Test func aStartIsMarked() async throws {
    try await withLog { log, writer in
      #expect(log.start == 0)
      try writer.write(contentsOf: lines(0..<10))
      try log.markStart()
      #expect(log.start == 150 && log.size == 150)
      #expect(try log.sinceStart(from: 0, atMost: 1000).isEmpty)
      try writer.write(contentsOf: lines(10..<20))
      #expect(try log.sinceStart(from: 0, atMost: 1000) == lines(10..<20))
      #expect(try log.sinceStart(from: 285, atMost: 1000) == lines(19..<20))
      #expect(try log.sinceStart(from: 0, atMost: 30) == lines(18..<20))
      // A file that is shorter than it was is another one.
      try lines(0..<3).write(to: URL(fileURLWithPath: log.paths.consoleLog))
      #expect(log.start == 0)
    }
  }

  /// The one who writes keeps the file open and knows nothing of it.
  @Test func theBeginningIsGivenUpUnderARunningWriter() async throws {
    try await withLog { log, writer in
      try await log.trim()
      try writer.write(contentsOf: lines(0..<50_000))
      try log.markStart()
      try writer.write(contentsOf: lines(50_000..<120_000))
      #expect(log.surplus > 0)
      let writing = Task.detached {
        for number in 120_000..<130_000 {
          try writer.write(contentsOf: Data(String(format: "line %09d\n", number).utf8))
        }
      }
      try await log.trim()
      try await writing.value
      #expect(log.surplus == 0 || log.size > ConsoleLog.limit)
      let end = try log.tail(600_000)
      #expect(end == lines(90_000..<130_000))
      // The file system of the tests may leave a hole instead, where the size stays.
      if log.size < 130_000 * 15 {
        #expect(log.start == 0 || Int(log.start) < 50_000 * 15)
        #expect(log.size <= ConsoleLog.kept + 10_000 * 15 + 4096)
      }
    }
  }

  @Test func theMarkMovesWithWhatItMarks() async throws {
    try await withLog { log, writer in
      try writer.write(contentsOf: lines(0..<115_000))
      try log.markStart()
      try writer.write(contentsOf: lines(115_000..<116_000))
      try await log.trim()
      #expect(try log.sinceStart(from: 0, atMost: 1 << 20) == lines(115_000..<116_000))
    }
  }
}
