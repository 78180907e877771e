import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

/// The shell of `iaas`, against the stack and a guest: by a pipe, and as somebody who types.
extension SystemTests {
  /// Runs the command with a login of its own.
  private func iaas(
    _ arguments: [String] = [], input: String, folder: String, terminal: Bool = false
  ) async throws -> (status: Int32?, out: String, err: String) {
    let input = (terminal ? input : input + "\n", "\(folder)/input")
    try input.0.write(toFile: input.1, atomically: true, encoding: .utf8)
    let program = ["\(try TestEnvironment.required("BIN"))/iaas"] + arguments
    let driver = terminal ? ["\(TestEnvironment.root.path)/Tests/Terminal/drive"] : []
    let command = (driver + program).map { "'\($0)'" }.joined(separator: " ")
    let environment =
      "IAAS_URL='\(try stack.description().gateway)' IAAS_CONFIG='\(folder)/iaas/config.json' TERM=xterm"
    let outcome = try await Tool.run("sh", ["-c", "\(environment) \(command) <'\(input.1)'"])
    return (outcome.status, outcome.output, outcome.errors)
  }

  private func adminPassword() throws -> String {
    try String(contentsOfFile: "\(stack.state)/secrets/admin-password", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// An image that can be made into a machine, by a name that nobody else has.
  private func serving(_ body: (String) async throws -> Void) async throws {
    let path = try TestEnvironment.required("IAAS_TEST_GUEST")
    try await FileServer.serving(folder: (path as NSString).deletingLastPathComponent) { url in
      try await body("\(url)/\((path as NSString).lastPathComponent)")
    }
  }

  @Test func aScriptIsCarriedOutThroughAPipe() async throws {
    let mark = String(UUID().uuidString.prefix(8)).lowercased()
    try await TestEnvironment.withFolder { folder in
      try await serving { url in
        let begun = try await iaas(
          ["-e"],
          input: """
            # Everything that does not need an id.
            login admin '\(try adminPassword())'
            host ls state = 'up'
            user add pipe-\(mark) 'a long password'
            user list email = 'pipe-\(mark)'
            image add \(url) img-\(mark) "made by a script"
            image ls name = 'img-\(mark)'
            image share img-\(mark) pipe-\(mark)
            image shares img-\(mark)
            image unshare img-\(mark) pipe-\(mark)
            vm add img-\(mark) 128M
            """, folder: folder)
        #expect(begun.status == 0, "\(begun)")
        #expect(!begun.out.contains("Welcome!") && !begun.out.contains("cli>"))
        #expect(begun.out.contains("pipe-\(mark)") && begun.out.contains("img-\(mark)"))
        // The VM is the last row of all.
        let id = String(begun.out.split(separator: "\n").last?.split(separator: " ").first ?? "")
        #expect(VMID(id) != nil, "\(begun.out)")
        let used = try await iaas(
          ["-e"],
          input: """
            vm start \(id)
            vm ls id = '\(id)' AND state = 'running'
            vm share \(id) pipe-\(mark)
            vm shares \(id)
            vm unshare \(id) pipe-\(mark)
            vm stop \(id)
            vm save \(id) snap-\(mark) "as it was"
            vm rm \(id)
            image rm snap-\(mark)
            image rm img-\(mark)
            user rm pipe-\(mark)
            exit
            vm rm never-reached
            """, folder: folder)
        #expect(used.status == 0, "\(used)")
        #expect(used.out.contains("  running  ") && used.out.contains("snap-\(mark)"))
        let failing = try await iaas(["-e"], input: "vm start \(id)\nhelp", folder: folder)
        #expect(failing.status == 3 && failing.out.isEmpty && failing.err.contains("There is no"), "\(failing)")
        let going = try await iaas(input: "vm start \(id)\nhelp", folder: folder)
        #expect(going.status == 0 && going.out.contains("vm unshare <vmId> <userId>"), "\(going)")
      }
    }
  }

  @Test func theShellIsUsedAtATerminal() async throws {
    let mark = String(UUID().uuidString.prefix(8)).lowercased()
    try await TestEnvironment.withFolder { folder in
      try await serving { url in
        let typed = try await iaas(
          input: #"""
            within 120
            expect Welcome!
            expect cli> 
            send help\n
            expect vm unshare <vmId> <userId>
            expect cli> 
            send login admin\n
            expect Password of admin: 
            send \#(try adminPassword())\n
            expect Logged in to
            expect cli> 
            send host ls\n
            expect 127.0.0.1:
            expect cli> 
            send host add 127.0.0.1:1 nobody secret-\#(mark)\n
            expect iaas: 
            expect cli> 
            send host rm nohost\n
            expect There is no host
            expect cli> 
            send user add typed-\#(mark) 'a long password'\n
            expect typed-\#(mark)
            expect cli> 
            send user list email = 'typed-\#(mark)'\n
            expect ADMIN
            expect cli> 
            send image add \#(url) img-\#(mark) "typed by hand"\n
            expect available
            expect cli> 
            send image ls name = 'img-\#(mark)'\n
            expect img-\#(mark)
            expect cli> 
            send image share img-\#(mark) typed-\#(mark)\n
            expect owner
            expect cli> 
            send image shares img-\#(mark)\n
            expect typed-\#(mark)
            expect cli> 
            send this is not\x03
            expect cli> 
            send vm strat x\n
            expect did you mean "vm start"?
            expect cli> 
            send login typed-\#(mark) 'a long password'\n
            expect Logged in to
            expect cli> 
            send vm add img-\#(mark) 128M\n
            expect stopped
            expect cli> 
            send vm sta\tv\t\n
            expect running
            expect cli> 
            send vm share v\tadmin\n
            expect admin
            expect cli> 
            send vm shares v\t\n
            expect owner
            expect cli> 
            send vm unshare v\tadmin\n
            expect cli> 
            send vm ls state = 'running'\n
            expect running
            expect cli> 
            send vm stop v\t\n
            expect stopped
            expect cli> 
            send vm save v\tsnap-\#(mark) "as it was"\n
            expect available
            expect cli> 
            send image rm snap-\#(mark)\n
            expect Remove the image snap-\#(mark)
            expect [y/N]
            send n\n
            expect Nothing was removed.
            expect cli> 
            send vm rm v\t\n
            expect and its disk? [y/N]
            send y\n
            expect Removed the VM
            expect cli> 
            send login admin\n
            expect Password of admin: 
            send \#(try adminPassword())\n
            expect Logged in to
            expect cli> 
            send image unshare img-\#(mark) typed-\#(mark)\n
            expect cli> 
            send user rm typed-\#(mark)\n
            expect with all of their 1 images that nobody else owns? [y/N]
            send y\n
            expect Removed the user
            expect cli> 
            send image rm img-\#(mark)\n
            expect [y/N]
            send y\n
            expect Removed the image
            expect cli> 
            send exit\n
            """#, folder: folder, terminal: true)
        #expect(typed.status == 0, "\(typed.err)\n\(typed.out)")
        // What was typed unseen is not on the screen.
        let password = try adminPassword()
        #expect(!typed.out.contains(password))
        let history = "\(folder)/iaas/config.json.history"
        let kept = try String(contentsOfFile: history, encoding: .utf8)
        #expect(
          kept.contains("login") && !kept.contains("long") && !kept.contains("secret-") && !kept.contains(password))
        let mode = try FileManager.default.attributesOfItem(atPath: history)[.posixPermissions] as? Int
        #expect(mode == 0o600)
      }
    }
  }

  /// A guest is spoken to at its serial console, by two at once; the VM's end is the console's.
  @Test func aGuestIsSpokenToAtItsConsole() async throws {
    let image = try await image()
    try await TestEnvironment.withFolder { folder in
      let request = NewVM(image: image.id, mem: 128, vcpus: 1, disk: nil, name: "spoken", sshKeys: [], start: true)
      let id = try await admin.call(.POST, "/iaas/vms", request, headers: Self.untilSSH).json(VM.self).id
      let login = try await iaas(["login", "admin", adminPassword()], input: "", folder: folder)
      #expect(login.status == 0, "\(login)")
      // Whoever only listens hears the same.
      let url = try stack.description().gateway
      async let heard = Shell.run(
        "sh", "-c",
        "curl -sSN --max-time 60 -H 'Authorization: \(admin.token ?? "")' \(url)/iaas/vms/\(id)/console/live; true")
      let sat = try await iaas(
        ["vm", "console", id.description],
        input: #"""
          within 60
          expect Ctrl-] leaves.
          pause 2
          send \n
          expect # 
          send echo said$((40+2))\n
          expect said42
          send \x1d
          """#, folder: folder, terminal: true)
      #expect(sat.status == 0, "\(sat)")
      let stopped = try await admin.call(.PUT, "/iaas/vms/\(id)", ["state": "stop"], headers: Self.patient)
      #expect(stopped.status == 200, "\(stopped)")
      let listened = try await heard
      #expect(listened.contains("said42"), "\(listened)")
      let off = try await admin.call(.POST, "/iaas/vms/\(id)/console", ["input": "x"])
      #expect(off.status == 409 && off.text.contains("off"), "\(off)")
      try await remove(id)
    }
  }
}
