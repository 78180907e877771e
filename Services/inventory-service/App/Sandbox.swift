import Foundation
import Models
import ServiceKit

/// Runs qemu-img on hostile files: as nobody, without a network, seeing the system's programs and the files it is given and
/// nothing else, and bounded in memory, processor time and output.
struct Sandbox: Sendable {
  /// Bytes of address space, and seconds of processor time.
  private static let memory: Int64 = 4 << 30
  private static let processorSeconds = 1800
  private static let nobody: UInt32 = 65_534

  /// What of the host the programs may read.
  private static let system = [
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink",
    "usr/lib64", "/lib64", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind-try",
    "/etc/alternatives", "/etc/alternatives", "--dev", "/dev",
  ]

  /// Makes a sandbox around a file in the folder, and writes to it there.
  /// - Throws: `SettingsError` when this machine does not let us: no image is looked at without a sandbox.
  static func probe(in folder: String) async throws {
    let path = "\(folder)/probe.\(getpid())"
    guard FileManager.default.createFile(atPath: path, contents: nil) else {
      throw SettingsError("The image store \(folder) cannot be written.")
    }
    defer { unlink(path) }
    let outcome = try? await run(
      ["cp", "/usr/bin/true", "/target"], files: [File(path: path, name: "/target", isWritable: true)],
      outputLimit: 1 << 30)
    guard let outcome, outcome.succeeded else {
      throw SettingsError(
        """
        Images cannot be imported safely: bubblewrap cannot make a sandbox here. Install the package bubblewrap, let every \
        account enter the folders above the image store (chmod o+x), and allow user namespaces (sysctl \
        user.max_user_namespaces; in a container, a seccomp profile that allows them). It said: \
        \(Text.printable(outcome?.errors ?? "it is not installed", limit: 300))
        """)
    }
  }

  /// Whether it was the sandbox that failed, and not the program in it.
  static func failed(_ outcome: Tool.Outcome) -> Bool {
    ["bwrap:", "setpriv:", "prlimit:"].contains { outcome.errors.hasPrefix($0) }
  }

  /// A file that the program sees under another name.
  struct File: Sendable {
    let path: String
    let name: String
    let isWritable: Bool
  }

  /// - Parameters:
  ///   - files: Existing files; they are nobody's for the time when this process is root.
  ///   - outputLimit: Bytes to which a file may grow.
  static func run(_ command: [String], files: [File], outputLimit: Int64) async throws -> Tool.Outcome {
    let isRoot = geteuid() == 0
    if isRoot {
      for file in files where chown(file.path, nobody, nobody) != 0 { throw FileError(path: file.path, code: errno) }
    }
    defer { if isRoot { for file in files { chown(file.path, 0, 0) } } }
    let dropping =
      isRoot ? ["setpriv", "--reuid=\(nobody)", "--regid=\(nobody)", "--clear-groups", "--no-new-privs"] : []
    let bounds = [
      "prlimit", "--as=\(memory)", "--cpu=\(processorSeconds)", "--fsize=\(outputLimit)", "--core=0", "--nofile=64",
    ]
    let binds = files.flatMap { [$0.isWritable ? "--bind" : "--ro-bind", $0.path, $0.name] }
    // Nothing of our environment, which a process of the sandbox could read as that of its first one.
    let words =
      ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + dropping + bounds + [
        "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
      ] + system
      + binds + ["--chdir", "/", "--clearenv", "--setenv", "PATH", "/usr/bin"] + command
    return try await Tool.run(words[0], Array(words.dropFirst()))
  }
}
