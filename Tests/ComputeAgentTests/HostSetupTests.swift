import Foundation
import ServiceKit
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct HostSetupTests {
  @Test func variablesAreReadAsSystemdReadsThem() {
    let text = ConfigurationText(
      """
      # A comment
      ; another
      #IAAS_HTTP_PORT=7443
      IAAS_NETWORK = no
      IAAS_NETWORK=default
        IAAS_IMAGES_DIR="/a folder/\\"x\\""
      IAAS_CA='it is $PATH'
      IAAS_NETWORK=other
      """)
    #expect(
      text.values == [
        "IAAS_NETWORK": "other", "IAAS_IMAGES_DIR": "/a folder/\"x\"", "IAAS_CA": "it is $PATH",
      ])
  }

  @Test func whatIsSetTakesThePlaceOfItsDefaultAndLeavesTheRest() {
    var text = ConfigurationText("# Heading\n\n#IAAS_HTTP_PORT=7443\nIAAS_NETWORK=default\n# end\n")
    text.set("IAAS_HTTP_PORT", "7444")
    text.set("IAAS_NETWORK", "lab")
    text.set("IAAS_IMAGES_DIR", "/a folder")
    let expected = "# Heading\n\nIAAS_HTTP_PORT=7444\nIAAS_NETWORK=lab\n# end\nIAAS_IMAGES_DIR=\"/a folder\"\n"
    #expect(text.text == expected)
    #expect(text.values["IAAS_IMAGES_DIR"] == "/a folder")
    var again = text
    again.set("IAAS_NETWORK", "lab")
    #expect(again == text)
    for value in ["a\"b", "a\\b", "a $b `c`", "", "qemu+unix:///system?socket=/run/x"] {
      text.set("IAAS_LIBVIRT_URI", value)
      #expect(ConfigurationText(text.text).values["IAAS_LIBVIRT_URI"] == value)
    }
  }

  @Test func settingUpAgainKeepsWhatIsThere() throws {
    let folder = NSTemporaryDirectory() + "iaas-s\(UUID().uuidString.prefix(6))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let setup = HostSetup(path: "\(folder)/etc/compute-agent.conf")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var answers = HostSetup.Answers()
    (answers.state, answers.user) = ("\(folder)/state", "enrol")
    var asked: [String] = []
    let first = try setup.configure(answers) { question, present in
      asked.append(question.variable)
      return question.variable == "IAAS_HTTP_PORT" ? "7555" : ""
    }
    #expect(asked == ["IAAS_HTTP_HOST", "IAAS_HTTP_PORT", "IAAS_LIBVIRT_URI", "IAAS_NETWORK", "IAAS_IMAGES_DIR"])
    #expect(first.listen.port == 7555 && first.listen.host == "0.0.0.0" && first.enrolmentUser == "enrol")
    let password = try #require(try setup.ensurePassword(at: first.passwordFile, from: nil))
    #expect(password.count == 32)
    let fingerprint = try HostSetup.ensureState(first).fingerprint
    let written = try String(contentsOfFile: setup.path, encoding: .utf8)

    let second = try setup.configure(HostSetup.Answers()) { _, _ in nil }
    #expect(try String(contentsOfFile: setup.path, encoding: .utf8) == written)
    #expect(try setup.ensurePassword(at: second.passwordFile, from: nil) == nil)
    #expect(try String(contentsOfFile: second.passwordFile, encoding: .utf8) == password + "\n")
    #expect(try HostSetup.ensureState(second).fingerprint == fingerprint)
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    #expect(try mode(second.passwordFile) == 0o600)
    #expect(try mode("\(folder)/etc") == 0o750)
    #expect(try mode("\(folder)/state") == 0o711)

    let given = "\(folder)/given"
    try "mine\nnot this\n".write(toFile: given, atomically: true, encoding: .utf8)
    #expect(try setup.ensurePassword(at: second.passwordFile, from: given) == nil)
    #expect(try String(contentsOfFile: second.passwordFile, encoding: .utf8) == "mine\n")
    answers.port = "many"
    #expect(throws: SettingsError.self) { try setup.configure(answers) { _, _ in nil } }
    #expect(try String(contentsOfFile: setup.path, encoding: .utf8) == written)
  }

  @Test func theHostIsAddedUnderTheAddressThatOthersReach() throws {
    func command(host: String, address: String?) throws -> String {
      let settings = try AgentSettings(
        .from(environment: [
          "IAAS_AGENT_STATE": "/s", "IAAS_ENROLMENT_PASSWORD_FILE": "/p", "IAAS_HTTP_HOST": host,
          "IAAS_ENROLMENT_USER": "u",
        ]))
      return HostSetup.command(settings, fingerprint: "ab", address: address)
    }
    let rest = "u --fingerprint ab --password-file /p"
    #expect(try command(host: "0.0.0.0", address: "hv.example.org") == "iaas host add hv.example.org:7443 \(rest)")
    #expect(try command(host: "0.0.0.0", address: "hv.example.org:7443") == "iaas host add hv.example.org:7443 \(rest)")
    #expect(try command(host: "192.0.2.7", address: nil) == "iaas host add 192.0.2.7:7443 \(rest)")
    #expect(try command(host: "2001:db8::7", address: nil) == "iaas host add [2001:db8::7]:7443 \(rest)")
    #expect(try !command(host: "0.0.0.0", address: nil).contains("0.0.0.0"))
  }

  @Test func findingsAreToldInColumnsAndAsJSON() throws {
    let findings = HostFindings(checks: [.good("libvirt", "9.0.0"), .bad("port", "is\u{1B}[2Jtaken")])
    #expect(
      try findings.text(.table) == "CHECK    RESULT  FOUND\nlibvirt  good    9.0.0\nport     bad     is\u{FFFD}[2Jtaken"
    )
    #expect(try findings.text(.json).hasPrefix(#"[{"found":"9.0.0","name":"libvirt","result":"good"},"#))
    #expect(findings.failures == 1 && findings.sentence == "One check failed.")
    #expect(HostFindings(checks: [.warning("clock", "")]).sentence == nil)
  }
}
