import Foundation
import Testing

@testable import Libvirt

@Suite(.timeLimit(.minutes(5))) struct ConnectionTests {
  let node = TestNode()
  let other = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func closedConnectionStaysClosed() async throws {
    _ = try await connection.hostname()
    await connection.close()
    await connection.close()
    let error = try #require(await #expect(throws: LibvirtError.self) { try await connection.hostname() })
    #expect(error.code == .invalidConnection)
  }

  @Test func lostConnectionIsOpenedAgain() async throws {
    _ = try await connection.defineAny()
    await connection.disconnect()
    // Opened anew, a private node is empty.
    #expect(try await connection.domains().isEmpty)
  }

  @Test func nodesOfTheirOwnDoNotMix() async throws {
    async let one = work(connection)
    async let two = work(other.connection)
    #expect(try await (one, two) == (20, 20))
  }

  @Test func manyCallersShareAConnection() async throws {
    try await withThrowingTaskGroup(of: UUID.self) { group in
      for number in 0..<50 {
        group.addTask { try await connection.defineAny(name: "guest-\(number)") }
      }
      let uuids = try await group.reduce(into: Set()) { $0.insert($1) }
      #expect(try await Set(connection.domains().map(\.uuid)) == uuids)
    }
  }

  @Test func closingGivesBackWhatWasRegistered() throws {
    let (_, continuation) = AsyncStream.makeStream(of: DomainLifecycleEvent.self)
    var handle: ConnectionHandle? = try ConnectionHandle(uri: node.uri)
    _ = try handle?.subscribe(continuation)
    weak let subscribers = handle?.subscribers
    #expect(subscribers != nil)
    handle = nil
    #expect(subscribers == nil)
  }

  private func work(_ connection: LibvirtConnection) async throws -> Int {
    for number in 0..<20 {
      let uuid = try await connection.defineAny(name: "guest-\(number)")
      try await connection.start(uuid)
    }
    return try await connection.domains().count { $0.state == .running }
  }
}
