import Foundation
import Models
import Testing

@testable import ComputeAgent
@testable import Libvirt

@Suite(.timeLimit(.minutes(5))) struct MeterTests {
  private func with(
    interval: Duration, _ body: (Meters, Hypervisor, Hypervisor.Owned) async throws -> Void
  ) async throws {
    let libvirt = LibvirtConnection(uri: "test:///default")
    let hypervisor = Hypervisor(libvirt: libvirt, network: "default")
    let id = VMID.make()
    try await hypervisor.define(Samples.testDomain(id, DomainIdentity(owner: Samples.owner, generation: 1, boot: 3)))
    let result: Result<Void, any Error>
    do {
      let owned = try #require(try await hypervisor.find(id))
      try await body(Meters(libvirt: libvirt, interval: interval, logger: .init(label: "test")), hypervisor, owned)
      result = .success(())
    } catch { result = .failure(error) }
    try? await hypervisor.destroy(id)
    try await hypervisor.undefine(id)
    await libvirt.close()
    try result.get()
  }

  @Test func onlyOurVMsThatAreOnAreRead() async throws {
    try await with(interval: .zero) { meters, hypervisor, owned in
      let off = try #require(await meters.read([owned], bootID: "b"))
      #expect(off.meters.isEmpty && off.bootID == "b" && off.uptime > 0)
      try await hypervisor.start(owned.id)
      let on = try #require(await meters.read([owned], bootID: "b"))
      let meter = try #require(on.meters.first)
      #expect(on.meters.count == 1 && meter.vm == owned.id && meter.run.hasPrefix("b.3."))
      let strangers = try #require(await meters.read([], bootID: "b"))
      #expect(strangers.meters.isEmpty)
      // Another start is another run.
      try await hypervisor.destroy(owned.id)
      try await hypervisor.start(owned.id)
      let again = try #require(await meters.read([owned], bootID: "b")?.meters.first)
      #expect(again.run != meter.run && again.run.hasPrefix("b.3."))
    }
  }

  @Test func aReadingIsGivenAgainUntilItIsOld() async throws {
    try await with(interval: .seconds(3600)) { meters, hypervisor, owned in
      let first = try #require(await meters.read([owned], bootID: "b"))
      try await hypervisor.start(owned.id)
      let second = await meters.read([owned], bootID: "b")
      #expect(second == first)
    }
  }

  @Test func countersAreInTheUnitsOfTheReport() throws {
    let statistics = DomainStatistics(
      uuid: Samples.id.uuid, name: "x", id: 4,
      parameters: TypedParameters(values: [
        "cpu.time": 5_000_999, "balloon.current": 2048, "balloon.available": 2000, "balloon.usable": 976,
        "block.count": 1, "block.0.rd.bytes": 7, "block.0.wr.bytes": 8, "net.count": 1, "net.0.rx.bytes": 9,
        "net.0.tx.bytes": 10,
      ]))
    let meter = Meter(statistics, boot: 2, bootID: "b")
    #expect(
      meter
        == Meter(
          vm: Samples.id, run: "b.2.4", cpuMicroseconds: 5000, mem: 2, memUsed: 1, diskReadBytes: 7,
          diskWrittenBytes: 8, netRxBytes: 9, netTxBytes: 10))
    let off = DomainStatistics(uuid: Samples.id.uuid, name: "x", id: nil, parameters: TypedParameters(values: [:]))
    #expect(Meter(off, boot: 2, bootID: "b") == nil)
  }
}
