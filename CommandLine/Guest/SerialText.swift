import Foundation

/// What a guest wrote to its serial console, as lines to read.
enum SerialText {
  /// The text without colours and movements of the cursor (ECMA-48, 5.4; a command string ends with BEL or ST), with
  /// one kind of line end, and an end of its last line.
  static func readable(_ bytes: Data) -> String {
    let sequences =
      /\x{1B}(?:\[[0-?]*[ -\/]*[@-~]|[\]PX^_][^\x{07}\x{1B}]*(?:\x{07}|\x{1B}\\)?|[ -\/]*[0-Z\\a-~])/
      .matchingSemantics(.unicodeScalar)
    let breaks = /\r+\n?/.matchingSemantics(.unicodeScalar)
    let text = String(decoding: bytes, as: UTF8.self).replacing(sequences, with: "").replacing(breaks, with: "\n")
      .replacing("\t", with: "    ")
    return text.isEmpty || text.hasSuffix("\n") ? text : text + "\n"
  }
}
