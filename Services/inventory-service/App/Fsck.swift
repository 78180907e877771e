import Clients
import DiskImages
import Foundation
import Models
import ServiceKit

/// The promises that hold whenever nothing is under way. The numbers are those of the specification.
enum Invariant: Int, Codable, Sendable, CaseIterable {
  case domainsHaveRows = 1
  case noVMRunsTwice = 2
  case reservationsMatch = 3
  case usageMatches = 4
  case permissionsAreLive = 5
  case requestsHaveOneEffect = 7
  case imagesAreWhole = 8
  case filesHaveRows = 9
  case operationsEnd = 10
  case nothingOvertaken = 11
}

/// Something that should not be.
struct Violation: Codable, Sendable, Hashable {
  let invariant: Invariant
  /// What it is about: a kind and an id, or a file's name.
  let subject: String
  let problem: String
}

/// What a check came to.
struct FsckResult: Codable, Sendable {
  var violations: [Violation]
  /// What could not be looked at, and why.
  var unchecked: [String]
}

/// Compares the database, every agent and the image store with one another. Reading changes nothing and may be done at any
/// time: what is just being done is waited for.
struct Fsck: Sendable {
  let store: FsckStore
  let hosts: Hosts
  let files: ImageFiles
  /// Asks auth-service which users there are; nil where it is not known how to.
  let users: (@Sendable ([UserID]) async throws -> Set<UserID>)?

  /// Checks until nothing is wrong, or until the time is over: then what was wrong all along is told.
  func settled(within time: Duration) async throws -> FsckResult {
    let end = ContinuousClock.now + time
    var result = try await check()
    while !result.violations.isEmpty, ContinuousClock.now < end {
      try await Task.sleep(for: .seconds(1))
      let next = try await check()
      result.unchecked = next.unchecked
      result.violations.removeAll { !next.violations.contains($0) }
    }
    return result
  }

  func check() async throws -> FsckResult {
    // Before the database, so that a VM that is just being made is not taken for one that nobody knows: its row is older.
    var (reports, unchecked) = try await reports()
    let state = try await store.load()
    var violations = state.violations
    violations += try await checkUsers(&unchecked)
    violations += reports.flatMap { report in Self.check(report.report, of: report.host, state) }
    violations += Self.checkTwice(reports.flatMap(\.report.vms))
    violations += await checkFiles(try await store.files())
    return FsckResult(violations: violations, unchecked: unchecked)
  }

  private struct Named: Sendable {
    let host: HostID
    let report: HostReport
  }

  private func reports() async throws -> ([Named], unchecked: [String]) {
    let links = try await store.links()
    return await withTaskGroup(of: (HostLink, Result<HostReport, any Error>).self) { group in
      for link in links { group.addTask { (link, await report(of: link)) } }
      var (reports, unchecked): ([Named], [String]) = ([], [])
      for await (link, result) in group {
        switch result {
        case .success(let report): reports.append(Named(host: link.id, report: report))
        case .failure(let error): unchecked.append("host \(link.addr): \(ServiceError.of(error).message)")
        }
      }
      return (reports.sorted { $0.host.description < $1.host.description }, unchecked.sorted())
    }
  }

  private func report(of link: HostLink) async -> Result<HostReport, any Error> {
    do {
      let origin = CallOrigin(requestID: UUIDText.make().description)
        .fenced(Fence(host: link.generation, generation: 0, epoch: 0))
      return .success(try await hosts.agent(of: link).report(origin))
    } catch { return .failure(error) }
  }

  /// What one host has, against the rows.
  static func check(_ report: HostReport, of host: HostID, _ state: FsckState) -> [Violation] {
    let expected = state.vms.filter { $0.host == host || $0.movingTo == host }
    let rows = Dictionary(uniqueKeysWithValues: expected.map { ($0.id, $0) })
    var violations: [Violation] = []
    func found(_ invariant: Invariant, _ id: VMID, _ problem: String) {
      violations.append(Violation(invariant: invariant, subject: "vm \(id)", problem: problem))
    }
    for vm in report.vms {
      guard let row = rows[vm.id] else {
        if vm.quarantined == nil { found(.domainsHaveRows, vm.id, "host \(host) has it, and no row names that host") }
        if vm.power != .stopped { found(.domainsHaveRows, vm.id, "runs on host \(host), and no row names that host") }
        continue
      }
      if vm.generation > row.generation {
        found(.nothingOvertaken, vm.id, "host \(host) has generation \(vm.generation), its row \(row.generation)")
      }
      guard !row.isBusy, row.host == host else { continue }
      if !vm.hasDisk { found(.filesHaveRows, vm.id, "has no disk on host \(host)") }
      if vm.power.state != row.state, row.state != .error {
        found(.domainsHaveRows, vm.id, "is \(row.state.rawValue) in its row and \(vm.power.rawValue) on host \(host)")
      }
    }
    for (vm, image) in report.vms.flatMap({ vm in vm.captures.map { (vm.id, $0) } }) where !state.saving.contains(image)
    {
      found(.filesHaveRows, vm, "has a copy of its disk on host \(host) for image \(image), which does not wait for it")
    }
    let present = Set(report.vms.map(\.id))
    for row in expected where row.host == host && !row.isBusy && !present.contains(row.id) && row.state != .error {
      found(.domainsHaveRows, row.id, "is \(row.state.rawValue) in its row and not on host \(host)")
    }
    for id in report.remains where rows[id] == nil {
      found(.filesHaveRows, id, "left files on host \(host), and no row names that host")
    }
    return violations
  }

  static func checkTwice(_ vms: [VMReport]) -> [Violation] {
    let running = Dictionary(grouping: vms.filter { $0.power == .running || $0.power == .paused }, by: \.id)
    return running.filter { $0.value.count > 1 }.map { id, reports in
      Violation(
        invariant: .noVMRunsTwice, subject: "vm \(id)", problem: "runs on \(reports.count) hosts at the same time")
    }
  }

  private func checkUsers(_ unchecked: inout [String]) async throws -> [Violation] {
    guard let users else {
      unchecked.append("users: IAAS_AUTH_URL and IAAS_CALLER_SECRET are not set")
      return []
    }
    let named = try await store.users()
    do {
      let live = try await users(named)
      return named.filter { !live.contains($0) }.map {
        Violation(invariant: .permissionsAreLive, subject: "user \($0)", problem: "has permissions and is no user")
      }
    } catch {
      unchecked.append("users: \(ServiceError.of(error).message)")
      return []
    }
  }

  private func checkFiles(_ images: FsckFiles) async -> [Violation] {
    var violations: [Violation] = []
    for image in images.available {
      if let problem = await problem(of: image) {
        violations.append(Violation(invariant: .imagesAreWhole, subject: "image \(image.id)", problem: problem))
      }
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: files.folder)) ?? []
    for name in names.sorted() where name.hasSuffix(".qcow2") {
      guard let id = ImageID(String(name.dropLast(6))), !images.known.contains(id) else { continue }
      violations.append(
        Violation(invariant: .filesHaveRows, subject: name, problem: "is in the image store and belongs to no image"))
    }
    let staged = (try? FileManager.default.contentsOfDirectory(atPath: files.staging)) ?? []
    for name in staged.sorted() {
      guard let owner = ImageFiles.stagedName(name), !images.staged.contains(owner) else { continue }
      violations.append(
        Violation(invariant: .filesHaveRows, subject: name, problem: "is in the staging folder and nobody works on it"))
    }
    return violations
  }

  private func problem(of image: FsckFiles.Image) async -> String? {
    let path = files.file(of: image.id)
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      guard attributes[.size] as? Int64 ?? 0 == image.size else { return "its file has another size" }
      guard try await Files().sha256(path: path) == image.sha256 else { return "its file has another content" }
      // Refuses whatever is not self-contained.
      _ = try DiskInspector.inspect(file: path, limit: .max)
      return nil
    } catch { return "its file cannot be used: \(ServiceError.of(error).message)" }
  }
}
