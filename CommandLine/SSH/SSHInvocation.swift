import Models

/// How `ssh` is called. It gets its arguments as they are: no shell reads them here.
struct SSHInvocation: Equatable, Sendable {
  let vm: UUIDText
  let address: GuestAddress
  let user: String
  let trust: HostTrust
  /// The absolute path of the file that holds the guest's host keys, and no others.
  let knownHosts: String
  /// What runs in the guest; nothing for a shell.
  let command: [String]

  /// The name under which the guest's keys are known, whatever its address is at the time.
  static func alias(of vm: UUIDText) -> String { "iaas-\(vm)" }

  /// - Throws: `CommandFailure` when the user or the path cannot be passed on as what they are.
  func program() throws -> Program {
    let options = [
      "HostKeyAlias=\(Self.alias(of: vm))", "UserKnownHostsFile=\(try Self.quoted(path: knownHosts))",
      "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=\(trust == .firstSeen ? "accept-new" : "yes")",
      "CheckHostIP=no", "UpdateHostKeys=no",
      // A connection that is open already was made to whoever had the address then.
      "ControlPath=none",
    ]
    // After `--` comes the address, and behind that ssh looks for options no more.
    return Program(
      arguments: ["ssh"] + options.flatMap { ["-o", $0] } + ["-l", try Self.checked(user: user), "--"]
        + ["\(address)"] + command)
  }

  /// - Throws: `CommandFailure` `usage` for what is no name of an account.
  static func checked(user: String) throws -> String {
    guard user.utf8.count <= 64, user.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9_.@-]*/) != nil else {
      throw CommandFailure(.usage, "\"\(user)\" is not the name of an account.")
    }
    return user
  }

  /// The path as one word of ssh_config(5), in which percent signs begin tokens.
  /// - Throws: `CommandFailure` for what has no spelling there.
  static func quoted(path: String) throws -> String {
    let isPlain = path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f && $0 != "\"" && $0 != "\\" }
    guard path.hasPrefix("/"), isPlain, !path.contains("${") else {
      throw CommandFailure(.failed, "The folder of the configuration has a name that ssh cannot be told: \(path)")
    }
    return "\"\(path.replacing("%", with: "%%"))\""
  }
}
