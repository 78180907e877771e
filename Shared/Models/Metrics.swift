import Foundation

/// What a guest did in a while.
public struct VMSample: Codable, Sendable, Equatable {
  /// When the step began.
  public var at: Date
  /// How much of the step was measured; the rates are of this time.
  public var seconds: Double
  /// Of the processor time that its vCPUs could have used.
  public var cpuPercent: Double
  /// MiB that the guest had.
  public var mem: Int64?
  /// MiB that the guest used, where its balloon driver says so.
  public var memUsed: Int64?
  public var diskReadBytesPerSecond: Int64
  public var diskWrittenBytesPerSecond: Int64
  public var netRxBytesPerSecond: Int64
  public var netTxBytesPerSecond: Int64

  public init(
    at: Date, seconds: Double, cpuPercent: Double, mem: Int64?, memUsed: Int64?, diskReadBytesPerSecond: Int64,
    diskWrittenBytesPerSecond: Int64, netRxBytesPerSecond: Int64, netTxBytesPerSecond: Int64
  ) {
    self.at = at
    self.seconds = seconds
    self.cpuPercent = cpuPercent
    self.mem = mem
    self.memUsed = memUsed
    self.diskReadBytesPerSecond = diskReadBytesPerSecond
    self.diskWrittenBytesPerSecond = diskWrittenBytesPerSecond
    self.netRxBytesPerSecond = netRxBytesPerSecond
    self.netTxBytesPerSecond = netTxBytesPerSecond
  }
}

/// `GET /iaas/vms/{vmId}/metrics`: the oldest step first; steps in which nothing was measured are left out.
public struct VMMetrics: Codable, Sendable, Equatable {
  public var vm: VMID
  /// Seconds.
  public var step: Int
  public var since: Date
  public var samples: [VMSample]

  public init(vm: VMID, step: Int, since: Date, samples: [VMSample]) {
    self.vm = vm
    self.step = step
    self.since = since
    self.samples = samples
  }

  /// The step for somebody who does not say one, as fine as is kept for so long: 10 s for
  /// an hour, a minute for a day, 10 minutes for a month.
  /// - Parameter seconds: How far back one looks.
  public static func step(forLast seconds: Double) -> Int {
    seconds <= 3600 ? 10 : seconds <= 86_400 ? 60 : 600
  }
}

/// Four fifths, or all, of a limit were reached.
public struct QuotaEvent: Codable, Sendable, Equatable {
  public var id: UUIDText
  public var user: UserID
  public var resource: QuotaResource
  /// Percent of the limit: 80 or 100.
  public var level: Int
  public var used: Int64
  public var limit: Int64
  public var at: Date

  public init(id: UUIDText, user: UserID, resource: QuotaResource, level: Int, used: Int64, limit: Int64, at: Date) {
    self.id = id
    self.user = user
    self.resource = resource
    self.level = level
    self.used = used
    self.limit = limit
    self.at = at
  }

  /// Those that are reached by going from one number to another.
  public static func levels(from before: Int64, to after: Int64, of limit: Int64) -> [Int] {
    guard limit > 0 else { return [] }
    return [80, 100].filter { level in
      let bound = Double(limit) * Double(level) / 100
      return Double(before) < bound && Double(after) >= bound
    }
  }
}
