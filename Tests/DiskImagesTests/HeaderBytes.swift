import DiskImages
import Models

/// A qcow2 file of 4 clusters: the header, a reference table, a block of references, an L1 table of one entry.
struct HeaderBytes {
  var clusterBits: UInt64 = 12
  var size: UInt64 = 1 << 20
  var features: UInt64 = 0
  var compatible: UInt64 = 0
  /// Type and content.
  var extensions: [(UInt32, [UInt8])] = []

  var bytes: [UInt8] {
    let cluster: UInt64 = 1 << clusterBits
    var bytes = [UInt8](repeating: 0, count: 4 << Int(clusterBits))
    let narrow: [(Int, UInt64)] = [(0, 0x5146_49fb), (4, 3), (20, clusterBits), (36, 1), (56, 1), (96, 4), (100, 112)]
    for (offset, value) in narrow { bytes.put(value, at: offset, width: 4) }
    let wide = [(24, size), (40, 3 * cluster), (48, cluster), (72, features), (80, compatible)]
    for (offset, value) in wide { bytes.put(value, at: offset, width: 8) }
    var offset = 112
    for (kind, content) in extensions {
      bytes.put(UInt64(kind) << 32 | UInt64(content.count), at: offset, width: 8)
      bytes.replaceSubrange((offset + 8)..<(offset + 8 + content.count), with: content)
      offset += 8 + (content.count + 7) / 8 * 8
    }
    return bytes
  }

  /// The code it is refused with, if it is.
  var code: ErrorCode? {
    let bytes = bytes
    let header = Array(bytes.prefix(DiskInspector.headerLength))
    return ErrorCode.thrown { try DiskInspector.inspect(header, fileSize: Int64(bytes.count), limit: 1 << 30) }
  }
}

extension [UInt8] {
  /// Writes a number in network order, of which the upper bytes are dropped where it is too narrow.
  mutating func put(_ value: UInt64, at offset: Int, width: Int) {
    for index in 0..<width { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * (width - 1 - index))) }
  }
}
