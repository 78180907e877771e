import Foundation
import Synchronization

/// A web server for a folder, on 127.0.0.1, as long as a test needs it.
enum FileServer {
  static func serving<Value>(folder: String, _ body: (String) async throws -> Value) async throws -> Value {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      process.terminate()
      process.waitUntilExit()
    }
    // Its first line names the port that the system chose.
    var line = ""
    while !line.contains("\n"), process.isRunning {
      line += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }
    guard let port = line.firstMatch(of: /port (\d+)/)?.1 else { throw CocoaError(.fileReadUnknown) }
    return try await body("http://127.0.0.1:\(port)")
  }
}
