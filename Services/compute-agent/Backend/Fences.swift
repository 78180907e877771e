import Blocking
import Foundation
import Models
import ServiceKit

/// The highest fences seen, on disk: of this host, and of each VM, also of those removed. A late command is refused,
/// whatever happened to this process in between; that is noted before anything is done.
actor Fences {
  private nonisolated let executor = QueueExecutor(label: "fences")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private struct Step: Comparable {
    var generation: Int64
    var epoch: Int64

    static func < (first: Self, second: Self) -> Bool {
      (first.generation, first.epoch) < (second.generation, second.epoch)
    }
  }

  private let folder: String
  private var host: Int64?
  private var seen: [VMID: Step] = [:]

  /// Bytes that are kept taken, so that on a full disk what makes room can still be noted.
  private static let reserved = 256 << 10

  init(folder: String) throws {
    self.folder = folder
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try? Self.reserve(in: folder)
  }

  private var hostPath: String { "\(folder)/host" }

  /// Notes a command for this host.
  /// - Throws: `stale_generation` when the host was given up since, `FileError`.
  func accept(host number: Int64) throws {
    let highest = try host ?? numbers(in: hostPath)?.first ?? 0
    host = highest
    guard number >= highest else {
      throw ServiceError(.staleGeneration, "This command is of a time before the host was given up.")
    }
    guard number > highest else { return }
    try write(String(number), to: hostPath)
    host = number
  }

  /// Notes a command for a VM, in what of the fence is the VM's.
  /// - Throws: `stale_generation` when a later one was seen, `FileError`.
  func accept(_ fence: Fence, of id: VMID) throws {
    let path = "\(folder)/\(id)"
    let step = Step(generation: fence.generation, epoch: fence.epoch)
    let highest = try seen[id] ?? self.step(in: path)
    guard step >= highest else {
      throw ServiceError(.staleGeneration, "A later change of this VM has been seen already.")
    }
    if step > highest { try write("\(step.generation) \(step.epoch)", to: path) }
    seen[id] = step
  }

  /// Lets the installation count this host anew, as one that was removed and added again.
  /// - Throws: `FileError`.
  func forgetHost() throws {
    try write("0", to: hostPath)
    host = 0
  }

  /// A file with one number is of a time before epochs.
  private func step(in path: String) throws -> Step {
    guard let numbers = try numbers(in: path) else { return Step(generation: 0, epoch: 0) }
    return Step(generation: numbers[0], epoch: numbers.count > 1 ? numbers[1] : 0)
  }

  /// Nil when there is no such file. One that is damaged must not count as none.
  private func numbers(in path: String) throws -> [Int64]? {
    guard let data = FileManager.default.contents(atPath: path) else {
      guard access(path, F_OK) == 0 else { return nil }
      throw FileError(path: path, code: EIO)
    }
    let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    let numbers = words.compactMap { Int64($0) }
    guard numbers.count == words.count, (1...2).contains(numbers.count) else {
      throw ServiceError(
        .internalError, "The host's record of what it was told is damaged; its agent's log names the file.",
        detail: path)
    }
    return numbers
  }

  private func write(_ text: String, to path: String) throws {
    do { try Self.write(Data(text.utf8), to: path) } catch let error as FileError where error.code == ENOSPC {
      unlink(Self.reserve(of: folder))
      try Self.write(Data(text.utf8), to: path)
    }
    try? Self.reserve(in: folder)
  }

  private static func write(_ data: Data, to path: String) throws {
    let file = try WritableFile(path: path + ".part")
    try data.withUnsafeBytes { try file.write($0) }
    try file.flush()
    try Files.place(path + ".part", as: path)
  }

  private static func reserve(of folder: String) -> String { "\(folder)/reserve" }

  /// Takes the reserve, unless it is taken or there is no room for it.
  private static func reserve(in folder: String) throws {
    let path = reserve(of: folder)
    guard access(path, F_OK) != 0, try Files.freeSpace(at: folder) > 64 * Int64(reserved) else { return }
    try write(Data(count: reserved), to: path)
  }
}
