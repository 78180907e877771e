import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A few of the cases of `make faults` and some random faults, on an installation of their own: two gateways, two
  /// inventories and three hosts.
  @Test func anInstallationOfSeveralComesToRestAfterFaults() async throws {
    let said = try await Shell.run("\(TestEnvironment.root.path)/Tests/Faults/run", "--short")
    #expect(said.contains(" 0 failed"), "\(said)")
  }
}
