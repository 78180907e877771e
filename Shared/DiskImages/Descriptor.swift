import Foundation
import Models

/// An open file: the sole owner of its descriptor, which is closed once. Calls that a signal interrupts are made again.
final class Descriptor {
  private let path: String
  /// -1 once closed.
  private var number: Int32

  /// Opens a file to read it from its beginning.
  /// - Throws: `internal_error`.
  convenience init(reading path: String) throws { try self.init(path, O_RDONLY) }

  /// Creates a file that only this user may read, or empties the one there is.
  /// - Throws: `no_space` or `internal_error`.
  convenience init(creating path: String) throws { try self.init(path, O_WRONLY | O_CREAT | O_TRUNC) }

  private init(_ path: String, _ flags: Int32) throws {
    self.path = path
    number = -1
    number = Int32(try check { Int(open(path, flags | O_CLOEXEC, 0o600)) })
  }

  deinit { if number >= 0 { close(number) } }

  /// Bytes.
  func size() throws -> Int64 {
    var status = stat()
    try check { Int(fstat(number, &status)) }
    return Int64(status.st_size)
  }

  /// Reads on where the last call ended.
  /// - Returns: How many bytes came, 0 at the end of the file.
  func next(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    try check { read(number, buffer.baseAddress, buffer.count) }
  }

  /// Reads a part of the file; fewer bytes than asked for where it ends.
  func bytes(at offset: Int64, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      // Safe: `filled` counts the bytes that pread wrote, and is never more than the buffer has.
      var length = 1
      while filled < count, length > 0 {
        let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count])
        length = try check { pread(number, rest.baseAddress, rest.count, off_t(offset) + off_t(filled)) }
        filled += length
      }
    }
  }

  /// Writes all bytes, in several calls if the system takes fewer at once.
  /// - Throws: `no_space` or `internal_error`.
  func put(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    var written = 0
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      written += try check { pwrite(number, rest.baseAddress, rest.count, off_t(offset) + off_t(written)) }
    }
  }

  /// Ends the file at a length, with a hole where nothing was written, and closes it. Network file systems tell only
  /// here that there was no room.
  /// - Throws: `no_space` or `internal_error`.
  func finish(length: Int64) throws {
    try check { Int(ftruncate(number, off_t(length))) }
    let closing = number
    number = -1
    // Not made again: Linux closes the descriptor even when a signal interrupts, close(2).
    guard close(closing) == 0 || errno == EINTR else { throw failure(errno) }
  }

  @discardableResult
  private func check(_ call: () -> Int) throws -> Int {
    while true {
      let result = call()
      if result >= 0 { return result }
      guard errno == EINTR else { throw failure(errno) }
    }
  }

  private func failure(_ code: Int32) -> ServiceError {
    let detail = "\(path): \(String(cString: strerror(code)))"
    switch code {
    case ENOSPC, EDQUOT, EFBIG: return ServiceError(.noSpace, "The image store is full.", detail: detail)
    default: return ServiceError(.internalError, "The image's file cannot be used.", detail: detail)
    }
  }
}
