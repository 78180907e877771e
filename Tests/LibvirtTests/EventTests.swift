import Foundation
import Testing

@testable import Libvirt

@Suite(.timeLimit(.minutes(5))) struct EventTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func wholeLifeArrivesInOrder() async throws {
    let events = try await connection.lifecycleEvents()
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    try await connection.suspend(uuid)
    try await connection.resume(uuid)
    try await connection.destroy(uuid, graceful: false)
    try await connection.undefine(uuid)
    let kinds = await events.prefix(6).reduce(into: []) { $0.append($1) }
    #expect(kinds.map(\.kind) == [.defined, .started, .suspended, .resumed, .stopped, .undefined])
    #expect(Set(kinds.map(\.uuid)) == [uuid])
  }

  @Test func everyStreamGetsEveryEvent() async throws {
    let streams = [try await connection.lifecycleEvents(), try await connection.lifecycleEvents()]
    let uuid = try await connection.defineAny()
    for stream in streams {
      #expect(await stream.first { _ in true } == DomainLifecycleEvent(uuid: uuid, kind: .defined, detail: 0))
    }
  }

  @Test func closingEndsTheStreams() async throws {
    let streams = [try await connection.lifecycleEvents(), try await connection.lifecycleEvents()]
    let reader = Task { await streams[0].reduce(0) { count, _ in count + 1 } }
    await connection.close()
    #expect(await reader.value == 0)
    #expect(await streams[1].first { _ in true } == nil)
  }

  @Test func losingTheConnectionEndsTheStreamsAndTheNextCallReopens() async throws {
    let events = try await connection.lifecycleEvents()
    await connection.disconnect()
    #expect(await events.first { _ in true } == nil)
    let again = try await connection.lifecycleEvents()
    let uuid = try await connection.defineAny()
    #expect(await again.first { _ in true }?.uuid == uuid)
  }

  @Test func droppingTheConnectionEndsTheStream() async throws {
    var connection: LibvirtConnection? = LibvirtConnection(uri: node.uri)
    let events = try #require(try await connection?.lifecycleEvents())
    connection = nil
    #expect(await events.first { $0.kind == .other(-1) } == nil)
  }

  @Test func cancelledReaderLeavesTheOthersTheirs() async throws {
    let (first, second) = (try await connection.lifecycleEvents(), try await connection.lifecycleEvents())
    let reader = Task { await first.reduce(0) { count, _ in count + 1 } }
    reader.cancel()
    _ = await reader.value
    let uuid = try await connection.defineAny()
    #expect(await second.first { _ in true }?.uuid == uuid)
  }

  @Test func lastReaderGoneTheNextGetsEvents() async throws {
    for number in 0..<20 {
      let events = try await connection.lifecycleEvents()
      let uuid = try await connection.defineAny(name: "guest-\(number)")
      #expect(await events.contains { $0.uuid == uuid })
    }
  }

  @Test func readerThatLagsIsCutOff() async {
    let subscribers = EventSubscribers()
    let (slow, slowEnd) = AsyncStream.makeStream(of: DomainLifecycleEvent.self, bufferingPolicy: .bufferingOldest(2))
    let (quick, quickEnd) = AsyncStream.makeStream(of: DomainLifecycleEvent.self, bufferingPolicy: .bufferingOldest(9))
    _ = (subscribers.add(slowEnd), subscribers.add(quickEnd))
    for detail: Int32 in 0..<5 { subscribers.deliver(.init(uuid: UUID(), kind: .started, detail: detail)) }
    #expect(await slow.reduce(into: []) { $0.append($1.detail) } == [0, 1])
    subscribers.finish()
    #expect(await quick.reduce(into: []) { $0.append($1.detail) } == [0, 1, 2, 3, 4])
  }

  @Test func streamAddedAfterTheLossEndsAtOnce() async {
    let subscribers = EventSubscribers()
    subscribers.finish()
    let (stream, continuation) = AsyncStream.makeStream(of: DomainLifecycleEvent.self)
    #expect(subscribers.remove(subscribers.add(continuation)) == .absent)
    #expect(await stream.first { _ in true } == nil)
  }
}
