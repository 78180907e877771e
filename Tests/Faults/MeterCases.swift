import Foundation
import Models
import ServiceKit
import TestSupport

/// Whatever ends while guests are measured, what they used is counted once.
enum MeterCases {
  static let all: [Case] = [
    Case(name: "metering: every service killed in turn", limit: 400, body: kills)
  ]

  /// What was counted, as the installation tells it, and what libvirt has counted since the guest's start.
  private struct Count: CustomStringConvertible {
    let consumed: [QuotaResource: Int64]
    let cpuSeconds: Double
    let read: Int64
    let written: Int64

    var description: String {
      let counted = [QuotaResource.cpuSeconds, .diskReadBytes, .diskWrittenBytes].map { "\(consumed[$0] ?? -1)" }
      return "counted \(counted.joined(separator: ", ")); libvirt has \(cpuSeconds), \(read), \(written)"
    }
  }

  private static func count(of vm: VM, _ user: UserID, _ lab: Lab) async throws -> Count {
    let machine = try lab.machine(vm.host)
    let text = try await machine.virsh("domstats", "--cpu-total", "--block", "iaas-\(vm.id)")
    let consumed = try await lab.admin.get("/iaas/users/\(user)/usage", Usage.self).consumed
    func sum(_ suffix: String) -> Int64 {
      text.split(separator: "\n").compactMap { line in
        let sides = line.trimmingCharacters(in: .whitespaces).split(separator: "=")
        return sides.count == 2 && sides[0].hasSuffix(suffix) ? Int64(sides[1]) : nil
      }.reduce(0, +)
    }
    return Count(
      consumed: consumed, cpuSeconds: Double(sum("cpu.time")) / 1e9, read: sum(".rd.bytes"), written: sum(".wr.bytes"))
  }

  /// Seconds between two readings, and two reports, of the agents here.
  private static let interval = 10.0 + 4

  /// A guest that uses a processor all the time: had a reading been counted twice, or been lost, more than an interval would
  /// be too much, or lack.
  private static func kills(_ lab: Lab) async throws {
    let (client, user) = try await QuotaCases.person(lab, [:])
    let request = NewImage(url: "\(lab.web)/busy.qcow2", name: "busy", desc: "")
    let image = try await client.insist(.POST, "/iaas/images", request, wait: 30).json(Models.Image.self)
    let guest = NewVM(image: image.id, mem: 16, vcpus: 1, disk: 1, name: "busy", sshKeys: [], start: true)
    let vm = try await lab.settled(try await client.insist(.POST, "/iaas/vms", guest), as: .running)
    let before = try await count(of: vm, user, lab)
    for victim in lab.victims {
      try await Task.sleep(for: .milliseconds(Int.random(in: 500...6000)))
      try await victim.strike()
      try await victim.bringBack()
    }
    try await lab.postgres.strike()
    try await Task.sleep(for: .seconds(1))
    try await lab.postgres.bringBack()
    try await lab.machine(vm.host).tell("libvirtd-kill")
    try await Task.sleep(for: .seconds(1))
    try await lab.machine(vm.host).tell("libvirtd-start")
    // Until the last of it is counted, and not much more.
    try await lab.quiet()
    try await Task.sleep(for: .seconds(2 * interval))
    let after = try await count(of: vm, user, lab)
    let grown = after.cpuSeconds - before.cpuSeconds
    let counted = Double(after.consumed[.cpuSeconds, default: 0] - before.consumed[.cpuSeconds, default: 0])
    // Nothing is counted twice, and what is not counted yet is of one interval at most.
    try require(grown > 5, "the guest used only \(grown) s: \(after)")
    try require(
      counted <= grown + 1 && grown - counted <= interval + 1,
      "grown by \(grown) s, counted \(counted) s: \(before); \(after)")
    // With the person go the VM and the image.
    try await QuotaCases.remove(user, lab)
    try await lab.quiet()
  }
}
