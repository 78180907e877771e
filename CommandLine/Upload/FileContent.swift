import Dispatch
import Foundation
import Synchronization

/// A file that is sent piece by piece, and never held as a whole.
final class FileContent: Sendable {
  /// Bytes of a piece.
  static let pieceSize = 256 << 10

  let path: String
  let length: Int64
  private let descriptor: Int32
  private let queue = DispatchQueue(label: "FileContent")
  private let handedOut = Mutex<Int64>(0)

  /// Opens the file.
  /// - Throws: `CommandFailure` `usage` for what is no file, has no content, or cannot be read.
  init(path: String) throws {
    // Without O_NONBLOCK a named pipe would hold the opening up until someone writes to it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Self.cannotRead(path, .usage) }
    do { length = try Self.length(descriptor, path) } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The name without the folders.
  var name: String { (path as NSString).lastPathComponent }

  /// Whether all of it was taken by who sends it.
  var isExhausted: Bool { handedOut.withLock { $0 } == length }

  /// The piece at an offset; nil at the end.
  /// - Throws: `CommandFailure` when it cannot be read, or the file is not as long as it was.
  fileprivate func piece(at offset: Int64) async throws -> Data? {
    guard offset < length else { return nil }
    let piece = try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try self.read(at: offset) }) }
    }
    handedOut.withLock { $0 = offset + Int64(piece.count) }
    return piece
  }

  private func read(at offset: Int64) throws -> Data {
    var piece = Data(count: Int(min(length - offset, Int64(Self.pieceSize))))
    let count = piece.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
    guard count >= 0 else { throw Self.cannotRead(path, .failed) }
    guard count > 0, try Self.status(descriptor, path).st_size == length else {
      throw CommandFailure(.failed, "\(path) changed its length while it was sent.")
    }
    return piece.prefix(count)
  }

  private static func length(_ descriptor: Int32, _ path: String) throws -> Int64 {
    let status = try status(descriptor, path)
    guard status.st_mode & S_IFMT == S_IFREG else { throw CommandFailure(.usage, "\(path) is not a file.") }
    guard status.st_size > 0 else { throw CommandFailure(.usage, "\(path) is empty.") }
    return Int64(status.st_size)
  }

  private static func status(_ descriptor: Int32, _ path: String) throws -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw cannotRead(path, .failed) }
    return status
  }

  private static func cannotRead(_ path: String, _ status: CommandStatus) -> CommandFailure {
    CommandFailure(status, "Cannot read \(path): \(String(cString: strerror(errno))).")
  }
}

/// The pieces of a file, one read after the other was taken.
struct FilePieces: AsyncSequence, Sendable {
  let content: FileContent
  /// Is told how many bytes were handed out in all.
  let report: @Sendable (Int64) -> Void

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let pieces: FilePieces
    private var offset: Int64 = 0

    fileprivate init(pieces: FilePieces) { self.pieces = pieces }

    mutating func next() async throws -> Data? {
      guard let piece = try await pieces.content.piece(at: offset) else { return nil }
      offset += Int64(piece.count)
      pieces.report(offset)
      return piece
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }
}
