import ArgumentParser

/// How long a command waits for what it asked for.
struct WaitOptions: ParsableArguments {
  /// Seconds for what the server does, unless --timeout says otherwise.
  private static let standardTimeout = 600

  @Flag(name: .customLong("no-wait"), help: "Return as soon as the server has taken the request.")
  var noWait = false

  @Option(
    help: ArgumentHelp(
      "Give up waiting after this time; the server goes on. Otherwise \(standardTimeout).", valueName: "seconds"))
  var timeout: Int?

  func validate() throws { try Self.check(timeout: timeout) }

  /// Seconds for what the server does.
  var limit: Int { timeout ?? Self.standardTimeout }

  static func check(timeout: Int?) throws {
    guard (0...31_536_000).contains(timeout ?? 0) else {
      throw ValidationError("--timeout must be 0 to 31536000 seconds.")
    }
  }
}

/// How long a command waits for a VM, and for its guest.
struct GuestWaitOptions: ParsableArguments {
  @OptionGroup var change: WaitOptions

  @Option(
    help: ArgumentHelp(
      """
      Wait until the guest is that far. Without --timeout it has \(GuestWaiter.standardLimit) seconds from when the \
      server is done.
      """, valueName: "stage"))
  var wait: GuestStage?

  func validate() throws {
    guard wait == nil || !change.noWait else { throw ValidationError("Give --wait or --no-wait.") }
  }
}
