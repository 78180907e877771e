import Testing

@testable import CommandLineTool

/// Stored keys, and how keys are given.
@Suite struct KeyTests {
  private func bench() throws -> Bench {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/keys", "[\(Sample.keyJSON())]")
    bench.transport.answer("POST /iaas/keys", 201, Sample.keyJSON())
    bench.transport.answer("PUT /iaas/keys/\(Sample.key)", Sample.keyJSON(isDefault: true))
    bench.transport.answer("DELETE /iaas/keys/\(Sample.key)", 204, "")
    return bench
  }

  @Test(arguments: ["keys", "key"])
  func listing(noun: String) async throws {
    let bench = try bench()
    #expect(await bench.run(noun, "ls") == .done)
    #expect(bench.console.out.contains("\n\(Sample.key)  laptop  SHA256:x     no       c\n"))
    #expect(await bench.run(noun, "ls", "-o", "json") == .done)
    #expect(bench.console.out.hasSuffix("\n[\(Sample.keyJSON())]\n"))
  }

  @Test func adding() async throws {
    let bench = try bench()
    let file = try bench.folder.write("# mine\n\(Sample.edKey) ana@pc\n", to: "id.pub")
    for (source, isDefault) in [(file, true), ("\(Sample.edKey) ana@pc", false)] {
      #expect(
        await bench.run(["keys", "add", "laptop", source, "-o", "name"] + (isDefault ? ["--default"] : [])) == .done)
      let expected = #"{"default":\#(isDefault),"key":"\#(Sample.edKey) ana@pc","name":"laptop"}"#
      #expect(bench.body(bench.transport.requests.count - 1) == expected)
    }
    #expect(bench.console.out == "laptop\nlaptop\n")
  }

  @Test(
    arguments: [
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA BBBB\n", "\(Sample.edKey)\n\(Sample.ecKey)\n", "", "word\n",
    ])
  func whatIsNoSinglePublicKeyStaysHere(text: String) async throws {
    let bench = try bench()
    let file = try bench.folder.write(text, to: "id")
    #expect(await bench.run("keys", "add", "laptop", file) == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test func aNameThatIsTaken() async throws {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/keys", 409, #"{"detail":"Taken."}"#, type: "application/problem+json")
    #expect(await bench.run("keys", "add", "laptop", Sample.edKey) == .conflict)
  }

  @Test(arguments: [([], true), (["--off"], false)])
  func defaults(options: [String], isDefault: Bool) async throws {
    let bench = try bench()
    #expect(await bench.run(["keys", "default", "laptop"] + options) == .done)
    #expect(bench.body(1) == #"{"default":\#(isDefault)}"#)
    #expect(bench.console.out.contains("  yes      c\n"))
  }

  @Test(arguments: ["laptop", Sample.key, "0199f3a2-5555"])
  func removing(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("keys", "rm", reference) == .done)
    #expect(bench.transport.targets.last == "DELETE /iaas/keys/\(Sample.key)")
    #expect(bench.transport.targets.count == (reference == Sample.key ? 1 : 2))
  }

  @Test func aKeyThatIsNone() async throws {
    let bench = try bench()
    #expect(await bench.run("keys", "rm", "phone") == .notFound)
    #expect(bench.transport.targets == ["GET /iaas/keys"])
  }

  @Test(arguments: [(Sample.edKey, Sample.edPrint), (Sample.ecKey, Sample.ecPrint)])
  func fingerprintsAreThoseOfSSHKeygen(key: String, fingerprint: String) throws {
    for line in [key, "\(key) root@web1", "  \(key)   a comment"] {
      let read = try #require(PublicKey(line))
      #expect(read.fingerprint == fingerprint)
      #expect(read.text == key)
    }
  }

  @Test(
    arguments: [
      "", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 \(Sample.ecKey.split(separator: " ")[1])",
      "@cert-authority * \(Sample.edKey)", "* \(Sample.edKey)", "\(Sample.edKey)\n* \(Sample.ecKey)",
      "\(Sample.edKey)\u{0}", "\(Sample.edKey) a\rb", "ssh-ed25519\t\(Sample.edKey.dropFirst(12))", "ssh-ed25519 ====",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "SSH-ED25519 \(Sample.edKey.dropFirst(12))", "# \(Sample.edKey)",
      "ssh-rsa AAAA,\(Sample.edKey)", "ssh-ed25519 \(Sample.edKey.dropFirst(12))é",
      "\(Sample.edKey) \(String(repeating: "x", count: 17 << 10))",
    ])
  func hostileKeys(line: String) { #expect(PublicKey(line) == nil) }
}
