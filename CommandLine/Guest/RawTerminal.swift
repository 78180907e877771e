import Dispatch
import Foundation

/// A terminal whose every key goes to somebody else's program, until Ctrl-] is pressed.
final class RawTerminal: Sendable {
  /// What leaves: Ctrl-], as telnet and virsh have it.
  private static let escape: UInt8 = 0x1d

  private let original: termios
  private let wake: (reading: Int32, writing: Int32)
  /// What is typed, in whole characters; it ends with the key that leaves, and with the input.
  let typed: AsyncStream<String>

  /// - Returns: Nil when standard input is no terminal.
  init?() {
    var settings = termios()
    guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
    original = settings
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    wake = (ends[0], ends[1])
    cfmakeraw(&settings)
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    let (typed, continuation) = AsyncStream.makeStream(of: String.self)
    self.typed = typed
    let waking = ends[0]
    // A thread of its own, because it waits for keys.
    Thread.detachNewThread {
      Self.read(waking, continuation)
      continuation.finish()
    }
  }

  /// Makes the terminal as it was.
  func restore() {
    var settings = original
    var byte: UInt8 = 0
    _ = write(wake.writing, &byte, 1)
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  private static func read(_ wake: Int32, _ typed: AsyncStream<String>.Continuation) {
    var pending: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1024)
    while true {
      var events = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&events, 2, -1) >= 0 || errno == EINTR else { return }
      if events[1].revents != 0 { return }
      guard events[0].revents != 0 else { continue }
      let count = Foundation.read(STDIN_FILENO, &buffer, buffer.count)
      guard count > 0 else { return }
      let left = buffer[..<count].firstIndex(of: escape)
      pending += buffer[..<(left ?? count)]
      let whole = wholeCharacters(pending)
      if whole > 0 { typed.yield(String(decoding: pending[..<whole], as: UTF8.self)) }
      pending.removeFirst(whole)
      if left != nil { return }
    }
  }

  /// How many of the bytes are not the beginning of a character of which the rest is still to come.
  static func wholeCharacters(_ bytes: [UInt8]) -> Int {
    for back in 1...3 where bytes.count >= back {
      let byte = bytes[bytes.count - back]
      guard byte & 0xc0 != 0x80 else { continue }
      let length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return length > back ? bytes.count - back : bytes.count
    }
    return bytes.count
  }
}
