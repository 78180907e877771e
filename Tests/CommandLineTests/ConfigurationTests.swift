import Testing

@testable import CommandLineTool

@Suite struct ConfigurationTests {
  private let saved = #"{"url":"https://a.example","token":"t1","email":"ana","future":1}"#

  private func settings(_ environment: [String: String], insecure: Bool = false) throws -> Settings {
    try Settings(environment: environment, url: nil, allowInsecureHTTP: insecure)
  }

  @Test func theFileIsWrittenForItsOwnerAlone() throws {
    let folder = try TemporaryFolder()
    let file = ConfigurationFile(environment: ["HOME": folder.path])
    let login = SavedLogin(url: "https://a.example", token: "t", email: "e")
    try file.write(login)
    try file.write(login)
    #expect(try file.read() == login)
    #expect(try folder.mode(".config/iaas") == 0o700)
    #expect(try folder.mode(".config/iaas/config.json") == 0o600)
  }

  @Test func placesOfTheFile() {
    #expect(ConfigurationFile(environment: ["HOME": "/h"]).path == "/h/.config/iaas/config.json")
    #expect(ConfigurationFile(environment: ["HOME": "/h", "XDG_CONFIG_HOME": "/x"]).path == "/x/iaas/config.json")
    #expect(ConfigurationFile(environment: ["HOME": "/h", "XDG_CONFIG_HOME": "x"]).path.hasPrefix("/h/"))
    #expect(ConfigurationFile(environment: ["HOME": "/h", "IAAS_CONFIG": "/f"]).path == "/f")
  }

  @Test(arguments: [0o640, 0o604, 0o620, 0o602])
  func aFileOfOthersIsRefused(mode: Int) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(saved, to: "c.json", mode: mode)
    #expect(throws: CommandFailure.self) { try settings(["IAAS_CONFIG": path]) }
  }

  @Test(arguments: ["", "{", "[]", #"{"url":"https://a.example","token":"a\nb"}"#])
  func nonsenseIsRefused(text: String) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(text, to: "c.json")
    #expect(throws: CommandFailure.self) { try settings(["IAAS_CONFIG": file]) }
  }

  @Test func theEnvironmentGoesBeforeTheFile() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(saved, to: "c.json")
    let plain = try settings(["IAAS_CONFIG": path])
    #expect(plain.server.description == "https://a.example" && plain.token == "t1" && plain.tokenIsSaved)
    let other = try settings(["IAAS_CONFIG": path, "IAAS_URL": "https://b.example/", "IAAS_TOKEN": "t2"])
    #expect(other.server.description == "https://b.example" && other.token == "t2" && !other.tokenIsSaved)
    #expect(try settings(["HOME": folder.path]).server.description == "http://127.0.0.1:8080")
  }

  @Test func aSavedTokenGoesToNoOtherServer() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(saved, to: "c.json")
    #expect(try settings(["IAAS_CONFIG": path, "IAAS_URL": "https://b.example"]).token == nil)
    #expect(try settings(["IAAS_CONFIG": path, "IAAS_URL": "https://a.example/"]).token == "t1")
  }

  @Test(
    arguments: [
      "http://iaas.example.org", "http://10.0.0.1:8080", "http://localhost.evil.org", "http://127.0.0.1.evil.org",
    ])
  func plainHTTPElsewhereMustBeAllowed(url: String) throws {
    #expect(throws: CommandFailure.self) { try settings(["HOME": "/nowhere", "IAAS_URL": url]) }
    #expect(try settings(["HOME": "/nowhere", "IAAS_URL": url], insecure: true).server.description == url)
    let environment = ["HOME": "/nowhere", "IAAS_URL": url, "IAAS_INSECURE_HTTP": "1"]
    #expect(try settings(environment).server.description == url)
  }

  @Test(arguments: ["http://localhost:1", "http://127.0.0.1", "http://[::1]:8080", "HTTP://LOCALHOST", "https://x.y"])
  func plainHTTPHereIsFine(url: String) throws {
    #expect(throws: Never.self) { try ServerAddress(url, allowInsecureHTTP: false) }
  }

  @Test(
    arguments: [
      "", "a", "ftp://a", "http://", "https://u:p@a", "http://127.0.0.1@evil.org", "http://localhost\\@evil.org",
      "https://a?b", "https://a#b", "https://a\nb", "http://①②⑦.0.0.1",
    ])
  func whatIsNotTheURLOfAServer(url: String) {
    #expect(throws: CommandFailure.self) { try ServerAddress(url, allowInsecureHTTP: true) }
  }
}
