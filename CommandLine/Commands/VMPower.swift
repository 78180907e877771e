import ArgumentParser
import Models

// The verbs that switch a VM.

struct StartVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start a VM.",
    discussion: "Example: iaas vm start web1 --wait ssh")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: GuestWaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .start, to: .running, wait, output(context))
  }
}

struct StopVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Shut a VM down.",
    discussion: "Example: iaas vm stop web1")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .stop, to: .stopped, wait, output(context))
  }
}

struct RebootVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "reboot", abstract: "Let the guest of a VM start again.",
    discussion: "Example: iaas vm reboot web1 --wait ssh")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: GuestWaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .reboot, to: .running, wait, output(context))
  }
}

struct ResetVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "reset", abstract: "Start a VM again as by its reset button.",
    discussion: """
      What the guest has not written to its disk is lost.

      Example: iaas vm reset web1
      """)

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: GuestWaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .reset, to: .running, wait, output(context))
  }
}

struct PauseVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Hold a VM still; it keeps its memory.",
    discussion: "Example: iaas vm pause web1")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: WaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .pause, to: .paused, wait, output(context))
  }
}

struct ResumeVM: Verb {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let a paused VM go on.",
    discussion: "Example: iaas vm resume web1")

  @OptionGroup var common: CommonOptions
  @OptionGroup var wait: GuestWaitOptions

  @Argument(help: "Its id, the beginning of its id, or its name.")
  var vm: String

  func run(in context: CommandContext) async throws {
    try await context.changePower(vm, .resume, to: .running, wait, output(context))
  }
}
