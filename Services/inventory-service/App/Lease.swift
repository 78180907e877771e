import Foundation
import Models

extension OperationStore {
  /// Renews the lease while the body works, which may take longer than a lease; ends the body when the lease is lost or the
  /// operation's deadline has come.
  /// - Throws: `ClaimLost`, or what the body throws.
  func keepingLease<Value: Sendable>(
    of claim: Claim, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        while true {
          do { try await Task.sleep(for: .seconds(Double(leaseSeconds) / 3)) } catch { return nil }
          // A database that is away for a moment does not end the work; a lease that was taken does.
          guard (try? await renew(claim, step: nil, progress: nil)) != false else { throw ClaimLost() }
        }
      }
      group.addTask {
        do { try await Task.sleep(for: .seconds(max(claim.secondsLeft, 0))) } catch { return nil }
        throw ServiceError(.timeout, "This could not be done in time.")
      }
      defer { group.cancelAll() }
      while let value = try await group.next() { if let value { return value } }
      throw CancellationError()
    }
  }
}
