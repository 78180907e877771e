/// What a VM may use at most of what the VMs of a host share. What is nil is not capped.
public struct Caps: Codable, Sendable, Hashable {
  /// Percent of the processor time that its vCPUs could use, 1 to 100.
  public var cpuShare: Int?
  /// Bytes a second that it reads from and writes to its disk, together.
  public var diskBytesPerSecond: Int64?
  /// Reads and writes a second, together.
  public var diskOperationsPerSecond: Int64?
  /// Bytes a second, in each direction; counted in whole KiB.
  public var netBytesPerSecond: Int64?

  public static let none = Caps()

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case cpuShare, diskBytesPerSecond, diskOperationsPerSecond, netBytesPerSecond
  }

  public init(
    cpuShare: Int? = nil, diskBytesPerSecond: Int64? = nil, diskOperationsPerSecond: Int64? = nil,
    netBytesPerSecond: Int64? = nil
  ) {
    self.cpuShare = cpuShare
    self.diskBytesPerSecond = diskBytesPerSecond
    self.diskOperationsPerSecond = diskOperationsPerSecond
    self.netBytesPerSecond = netBytesPerSecond
  }

  /// - Throws: `invalid_field` for what no guest could live with, or no hypervisor takes.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self, nullable: CodingKeys.allCases)
    func number(_ key: CodingKeys, in range: ClosedRange<Int64>, _ unit: String) throws -> Int64? {
      guard let number = try fields.decodeIfPresent(Int64.self, forKey: key) else { return nil }
      guard range.contains(number) else {
        throw ServiceError.invalid(
          "caps.\(key.rawValue)", "must be \(range.lowerBound) to \(range.upperBound) \(unit), or null.")
      }
      return number
    }
    cpuShare = try number(.cpuShare, in: 1...100, "percent").map { Int($0) }
    diskBytesPerSecond = try number(.diskBytesPerSecond, in: 65_536...1 << 40, "bytes a second")
    diskOperationsPerSecond = try number(.diskOperationsPerSecond, in: 10...1_000_000, "a second")
    netBytesPerSecond = try number(.netBytesPerSecond, in: 1024...1 << 40, "bytes a second")
  }

  /// These, and of the others what these leave open.
  public func completed(by others: Caps) -> Caps {
    Caps(
      cpuShare: cpuShare ?? others.cpuShare, diskBytesPerSecond: diskBytesPerSecond ?? others.diskBytesPerSecond,
      diskOperationsPerSecond: diskOperationsPerSecond ?? others.diskOperationsPerSecond,
      netBytesPerSecond: netBytesPerSecond ?? others.netBytesPerSecond)
  }
}
