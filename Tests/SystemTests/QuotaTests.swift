import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

/// Quotas, as people meet them.
extension SystemTests {
  @Test func twoGatewaysDoNotLetOneMoreThrough() async throws {
    try await withSecondGateway { url in
      let (api, user) = try await newUser()
      let callers = [api, APIUser(url: url, token: api.token)]
      let quota = try await admin.call(.PUT, "/iaas/users/\(user.id)", ["quota": ["images": 10]])
      #expect(quota.status == 200)
      for round in 1...3 {
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
          for number in 0..<64 {
            group.addTask {
              try await callers[number % 2].call(.POST, "/iaas/images", ["name": "image \(number)"]).status
            }
          }
          return try await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
        #expect(statuses == [201: 10, 403: 54], "round \(round)")
        let images = try await api.call(.GET, "/iaas/images").json([Models.Image].self)
        #expect(images.count == 10)
        for image in images { _ = try await callers[1].call(.DELETE, "/iaas/images/\(image.id)") }
      }
      try await remove(user)
    }
  }

  @Test func peopleSeeWhatTheyHaveAndWhyTheyGetNoMore() async throws {
    let (api, user) = try await newUser()
    func account() async throws -> Account { try await api.call(.GET, "/iaas/me").json(Account.self) }
    let fresh = try await account()
    // As the configuration of the stack has it.
    #expect(fresh.limits[.vms] == 10 && fresh.usage?[.vms] == 0 && fresh.usage?[.imageBytes] == 0)
    let path = "/iaas/users/\(user.id)"
    let unknown = try await admin.call(.PUT, path, ["quota": ["group": "nobody"]])
    #expect(unknown.status == 422)
    #expect(try await admin.call(.PUT, path, ["quota": ["group": "small"]]).status == 200)
    #expect(try await account().limits[.images] == 3)
    for number in 1...3 {
      let reply = try await api.call(.POST, "/iaas/images", ["name": "image \(number)"])
      #expect(reply.status == 201)
      #expect(reply.headers["iaas-quota-warning"] == (number == 3 ? "images=3/3" : nil))
    }
    let refusal = try await api.call(.POST, "/iaas/images", ["name": "one more"])
    let problem = try refusal.json(Problem.self)
    #expect(refusal.status == 403 && problem.code == "quota_exceeded")
    #expect(problem.resource == .images && problem.limit == 3 && problem.used == 3 && problem.requested == 1)
    #expect(try await account().usage?[.images] == 3)
    try await remove(user)
  }

  /// An upload that would be too much ends, and its bytes count no more.
  @Test func anUploadEndsAtTheLimit() async throws {
    let (api, user) = try await newUser()
    let quota = try await admin.call(.PUT, "/iaas/users/\(user.id)", ["quota": ["imageBytes": 1 << 20]])
    #expect(quota.status == 200)
    let image = try await api.call(.POST, "/iaas/images", ["name": "large"]).json(Models.Image.self)
    let file = FileManager.default.temporaryDirectory.appending(path: "large-\(UUID().uuidString)")
    try Data(count: 2 << 20).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let answer = try await Shell.run(
      "curl", "-sS", "-T", file.path, "-H", "Authorization: \(api.token ?? "")", "-H",
      "Content-Type: application/octet-stream", "\(api.url)/iaas/images/\(image.id)/content")
    let problem = try JSON.decoder.decode(Problem.self, from: Data(answer.utf8))
    #expect(problem.code == "quota_exceeded" && problem.resource == .imageBytes && problem.requested == 2 << 20)
    let account = try await api.call(.GET, "/iaas/me").json(Account.self)
    #expect(account.usage?[.imageBytes] == 0)
    try await remove(user)
  }

  /// What libvirt has counted for a VM since its start.
  private struct Counters {
    let cpuSeconds: Double
    let written: Int64
    let sent: Int64

    init(of vm: VMID, uri: String) async throws {
      let text = try await Shell.run(
        "virsh", "--quiet", "--connect", uri, "domstats", "--cpu-total", "--block", "--interface", "iaas-\(vm)")
      let numbers = text.split(separator: "\n").compactMap { line -> (String, Int64)? in
        let sides = line.trimmingCharacters(in: .whitespaces).split(separator: "=")
        return sides.count == 2 ? Int64(sides[1]).map { (String(sides[0]), $0) } : nil
      }
      func sum(_ suffix: String) -> Int64 { numbers.filter { $0.0.hasSuffix(suffix) }.map(\.1).reduce(0, +) }
      cpuSeconds = Double(sum("cpu.time")) / 1e9
      written = sum(".wr.bytes")
      sent = sum(".tx.bytes")
    }
  }

  /// Processor time of the VM's QEMU process by the kernel's own account (proc(5)).
  private func processSeconds(of vm: VMID) async throws -> Double {
    let pid = try await Shell.run("pgrep", "-f", "^[^ ]*qemu-system.* guest=iaas-\(vm)[ ,]").split(separator: "\n")[0]
    let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
    return (Double(fields[11]) ?? 0) / Double(sysconf(Int32(_SC_CLK_TCK)))
      + (Double(fields[12]) ?? 0) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// A guest computes, writes and sends; its owner is charged what libvirt and the kernel have counted.
  @Test func whatAGuestConsumesIsChargedToItsOwner() async throws {
    let image = try await image()
    let (api, user) = try await newUser()
    let share = try await admin.call(
      .POST, "/iaas/images/\(image.id)/shares", ["user": user.id.description, "role": "operator"])
    #expect(share.status == 201, "\(share)")
    try await TestEnvironment.withFolder { folder in
      let key = "\(folder)/key"
      try await Shell.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
      let request = NewVM(
        image: image.id, mem: 128, vcpus: 1, disk: nil, name: "busy",
        sshKeys: [try String(contentsOfFile: key + ".pub", encoding: .utf8)], start: true)
      let created = try await api.call(.POST, "/iaas/vms", request, headers: Self.untilSSH)
      let id = try created.json(VM.self).id
      let guest = try await reachable(id, key: key, folder: folder)
      let work = "dd if=/dev/urandom of=/root/x bs=1M count=8 conv=fsync 2>/dev/null; cat /root/x"
      _ = try await guest.run("(\(work)) | wc -c; \(work) | head -c 2000000 | od | tail -n 1")
      let uri = try stack.description().libvirt
      let before = try await Counters(of: id, uri: uri)
      #expect(before.cpuSeconds > 1 && before.written >= 16 << 20)
      // Readings are ten seconds apart, and reports a few more.
      try await Task.sleep(for: .seconds(16))
      let usage = try await api.call(.GET, "/iaas/users/\(user.id)/usage").json(Usage.self).consumed
      let after = try await Counters(of: id, uri: uri)
      let kernel = try await processSeconds(of: id)
      func isBetween(_ value: Int64?, _ low: Double, _ high: Double) -> Bool {
        // Whole seconds and bytes, cut off.
        value.map { Double($0) >= low * 0.98 - 1 && Double($0) <= high * 1.02 } ?? false
      }
      #expect(
        isBetween(usage[.cpuSeconds], before.cpuSeconds, after.cpuSeconds)
          && isBetween(usage[.diskWrittenBytes], Double(before.written), Double(after.written))
          && isBetween(usage[.netTxBytes], Double(before.sent), Double(after.sent)),
        "\(usage) is not between \(before) and \(after)")
      #expect(abs(kernel - after.cpuSeconds) <= max(kernel * 0.02, 0.5), "\(kernel) and \(after.cpuSeconds)")
      // 128 MiB for less than two minutes, and the guest's system was read from its disk.
      #expect(usage[.memMiBHours, default: 0] <= 4 && usage[.diskReadBytes, default: 0] > 1 << 20)
      let gone = try await api.call(.DELETE, "/iaas/vms/\(id)", headers: Self.patient)
      #expect(gone.status == 204, "\(gone)")
      let later = try await api.call(.GET, "/iaas/users/\(user.id)/usage").json(Usage.self)
      #expect(later.held[.vms] == 0 && later.consumed[.cpuSeconds, default: 0] >= usage[.cpuSeconds, default: 0])
    }
    let table = try await admin.call(.GET, "/iaas/usage")
    let line = table.text.split(separator: "\r\n").first { $0.contains(user.id.description) }
    #expect(table.status == 200 && line?.contains(user.email) == true && line?.split(separator: ",").count == 15)
    #expect(try await api.call(.GET, "/iaas/usage").status == 403)
    #expect(try await api.call(.GET, "/iaas/users/\(user.id)/usage?month=2026-13").status == 422)
    try await remove(user)
  }
}
