import Foundation
import Testing

@testable import Libvirt

@Suite struct StatisticsTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  private func statistics(_ values: [String: UInt64]) -> DomainStatistics {
    DomainStatistics(uuid: UUID(), name: "one", id: 7, parameters: TypedParameters(values: values))
  }

  @Test func devicesAreSummed() {
    let found = statistics([
      "state.state": 1, "cpu.time": 5_000_000_000, "balloon.current": 65_536, "balloon.rss": 70_000,
      "block.count": 2, "block.0.rd.bytes": 10, "block.1.rd.bytes": 20, "block.0.wr.bytes": 3, "block.0.rd.reqs": 99,
      "net.count": 1, "net.0.rx.bytes": 100, "net.0.tx.bytes": 200, "net.0.rx.pkts": 7,
      "balloon.available": 60_000, "balloon.unused": 20_000, "balloon.usable": 40_000, "vcpu.current": 2,
      "vcpu.maximum": 4,
    ])
    #expect(found.state == .running)
    #expect(found.cpuTimeNanoseconds == 5_000_000_000)
    #expect((found.balloonCurrentKiB, found.balloonRSSKiB) == (65_536, 70_000))
    #expect((found.balloonAvailableKiB, found.balloonUnusedKiB, found.balloonUsableKiB) == (60_000, 20_000, 40_000))
    #expect((found.vcpusCurrent, found.vcpusMaximum) == (2, 4))
    #expect((found.blockReadBytes, found.blockWrittenBytes) == (30, 3))
    #expect((found.netReceivedBytes, found.netSentBytes) == (100, 200))
  }

  @Test func whatIsNotReportedIsNil() {
    let found = statistics([:])
    #expect(found.state == .nostate)
    #expect((found.cpuTimeNanoseconds, found.balloonCurrentKiB, found.balloonRSSKiB) == (nil, nil, nil))
    #expect((found.balloonAvailableKiB, found.balloonUnusedKiB, found.balloonUsableKiB) == (nil, nil, nil))
    #expect((found.vcpusCurrent, found.vcpusMaximum) == (nil, nil))
    #expect((found.blockReadBytes, found.blockWrittenBytes) == (nil, nil))
    #expect((found.netReceivedBytes, found.netSentBytes) == (nil, nil))
  }

  @Test func strangeNamesAndNumbersDoNoHarm() {
    let found = statistics([
      "state.state": .max, "net.x.rx.bytes": 1, "net..rx.bytes": 1, "net.rx.bytes": 1, "net.-1.rx.bytes": 1, "": 1,
      "block.0.rd.bytes": .max, "block.1.rd.bytes": 1, "block.0.wr.bytes.more": 1,
    ])
    #expect(found.state == .nostate)
    #expect(found.netReceivedBytes == nil)
    #expect(found.blockReadBytes == .max)
    #expect(found.blockWrittenBytes == nil)
  }

  @Test func everyDomainIsReportedWithItsState() async throws {
    let (off, on) = (try await connection.defineAny(name: "off"), try await connection.defineAny(name: "on"))
    try await connection.start(on)
    let found = Dictionary(uniqueKeysWithValues: try await connection.allDomainStatistics().map { ($0.uuid, $0) })
    #expect(found.count == 2)
    #expect((found[off]?.name, found[off]?.state) == ("off", .shutoff))
    #expect((found[on]?.name, found[on]?.state) == ("on", .running))
    #expect(found[off]?.id == nil)
    let first = try #require(found[on]?.id)
    try await connection.destroy(on, graceful: false)
    try await connection.start(on)
    let again = try await connection.allDomainStatistics().first { $0.uuid == on }
    #expect(again?.id != nil && again?.id != first)
  }

  @Test func noDomainsNoStatistics() async throws {
    #expect(try await connection.allDomainStatistics().isEmpty)
  }
}
