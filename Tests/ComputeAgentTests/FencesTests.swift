import Foundation
import Models
import TestSupport
import Testing

@testable import ComputeAgent

@Suite struct FencesTests {
  private func fence(_ generation: Int64, _ epoch: Int64, host: Int64 = 1) -> Fence {
    Fence(host: host, generation: generation, epoch: epoch)
  }

  @Test func whatWasOvertakenIsRefusedAlsoAfterARestart() async throws {
    try await TestEnvironment.withFolder { folder in
      let id = VMID.make()
      let fences = try Fences(folder: folder)
      try await fences.accept(fence(5, 2), of: id)
      // The same command again, another VM, and a later change whose first attempt this is.
      try await fences.accept(fence(5, 2), of: id)
      try await fences.accept(fence(1, 1), of: .make())
      for restarted in [fences, try Fences(folder: folder)] {
        for stale in [fence(5, 1), fence(4, 2), fence(4, 9), fence(0, 0)] {
          #expect(await Samples.code { try await restarted.accept(stale, of: id) } == .staleGeneration)
        }
        try await restarted.accept(fence(5, 2), of: id)
      }
      try await fences.accept(fence(6, 1), of: id)
      #expect(try String(contentsOfFile: "\(folder)/\(id)", encoding: .utf8) == "6 1")
      #expect(await Samples.code { try await fences.accept(fence(5, 3), of: id) } == .staleGeneration)
    }
  }

  @Test func aRecordOfAnEarlierVersionHasNoEpoch() async throws {
    try await TestEnvironment.withFolder { folder in
      let id = VMID.make()
      try Data("7".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(id)"))
      let fences = try Fences(folder: folder)
      #expect(await Samples.code { try await fences.accept(fence(6, 9), of: id) } == .staleGeneration)
      try await fences.accept(fence(7, 0), of: id)
      try await fences.accept(fence(7, 1), of: id)
    }
  }

  @Test(arguments: ["", "x", "1 2 3", "1 x", "9999999999999999999999"])
  func aDamagedRecordIsNotTakenForNone(_ text: String) async throws {
    try await TestEnvironment.withFolder { folder in
      let id = VMID.make()
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(id)"))
      let fences = try Fences(folder: folder)
      #expect(await Samples.code { try await fences.accept(fence(1, 1), of: id) } == .internalError)
    }
  }

  @Test func aHostThatWasGivenUpIsNotCommandedByThoseWhoDoNotKnow() async throws {
    try await TestEnvironment.withFolder { folder in
      let fences = try Fences(folder: folder)
      try await fences.accept(host: 3)
      for restarted in [fences, try Fences(folder: folder)] {
        #expect(await Samples.code { try await restarted.accept(host: 2) } == .staleGeneration)
        try await restarted.accept(host: 3)
      }
      try await fences.accept(host: 4)
      // Removed, and added anew.
      try await fences.forgetHost()
      let restarted = try Fences(folder: folder)
      try await restarted.accept(host: 1)
      #expect(await Samples.code { try await restarted.accept(host: 0) } == .staleGeneration)
    }
  }
}
