import Crypto
import Foundation
import Models
import ServiceKit

/// What this host's guests use, for who has the token: the agent's port can be reached by more than Prometheus.
struct AgentGauges: Sendable {
  let hypervisor: Hypervisor
  let facts: HostFactsReader
  let meters: Meters
  /// In base64, as it lies in its file.
  let token: SymmetricKey

  /// - Throws: `unauthenticated`, `unavailable`.
  func read(bearer: String?) async throws -> [MetricFamily] {
    guard let bearer, let given = Data(base64Encoded: bearer), Self.digest(given) == digest else {
      throw ServiceError(.unauthenticated, "The token of metrics.token is asked for, as a bearer token.")
    }
    let metering = await meters.read(try await hypervisor.list().owned, bootID: try facts.bootID())
    return Self.families(metering?.meters ?? [])
  }

  private var digest: SHA256Digest { token.withUnsafeBytes { Self.digest(Data($0)) } }
  private static func digest(_ data: Data) -> SHA256Digest { SHA256.hash(data: data) }

  static func families(_ meters: [Meter]) -> [MetricFamily] {
    func family(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: (Meter) -> Double?
    ) -> MetricFamily {
      MetricFamily(
        "iaas_vm_\(name)", kind, help,
        meters.compactMap { meter in value(meter).map { MetricFamily.Sample([("vm", meter.vm.description)], $0) } })
    }
    func bytes(_ mebibytes: Int64?) -> Double? { mebibytes.map { Double($0 << 20) } }
    return [
      family("cpu_seconds_total", .counter, "Processor time since the guest's start.") {
        $0.cpuMicroseconds.map { Double($0) / 1e6 }
      },
      family("memory_bytes", .gauge, "Memory that the guest has.") { bytes($0.mem) },
      family("memory_used_bytes", .gauge, "Memory that the guest uses, where it says so.") { bytes($0.memUsed) },
      family("disk_read_bytes_total", .counter, "Bytes read from disks since the guest's start.") {
        $0.diskReadBytes.map { Double($0) }
      },
      family("disk_written_bytes_total", .counter, "Bytes written to disks since the guest's start.") {
        $0.diskWrittenBytes.map { Double($0) }
      },
      family("network_receive_bytes_total", .counter, "Bytes into the guest since its start.") {
        $0.netRxBytes.map { Double($0) }
      },
      family("network_transmit_bytes_total", .counter, "Bytes out of the guest since its start.") {
        $0.netTxBytes.map { Double($0) }
      },
    ]
  }
}
