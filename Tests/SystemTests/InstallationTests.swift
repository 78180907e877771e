import Foundation
import TestSupport
import Testing

/// What an administrator has the scripts do.
@Suite(.timeLimit(.minutes(5))) struct InstallationTests {
  @Test func anInstallationIsLostAndBroughtBack() async throws {
    try await Shell.run(Self.path("Tests/Backup/check"))
  }

  /// Secrets are their readers' alone, random, and the same for whoever shares one; a second run changes nothing.
  @Test func secretsAreMadeOnce() async throws {
    try await TestEnvironment.withFolder { folder in
      try await Shell.run("cp", "-r", Self.path("Deploy"), Self.path(".env.example"), folder)
      try await Shell.run("\(folder)/Deploy/init", "iaas.example.org")
      let made = try await Self.secrets(in: folder)
      #expect(made.allSatisfy { $0.mode == "600" } && made.count == 12)
      #expect(Set(made.map(\.owner)) == ["0", "999", "10001", "10002", "10003"])
      #expect(Set(made.filter { $0.name.hasPrefix("caller") }.map(\.digest)).count == 1)
      #expect(Set(made.map(\.digest)).count == made.count - 2)
      let environment = try String(contentsOfFile: "\(folder)/.env", encoding: .utf8)
      #expect(environment.contains("\nDOMAIN=iaas.example.org\n"))

      try await Shell.run("\(folder)/Deploy/init")
      #expect(try await Self.secrets(in: folder) == made)
      #expect(try String(contentsOfFile: "\(folder)/.env", encoding: .utf8) == environment)

      // What others have too is brought back, and copies follow.
      for lost in ["caller-gateway", "caller-auth", "postgres-auth", "postgres-inventory", "postgres-roles"] {
        try await Shell.run("bash", "-c", "\(Self.elevation)rm '\(folder)/secrets/\(lost)'")
        if lost == "postgres-roles" { break }
        try await Shell.run("\(folder)/Deploy/init")
        #expect(try await Self.secrets(in: folder) == made, "\(lost)")
      }
      try await Shell.run("bash", "-c", "\(Self.elevation)rm '\(folder)/secrets/postgres-auth'")
      try await Shell.run("\(folder)/Deploy/init")
      let anew = try await Self.secrets(in: folder)
      let changed = Set(zip(made, anew).filter { $0 != $1 }.map(\.0.name))
      #expect(changed == ["postgres-auth", "postgres-roles"])

      try await Shell.run("\(folder)/Deploy/init", "iaas.lan")
      let local = try String(contentsOfFile: "\(folder)/.env", encoding: .utf8)
      #expect(local.contains("\nDOMAIN=iaas.lan\n") && local.contains("\nCADDY_TLS=tls internal\n"))
    }
  }

  /// Every variable of compose.yml is explained, and none is that is not there.
  @Test func everySettingOfTheContainersIsExplained() throws {
    let compose = try Self.content("compose.yml")
    let used = Set(compose.matches(of: /\$\{([A-Z_]+)/).map { String($0.1) })
    let example = try Self.content(".env.example")
    let explained = Set(example.matches(of: /(?m)^([A-Z_]+)=/).map { String($0.1) })
    #expect(used == explained)
  }

  /// The services are built once: their Dockerfiles begin with the same stage.
  @Test func theServicesShareTheirBuild() throws {
    let names = ["auth-service", "compute-agent", "gateway", "iaas", "inventory-service"]
    let stages = try names.map { name in
      let text = try Self.content("Dockerfiles/\(name)")
      return try #require(text.firstRange(of: "# --- end of build ---").map { text[..<$0.lowerBound] })
    }
    #expect(Set(stages).count == 1)
  }

  /// What stands before a command that root has to carry out.
  private static let elevation = geteuid() == 0 ? "" : "sudo "

  private struct Secret: Equatable {
    let name: String, mode: String, owner: String, digest: String
  }

  private static func secrets(in folder: String) async throws -> [Secret] {
    // They are others' files: who reads them here may have to be root.
    let script = """
      cd '\(folder)/secrets' && for name in *; do
        echo "$name $(stat -c '%a %u' "$name") $(sha256sum "$name" | cut -c 1-64)"
      done
      """
    let lines = try await Shell.run("bash", "-c", "\(elevation)bash <<'SCRIPT'\n\(script)\nSCRIPT")
    return lines.split(separator: "\n").map { line in
      let words = line.split(separator: " ").map(String.init)
      return Secret(name: words[0], mode: words[1], owner: words[2], digest: words[3])
    }
  }

  private static func path(_ name: String) -> String { TestEnvironment.root.appendingPathComponent(name).path }

  private static func content(_ name: String) throws -> String {
    try String(contentsOfFile: path(name), encoding: .utf8)
  }
}
