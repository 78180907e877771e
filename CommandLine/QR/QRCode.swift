import CQrencode

/// The modules of a QR code (ISO/IEC 18004), as libqrencode makes it.
struct QRCode: Sendable {
  /// Bytes of the largest one (version 40, level L).
  private static let largest = 2953

  /// Modules a side, without the quiet zone.
  let width: Int
  private let modules: [Bool]

  /// The smallest code that holds the text; nil for an empty text, and one that does not fit. The least error
  /// correction is enough for a clean screen, and keeps it small.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard (1...Self.largest).contains(bytes.count),
      let code = QRcode_encodeData(Int32(bytes.count), bytes, 0, QR_ECLEVEL_L)
    else { return nil }
    // Safe: the code is nobody else's, is freed once, and only after its width × width bytes were copied (qrencode.h).
    defer { QRcode_free(code) }
    width = Int(code.pointee.width)
    modules = UnsafeBufferPointer(start: code.pointee.data, count: width * width).map { $0 & 1 == 1 }
  }

  /// Whether a module is dark; those outside are the light quiet zone.
  func isDark(row: Int, column: Int) -> Bool {
    (0..<width).contains(row) && (0..<width).contains(column) && modules[row * width + column]
  }
}
