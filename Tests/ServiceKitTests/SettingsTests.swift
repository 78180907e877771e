import Configuration
import Foundation
import ServiceKit
import TestSupport
import Testing

@Suite struct SettingsTests {
  private func settings(_ values: [String: String]) -> Settings {
    Settings(reader: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values)))
  }

  private func message(_ body: () throws -> Void) -> String? {
    do { try body() } catch let error as SettingsError { return error.description } catch {}
    return nil
  }

  @Test func aMissingValueIsNamedAsItsVariable() {
    #expect(message { _ = try settings([:]).required("images.dir") } == "IAAS_IMAGES_DIR must be set.")
  }

  @Test func aBadNumberEndsTheStart() throws {
    #expect(
      message { _ = try ListenSettings(settings(["IAAS_HTTP_PORT": "80x"]), defaultPort: 1) }?.contains(
        "IAAS_HTTP_PORT") == true)
    #expect(message { _ = try ListenSettings(settings(["IAAS_HTTP_PORT": "70000"]), defaultPort: 1) } != nil)
    #expect(try ListenSettings(settings(["IAAS_HTTP_PORT": "81"]), defaultPort: 1).port == 81)
  }

  @Test func secretsComeFromFiles() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/secret"
      #expect(message { _ = try settings(["IAAS_CALLER_SECRET": path]).contents("caller.secret") } != nil)
      try Data("  s3cret\n".utf8).write(to: URL(fileURLWithPath: path))
      #expect(try settings(["IAAS_CALLER_SECRET": path]).contents("caller.secret") == "s3cret")
    }
  }

  @Test func aKeyIsMadeOnceAndRefusedWhenOthersCanReadIt() async throws {
    try await TestEnvironment.withFolder { folder in
      let path = "\(folder)/key"
      let (first, second) = (try KeyFile.load(path: path), try KeyFile.load(path: path))
      #expect(first == second)
      chmod(path, 0o644)
      #expect(message { _ = try KeyFile.load(path: path) } != nil)
      chmod(path, 0o600)
      try Data("short".utf8).write(to: URL(fileURLWithPath: path))
      chmod(path, 0o600)
      #expect(message { _ = try KeyFile.load(path: path) } != nil)
    }
  }
}
