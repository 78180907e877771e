import Models
import ServiceKit

enum WritableFileProbe {
  /// What writing to a device that is always full comes to.
  static func full() throws -> ErrorCode? {
    let file = try WritableFile(path: "/dev/full")
    do { try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try file.write($0) } } catch {
      return ServiceError.of(error).code
    }
    return nil
  }
}
