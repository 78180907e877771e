/// By what `ssh` knows that it talks to the guest.
enum HostTrust: Equatable, Sendable {
  /// Only by these keys.
  case keys([PublicKey])
  /// By the key that it sees first, which it remembers.
  case firstSeen

  /// - Parameter lines: The guest's host keys, as the server has them.
  /// - Throws: `CommandFailure` when there are some, and none of them is one: whoever hides them gets no trust for it.
  init(_ lines: [String]?) throws {
    guard let lines, !lines.isEmpty else {
      self = .firstSeen
      return
    }
    let keys = lines.compactMap(PublicKey.init)
    guard !keys.isEmpty else {
      throw CommandFailure(.failed, "What the server has as the guest's SSH host keys is none. Nothing was connected.")
    }
    self = .keys(keys)
  }
}
