import Foundation
import ServiceKit

/// What a guest wrote to its serial console. QEMU appends to the file, or virtlogd does, which begins a new one when it is
/// large; the file's beginning is given up where it would grow without end.
///
/// All calls block for the time of small file work, so they belong on a queue of their own.
struct ConsoleLog: Sendable {
  let paths: VMPaths

  /// Bytes that are kept, and those at which the rest is given up.
  static let kept: Int64 = 1 << 20
  static let limit: Int64 = 3 << 19

  /// Bytes in the file, and bytes that it takes on the disk.
  private var sizes: (size: Int64, allocated: Int64) {
    var status = stat()
    guard stat(paths.consoleLog, &status) == 0 else { return (0, 0) }
    return (Int64(status.st_size), Int64(status.st_blocks) * 512)
  }

  var size: Int64 { sizes.size }

  /// The last bytes, at most so many, with those of the file that virtlogd put aside where the present one is short.
  func tail(_ count: Int) throws -> Data {
    let present = try Self.tail(of: paths.consoleLog, count)
    guard present.count < count else { return present }
    return try Self.tail(of: paths.consoleLog + ".0", count - present.count) + present
  }

  private static func tail(of path: String, _ count: Int) throws -> Data {
    var status = stat()
    guard stat(path, &status) == 0 else { return Data() }
    return try bytes(of: path, from: max(0, Int64(status.st_size) - Int64(count)), count: count)
  }

  private static func bytes(of path: String, from offset: Int64, count: Int) throws -> Data {
    guard let file = FileHandle(forReadingAtPath: path) else { return Data() }
    defer { try? file.close() }
    try file.seek(toOffset: UInt64(offset))
    return try file.read(upToCount: count) ?? Data()
  }

  /// Remembers that what is written from now on belongs to a new start.
  /// - Throws: `FileError`.
  func markStart() throws { try mark(size) }

  private func mark(_ offset: Int64) throws {
    try PrivateFile.write(Data(String(offset).utf8), to: paths.consoleMark)
  }

  private var marked: Int64 {
    let text = FileManager.default.contents(atPath: paths.consoleMark).map { String(decoding: $0, as: UTF8.self) }
    return text.flatMap { Int64($0) } ?? 0
  }

  /// Where the present start begins. A file that is shorter than it was then is a new one.
  var start: Int64 { marked <= size ? marked : 0 }

  /// What was written since the start, from an offset on if that is later; at most so many bytes, those at the end.
  func sinceStart(from offset: Int64, atMost count: Int64) throws -> Data {
    let (size, start) = (size, start)
    let from = max(start, offset, size - count)
    return from < size ? try Self.bytes(of: paths.consoleLog, from: from, count: Int(size - from)) : Data()
  }

  /// Bytes at the file's beginning that can be given up: whole blocks, as the file system demands; 0 when there is no need.
  var surplus: Int64 {
    var status = stat()
    guard stat(paths.consoleLog, &status) == 0, sizes.allocated > Self.limit else { return 0 }
    let block = max(4096, Int64(status.st_blksize))
    return max(0, (Int64(status.st_size) - Self.kept) / block * block)
  }

  /// Gives up the beginning of the file, without holding up who writes: the rest moves to the front, and where the file
  /// system cannot do that, the beginning becomes a hole.
  func trim() async throws {
    let surplus = surplus
    guard surplus > 0 else { return }
    func fallocate(_ mode: String) async throws -> Tool.Outcome {
      try await Tool.run("fallocate", [mode, "--offset", "0", "--length", String(surplus), paths.consoleLog])
    }
    if try await fallocate("--collapse-range").succeeded {
      try mark(max(0, marked - surplus))
      return
    }
    let outcome = try await fallocate("--punch-hole")
    guard outcome.succeeded else { throw FileError(path: paths.consoleLog, code: EOPNOTSUPP) }
  }
}
