import Foundation

/// A web server for a folder, on 127.0.0.1, as long as a test needs it.
public enum FileServer {
  public static func serving<Value>(folder: String, _ body: (String) async throws -> Value) async throws -> Value {
    try await TestEnvironment.withFolder { own in
      let said = "\(own)/said"
      try Data().write(to: URL(fileURLWithPath: said))
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]
      process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: said))
      process.standardError = FileHandle.nullDevice
      try process.run()
      defer { kill(process.processIdentifier, SIGKILL) }
      // Its first line names the port that the system chose.
      func port() throws -> Substring? {
        try String(contentsOfFile: said, encoding: .utf8).firstMatch(of: /port (\d+)/)?.1
      }
      try await eventually("the server of a folder listens") { try port() != nil }
      return try await body("http://127.0.0.1:\(try port() ?? "")")
    }
  }
}
