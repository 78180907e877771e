import Foundation

/// Copies a string that libvirt allocated for us and frees it.
func takeString(_ pointer: UnsafeMutablePointer<CChar>) -> String {
  defer { free(pointer) }
  return String(cString: pointer)
}

/// Copies the text of a C array of fixed length, which Swift sees as a tuple, up to its NUL or to its end.
func text<Characters>(of array: Characters) -> String {
  // Safe: reads no further than the tuple reaches, even when its NUL is missing.
  withUnsafeBytes(of: array) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// Reads a UUID through one of libvirt's `Get…UUID` functions, which fill 16 raw bytes.
func readUUID(_ read: (UnsafeMutablePointer<UInt8>?) -> Int32) throws(LibvirtError) -> UUID {
  var raw = emptyUUID
  // Safe: `uuid_t` is exactly the VIR_UUID_BUFLEN (16) bytes that libvirt writes.
  let status = withUnsafeMutableBytes(of: &raw) { read($0.bindMemory(to: UInt8.self).baseAddress) }
  try check(status)
  return UUID(uuid: raw)
}

/// Hands out the 16 raw bytes of a UUID.
func withRawUUID<Result>(_ uuid: UUID, _ body: (UnsafePointer<UInt8>?) -> Result) -> Result {
  // Safe: the bytes outlive the call, and libvirt keeps no pointer to them.
  withUnsafeBytes(of: uuid.uuid) { body($0.bindMemory(to: UInt8.self).baseAddress) }
}

/// Passes a string on unless it holds a NUL byte, at which C would silently cut it.
func refusingNUL(_ string: String) throws(LibvirtError) -> String {
  guard !string.utf8.contains(0) else { throw .refused(.invalidArgument, "a string holds a NUL byte") }
  return string
}

private let emptyUUID: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
