import Foundation
import Models
import ServiceKit

/// Calls of qemu-img, always with explicit formats; bounded in memory and time, and ended with the task that calls.
enum QemuImg {
  /// Bytes of address space.
  private static let memory: Int64 = 4 << 30

  /// How long something may take that does not read the whole disk, and something that does.
  static let patience: Duration = .seconds(60)
  static let longPatience: Duration = .seconds(6 * 3600)

  /// Runs it to its end.
  /// - Throws: `internal_error` after the time, `CancellationError`.
  static func run(_ arguments: [String], within time: Duration = patience) async throws -> Tool.Outcome {
    let outcome = try await withThrowingTaskGroup(of: Tool.Outcome?.self) { group in
      // prlimit becomes the program that it starts: ending the one is ending the other.
      group.addTask { try await Tool.run("prlimit", ["--as=\(memory)", "--core=0", "qemu-img"] + arguments) }
      group.addTask {
        try await Task.sleep(for: time)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    try Task.checkCancellation()
    guard let outcome else {
      throw ServiceError(.internalError, "The work on a disk took too long.", detail: "qemu-img \(arguments)")
    }
    guard outcome.status != nil else {
      throw ServiceError(.unavailable, "The work on a disk was interrupted on the host.", detail: outcome.errors)
    }
    return outcome
  }

  /// An overlay of that many GiB over another file.
  static func create(_ path: String, over base: String, gibibytes: Int) async throws {
    let outcome = try await run(["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path, "\(gibibytes)G"])
    guard outcome.succeeded else {
      throw try DiskFull.explaining(outcome, in: path, or: "The VM's disk cannot be made.")
    }
  }

  /// What the header of a file says, and of no other file.
  struct Information: Decodable, Equatable {
    let virtualSize: Int64
    let backingFile: String?
    let dataFile: String?

    private enum CodingKeys: String, CodingKey {
      case virtualSize = "virtual-size"
      case backingFile = "backing-filename"
      case specific = "format-specific"
    }

    private struct Specific: Decodable {
      struct Data: Decodable {
        let dataFile: String?
        private enum CodingKeys: String, CodingKey { case dataFile = "data-file" }
      }
      let data: Data?
    }

    init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      virtualSize = try fields.decode(Int64.self, forKey: .virtualSize)
      backingFile = try fields.decodeIfPresent(String.self, forKey: .backingFile)
      dataFile = try fields.decodeIfPresent(Specific.self, forKey: .specific)?.data?.dataFile
    }
  }

  static func information(_ path: String) async throws -> Information {
    let outcome = try await run(["info", "-f", "qcow2", "--output=json", path])
    guard outcome.succeeded,
      let information = try? JSON.decoder.decode(Information.self, from: Data(outcome.output.utf8))
    else { throw ServiceError(.internalError, "A disk cannot be read.", detail: outcome.errors) }
    return information
  }

  /// Makes the disk larger; it is never made smaller.
  static func grow(_ path: String, toGibibytes size: Int) async throws {
    guard try await information(path).virtualSize < Int64(size) << 30 else { return }
    let outcome = try await run(["resize", "-q", "-f", "qcow2", path, "\(size)G"])
    guard outcome.succeeded else {
      throw try DiskFull.explaining(outcome, in: path, or: "The VM's disk cannot be made larger.")
    }
  }

  /// The most bytes that a copy of the disk with all that it lies over will have, as far as can be told.
  static func copySize(_ path: String) async -> Int64? {
    struct Measure: Decodable { let required: Int64 }
    let arguments = ["measure", "-U", "--output=json", "-f", "qcow2", "-O", "qcow2", path]
    guard let outcome = try? await run(arguments), outcome.succeeded else { return nil }
    return (try? JSON.decoder.decode(Measure.self, from: Data(outcome.output.utf8)))?.required
  }

  /// Copies a disk that nobody writes, with all that it lies over; refused by its lock while somebody does.
  static func copy(_ path: String, to target: String) async throws {
    let outcome = try await run(["convert", "-f", "qcow2", "-O", "qcow2", path, target], within: longPatience)
    guard outcome.succeeded else {
      throw try DiskFull.explaining(outcome, in: target, or: "The VM's disk cannot be copied.")
    }
  }

  /// Writes into the header what the file lies over, and looks neither there nor where it said before.
  static func name(_ base: String, under path: String) async throws {
    let outcome = try await run(["rebase", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", base, path])
    guard outcome.succeeded else {
      throw try DiskFull.explaining(outcome, in: path, or: "The VM's disk cannot be put over its image.")
    }
  }

  /// - Throws: `corrupt`.
  static func check(_ path: String) async throws {
    // Status 3 says that clusters leak, which wastes room and harms nothing.
    let outcome = try? await run(["check", "-q", "-f", "qcow2", path], within: longPatience)
    guard let outcome, outcome.status == 0 || outcome.status == 3 else {
      try Task.checkCancellation()
      throw ServiceError(
        .corrupt, "The VM's disk is damaged.", detail: outcome.map { String($0.errors.prefix(2000)) } ?? path)
    }
  }
}
