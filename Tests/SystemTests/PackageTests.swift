import Foundation
import ServiceKit
import TestSupport
import Testing

/// How hosts are set up, and the agent's package.
extension SystemTests {
  private struct Finding: Decodable {
    let name: String
    let result: String
    let found: String
  }

  private func agent(_ arguments: String...) async throws -> Tool.Outcome {
    try await Tool.run("\(try TestEnvironment.required("BIN"))/compute-agent", arguments)
  }

  @Test func aHostIsSetUpAndChecked() async throws {
    try await TestEnvironment.withFolder { folder in
      let (file, libvirt) = ("\(folder)/etc/compute-agent.conf", try stack.description().libvirt)
      let none = try await agent("doctor", "--config", file)
      #expect(none.status == 1 && none.output.contains("Run: compute-agent setup"), "\(none)")
      let made = try await agent(
        "setup", "--no-ask", "--no-start", "--config", file, "--libvirt", libvirt, "--state", "\(folder)/state",
        "--port", "0", "--address", "hv.test")
      #expect(made.status != 0 && made.errors.contains("port"), "port 0 is none: \(made)")
      let set = try await agent(
        "setup", "--no-ask", "--no-start", "--config", file, "--libvirt", libvirt, "--state", "\(folder)/state",
        "--port", "17443", "--address", "hv.test", "--images", "\(folder)/none")
      #expect(set.output.contains("iaas host add hv.test:17443 agent --fingerprint "), "\(set)")

      let checked = try await agent("doctor", "--config", file, "-o", "json")
      let findings = try JSONDecoder().decode([Finding].self, from: Data(checked.output.utf8))
      let results = Dictionary(uniqueKeysWithValues: findings.map { ($0.name, $0.result) })
      for name in ["configuration", "password", "libvirt", "network", "hard links", "tools", "port", "enrolment"] {
        #expect(results[name] == "good", "\(name): \(checked.output)")
      }
      let missing = try await agent("doctor", "--start", "--config", "\(folder)/none.conf")
      #expect(missing.status == 1)
      let started = try await agent("doctor", "--start", "--config", file)
      #expect(started.status == 0, "\(started)")

      // The agent can wait for libvirt, so its absence does not keep it from starting.
      let away = "IAAS_LIBVIRT_URI=qemu+unix:///system?socket=\(folder)/none"
      let program = "\(try TestEnvironment.required("BIN"))/compute-agent"
      let all = try await Tool.run("env", [away, program, "doctor", "--config", file])
      #expect(all.status == 1 && all.output.contains("libvirt  "), "\(all)")
      let quick = try await Tool.run("env", [away, program, "doctor", "--start", "--config", file])
      #expect(quick.status == 0 && quick.output.contains("no answer at"), "\(quick)")
    }
  }

  /// The whole of it is a script, which brings up a systemd of its own.
  @Test func thePackageAndTheUnitsWork() async throws {
    let outcome = try await Tool.run("\(TestEnvironment.root.path)/Tests/Package/check", [])
    #expect(outcome.succeeded, "\(outcome.output)\(outcome.errors)")
  }
}
