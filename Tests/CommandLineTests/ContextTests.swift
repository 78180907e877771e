import Foundation
import Testing

@testable import CommandLineTool

/// Saved logins by name.
@Suite struct ContextTests {
  private func file(_ body: (ConfigurationFile, URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "contexts-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(ConfigurationFile(environment: ["IAAS_CONFIG": "\(folder.path)/config.json"]), folder)
  }

  private func chosen(_ name: String, beside file: ConfigurationFile) -> ConfigurationFile {
    ConfigurationFile(environment: ["IAAS_CONFIG": file.path, "IAAS_CONTEXT": name])
  }

  @Test func theyAreAddedUsedAndForgotten() throws {
    try file { file, _ in
      let console = FakeConsole()
      let output = Output(format: .table, console: console)
      try AddContext.parse(["lab", "--url", "https://lab.example", "--ca", "/ca.pem"]).run(file, output)
      try AddContext.parse(["home", "--url", "https://home.example"]).run(file, output)
      #expect(try file.read()?.url == "https://home.example")
      #expect(try chosen("lab", beside: file).read()?.ca == "/ca.pem")
      #expect(throws: CommandFailure.self) { try AddContext.parse(["lab", "--url", "https://x"]).run(file, output) }
      try chosen("lab", beside: file).write(SavedLogin(url: "https://lab.example", token: "secret", email: "ana"))
      try UseContext.parse(["lab"]).run(file, output)
      try ListContexts.parse([]).run(file, output)
      #expect(
        console.out == """
          PRESENT  NAME  SERVER                ACCOUNT  LOGGED IN
          -        home  https://home.example  -        no
          *        lab   https://lab.example   ana      yes

          """)
      #expect(!console.out.contains("secret"))
      try RemoveContext.parse(["lab"]).run(file, output)
      // No other server is taken for it.
      #expect(try file.read() == nil)
      do { try UseContext.parse(["hone"]).run(file, output) } catch let failure as CommandFailure {
        #expect(failure.lines == [#"There is no context "hone"; did you mean "home"?"#] && failure.status == .notFound)
      }
    }
  }

  @Test func aLoginWithoutNamesIsTheStandardOne() throws {
    try file { file, folder in
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let old = Data(#"{"url":"https://a.example","token":"t","email":"e"}"#.utf8)
      _ = FileManager.default.createFile(atPath: file.path, contents: old, attributes: [.posixPermissions: 0o600])
      #expect(try file.read() == SavedLogin(url: "https://a.example", token: "t", email: "e"))
      #expect(try file.contexts()?.current == "default")
    }
  }

  @Test func aContextThatIsChosenMustBeThereUnlessItIsBeingMade() throws {
    try file { file, _ in
      try file.write(SavedLogin(url: "https://a.example", token: "t", email: "e"))
      let environment = ["IAAS_CONFIG": file.path]
      #expect(throws: CommandFailure.self) {
        try Settings(environment: environment, url: nil, allowInsecureHTTP: false, context: "new")
      }
      let settings = try Settings(
        environment: environment, url: "https://b.example", allowInsecureHTTP: false, context: "new", isNewContext: true
      )
      #expect(settings.token == nil && "\(settings.server)" == "https://b.example")
      try settings.file.write(SavedLogin(url: "https://b.example", token: "u"))
      #expect(try file.contexts()?.logins.count == 2)
    }
  }
}
