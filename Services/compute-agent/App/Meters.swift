import Foundation
import Libvirt
import Logging
import Models

/// Reads what the VMs of this host have used: one call to libvirt for all of them, now and then.
actor Meters {
  private let libvirt: LibvirtConnection
  private let interval: Duration
  private let logger: Logger
  private var last: (metering: Metering, at: ContinuousClock.Instant)?

  /// - Parameter interval: How old a reading may be before there is a new one.
  init(libvirt: LibvirtConnection, interval: Duration, logger: Logger) {
    self.libvirt = libvirt
    self.interval = interval
    self.logger = logger
  }

  /// - Parameter owned: The domains of ours; others are not read.
  /// - Returns: The last reading where it is not old, or nothing newer can be had; nil before the first.
  func read(_ owned: [Hypervisor.Owned], bootID: String) async -> Metering? {
    if let last, ContinuousClock.now - last.at < interval { return last.metering }
    do {
      let statistics = try await libvirt.allDomainStatistics()
      let boots = Dictionary(
        owned.map { ($0.domain.uuid, $0.identity.boot) }, uniquingKeysWith: { first, _ in first })
      let meters = statistics.compactMap { each in
        boots[each.uuid].flatMap { Meter(each, boot: $0, bootID: bootID) }
      }
      last = (Metering(bootID: bootID, uptime: Self.uptime(), meters: meters), .now)
    } catch {
      logger.notice("no statistics of the VMs", metadata: ["error": "\(String(reflecting: error))"])
    }
    return last?.metering
  }

  /// Milliseconds since the machine's boot, with the time that it slept (clock_gettime(2)).
  private static func uptime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

extension Meter {
  /// - Returns: Nil for a domain that is off.
  init?(_ statistics: DomainStatistics, boot: Int64, bootID: String) {
    guard let id = statistics.id else { return nil }
    func number(_ value: UInt64?, per unit: UInt64 = 1) -> Int64? { value.flatMap { Int64(exactly: $0 / unit) } }
    let used = statistics.balloonAvailableKiB.flatMap { available in
      (statistics.balloonUsableKiB ?? statistics.balloonUnusedKiB).map { available - min($0, available) }
    }
    self.init(
      vm: VMID(statistics.uuid), run: "\(bootID).\(boot).\(id)",
      cpuMicroseconds: number(statistics.cpuTimeNanoseconds, per: 1000),
      mem: number(statistics.balloonCurrentKiB, per: 1024), memUsed: number(used, per: 1024),
      diskReadBytes: number(statistics.blockReadBytes), diskWrittenBytes: number(statistics.blockWrittenBytes),
      netRxBytes: number(statistics.netReceivedBytes), netTxBytes: number(statistics.netSentBytes))
  }
}
