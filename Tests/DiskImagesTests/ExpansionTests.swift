import Foundation
import Models
import TestSupport
import Testing

@testable import DiskImages

/// The same bytes come out however the input is cut and however little room there is.
@Suite struct ExpansionTests {
  private static let content = (0..<5000).map { UInt8(truncatingIfNeeded: $0 / 9) }

  private func packed(_ compression: Compression) async throws -> [UInt8] {
    try await TestEnvironment.withFolder { folder in
      let file = URL(fileURLWithPath: "\(folder)/plain")
      try Data(Self.content).write(to: file)
      try await Shell.run(compression.rawValue, "-q", "-k", file.path)
      try FileManager.default.removeItem(at: file)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      return Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(names[0])")))
    }
  }

  private func expand(
    _ bytes: [UInt8], _ compression: Compression, inputSize: Int = 100, outputSize: Int = 1000, limit: Int64 = 1 << 20
  ) throws -> [UInt8] {
    var rest = bytes[...]
    var result: [UInt8] = []
    let expansion = Expansion(
      decoder: try compression.decoder(), limit: limit, inputSize: inputSize, outputSize: outputSize)
    let count = try expansion.run(
      read: { buffer in
        let part = rest.prefix(buffer.count)
        buffer.copyBytes(from: part)
        rest = rest.dropFirst(part.count)
        return part.count
      }, write: { result += $0 }, isCancelled: { false })
    #expect(count == result.count)
    return result
  }

  @Test(arguments: Compression.allCases)
  func theSizesOfTheBuffersDoNotMatter(_ compression: Compression) async throws {
    let bytes = try await packed(compression)
    for inputSize in [1, 2, 7, 1000] {
      for outputSize in [1, 3, 1000, 5000, 10_000] {
        let twice = try expand(bytes + bytes, compression, inputSize: inputSize, outputSize: outputSize)
        #expect(twice == Self.content + Self.content)
      }
    }
  }

  @Test(arguments: Compression.allCases)
  func everyCutIsCorrupt(_ compression: Compression) async throws {
    let bytes = try await packed(compression)
    for count in 0..<bytes.count {
      #expect(ErrorCode.thrown { try expand(Array(bytes.prefix(count)), compression) } == .corrupt)
      #expect(ErrorCode.thrown { try expand(bytes + bytes.prefix(count), compression) } == (count > 0 ? .corrupt : nil))
    }
  }

  @Test(arguments: Compression.allCases)
  func everyChangedByteIsCorruptOrWithoutMeaning(_ compression: Compression) async throws {
    let bytes = try await packed(compression)
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 0xff
      switch Result(catching: { try expand(changed, compression) }) {
      case .success(let result): #expect(result == Self.content)
      case .failure(let error): #expect([.corrupt, .tooLarge].contains((error as? ServiceError)?.code))
      }
    }
  }

  @Test(arguments: Compression.allCases)
  func theLimitIsExact(_ compression: Compression) async throws {
    let bytes = try await packed(compression)
    let size = Int64(Self.content.count)
    #expect(try expand(bytes, compression, limit: size) == Self.content)
    #expect(ErrorCode.thrown { try expand(bytes, compression, limit: size - 1) } == .tooLarge)
    #expect(ErrorCode.thrown { try expand(bytes, compression, limit: 0) } == .tooLarge)
  }
}
