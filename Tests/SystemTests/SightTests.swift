import Foundation
import Models
import ServiceKit
import TestSupport
import Testing

/// What one sees of guests and services over time, and how guests are held back.
extension SystemTests {
  /// What a service tells Prometheus.
  private func scrape(_ service: String, token: String? = nil) async throws -> String {
    var url = try stack.description().gateway
    if service != "gateway" {
      let port = try String(contentsOfFile: "\(stack.state)/run/\(service).port", encoding: .utf8)
      url = (service == "compute-agent" ? "https" : "http") + "://127.0.0.1:" + port.filter(\.isNumber)
    }
    return try await Shell.run(
      "curl",
      arguments: ["-sSk", "--max-time", "20", "\(url)/metrics"]
        + (token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []))
  }

  private func promtool(_ arguments: String..., input: String? = nil) async throws {
    let program = try await Shell.run("\(TestEnvironment.root.path)/Tests/promtool").split(separator: "\n").joined()
    try await TestEnvironment.withFolder { folder in
      try (input ?? "").write(toFile: "\(folder)/input", atomically: true, encoding: .utf8)
      let command = ([program] + arguments).map { "'\($0)'" }.joined(separator: " ")
      let outcome = try await Shell.run("sh", "-c", "\(command) <'\(folder)/input' 2>&1; echo \"status $?\"")
      #expect(outcome.hasSuffix("status 0\n"), "\(arguments): \(outcome)")
    }
  }

  /// One VM that runs, as the tests here need it.
  private func withRunningVM(_ body: (VMID, String) async throws -> Void) async throws {
    let image = try await image()
    let request = NewVM(
      image: image.id, mem: 128, vcpus: 1, disk: nil, name: "seen", sshKeys: [], start: true)
    let created = try await admin.call(.POST, "/iaas/vms", request, headers: Self.patient)
    #expect(created.status == 201, "\(created)")
    let id = try created.json(VM.self).id
    try await body(id, try stack.description().libvirt)
    let gone = try await admin.call(.DELETE, "/iaas/vms/\(id)", headers: Self.patient)
    #expect(gone.status == 204, "\(gone)")
  }

  @Test func whatAGuestDoesIsSeen() async throws {
    try await withRunningVM { id, _ in
      func metrics(_ query: String) async throws -> VMMetrics {
        try await admin.call(.GET, "/iaas/vms/\(id)/metrics\(query)").json(VMMetrics.self)
      }
      try await eventually("samples", within: .seconds(60)) { try await metrics("").samples.count >= 2 }
      let found = try await metrics("?since=600&step=10")
      // It booted, which is work.
      #expect(found.step == 10 && found.samples.contains { $0.cpuPercent > 5 && $0.diskReadBytesPerSecond > 0 })
      // What the hypervisor itself takes beside the guest is more than nothing, above all while it starts.
      #expect(found.samples.allSatisfy { $0.mem == 128 && $0.cpuPercent <= 300 && $0.seconds > 0 }, "\(found)")
      let minutes = try await metrics("?step=60").samples
      let sum = minutes.map { $0.cpuPercent * $0.seconds }.reduce(0, +)
      #expect(!minutes.isEmpty && sum >= found.samples.map { $0.cpuPercent * $0.seconds }.reduce(0, +) * 0.99 - 1)
      let refused = try await admin.call(.GET, "/iaas/vms/\(id)/metrics?step=7")
      #expect(refused.status == 422 && refused.text.contains("multiple of 10"))

      // The same, as Prometheus gets it.
      let token = try String(contentsOfFile: "\(stack.state)/agent/metrics.token", encoding: .utf8)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      #expect(try await scrape("compute-agent").contains("\"unauthenticated\""))
      #expect(try await scrape("compute-agent", token: "AAAA").contains("\"unauthenticated\""))
      let agent = try await scrape("compute-agent", token: token)
      #expect(agent.contains("iaas_vm_cpu_seconds_total{vm=\"\(id)\"}"))
      let inventory = try await scrape("inventory-service")
      #expect(inventory.contains("iaas_vms{state=\"running\"}") && inventory.contains("iaas_host_report_age_seconds{"))
      let gateway = try await scrape("gateway")
      let texts = [agent, inventory, gateway, try await scrape("auth-service")]
      for text in texts {
        #expect(text.contains("# TYPE http_requests_total counter"))
        try await promtool("check", "metrics", input: text)
      }
      try await monitoringFilesFit(texts)
    }
  }

  /// Prometheus takes the files of `Deploy/monitoring`, and what they ask for is there.
  private func monitoringFilesFit(_ texts: [String]) async throws {
    let names = Set(texts.flatMap { $0.matches(of: /(?m)^([a-z_]+)[ {]/).map { String($0.1) } })
    // These are told only while there is something to tell.
    let rare: Set = ["iaas_vms_busy", "iaas_operations_active", "iaas_images"]
    try await TestEnvironment.withFolder { folder in
      try await Shell.run("sh", "-c", "cp '\(TestEnvironment.root.path)'/Deploy/monitoring/* '\(folder)'")
      try "token".write(toFile: "\(folder)/metrics.token", atomically: true, encoding: .utf8)
      try await promtool("check", "config", "\(folder)/prometheus.yml")
      let dashboard = try JSONDecoder().decode(
        Dashboard.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/grafana-dashboard.json")))
      let expressions = dashboard.panels.flatMap(\.targets).map(\.expr)
      #expect(expressions.count >= 15)
      for expression in expressions {
        let asked = expression.matches(of: /\b(?:iaas|http)_[a-z_]+/).map { String($0.0) }
        #expect(!asked.isEmpty && Set(asked).subtracting(names).subtracting(rare).isEmpty, "\(expression)")
      }
      // The syntax of an expression is checked as that of a rule.
      let rules = expressions.enumerated().map { number, expression in
        "  - record: r\(number)\n    expr: '\(expression)'\n"
      }
      try ("groups:\n- name: dashboard\n  rules:\n" + rules.joined()).write(
        toFile: "\(folder)/dashboard.yml", atomically: true, encoding: .utf8)
      try await promtool("check", "rules", "\(folder)/dashboard.yml")
    }
  }

  private struct Dashboard: Decodable {
    struct Target: Decodable { let expr: String }
    struct Panel: Decodable { let targets: [Target] }
    let panels: [Panel]
  }

  /// Processor time of a process, and of the machine's clock, in seconds.
  private func share(of pid: String, for time: Duration) async throws -> Double {
    func used() throws -> Double {
      let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
      return ((Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0)) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
    let (start, before) = (ContinuousClock.now, try used())
    try await Task.sleep(for: time)
    return (try used() - before) / (ContinuousClock.now - start).seconds
  }

  @Test func aGuestUsesNoMoreThanItMay() async throws {
    try await withRunningVM { id, uri in
      func tune(_ verb: String, _ more: String...) async throws -> String {
        try await Shell.run("virsh", arguments: ["--quiet", "--connect", uri, verb, "iaas-\(id)"] + more)
      }
      func ask(_ caps: Caps?) async throws -> APIUser.Reply {
        try await admin.call(.PUT, "/iaas/vms/\(id)", ["caps": caps], headers: Self.patient)
      }
      let disk = Caps(diskBytesPerSecond: 1 << 20, diskOperationsPerSecond: 200)
      let capped = try await ask(disk)
      #expect(capped.status == 200, "\(capped)")
      let caps = try capped.json(VM.self).caps
      #expect(caps == disk)
      func isDiskCapped() async throws -> Bool {
        let text = try await tune("blkdeviotune", "vda")
        return text.contains(/total_bytes_sec *: 1048576/) && text.contains(/total_iops_sec *: 200/)
      }
      #expect(try await isDiskCapped())
      // Also after another start.
      let stopped = try await change(id, ["state": "stop"])
      #expect(stopped.state == .stopped)
      _ = try await change(id, ["state": "start"])
      #expect(try await isDiskCapped())

      // Whether processors can be capped here is known to who prepared the tests.
      let processors = try await ask(Caps(cpuShare: 25))
      if ProcessInfo.processInfo.environment["IAAS_LIBVIRT_CGROUPS"]?.contains("cpu") == true {
        #expect(processors.status == 200, "\(processors)")
        #expect(try await tune("schedinfo").contains(/vcpu_quota *: 25000/))
        let pid = try await Shell.run("pgrep", "-f", "^[^ ]*qemu-system.* guest=iaas-\(id)[ ,]")
        // Booting keeps a processor busy, and what is not the guest's own is not capped.
        let share = try await share(of: pid.split(separator: "\n").joined(), for: .seconds(3))
        #expect(share < 0.6, "\(share)")
      } else {
        #expect(processors.status == 409 && processors.text.contains("cannot cap its processor time"), "\(processors)")
      }
      // Nobody but administrators caps, or lifts a cap.
      let (api, user) = try await newUser()
      #expect(try await api.call(.PUT, "/iaas/vms/\(id)", ["caps": Caps?.none]).status >= 403)
      try await remove(user)

      // A kernel without the schedulers cannot hold back a network.
      let network = try await ask(Caps(netBytesPerSecond: 1 << 20))
      #expect(
        network.status == 200 || (network.status == 409 && network.text.contains("cannot cap its network traffic")))
      let lifted = try await ask(nil)
      #expect(lifted.status == 200, "\(lifted)")
      #expect(try await tune("blkdeviotune", "vda").contains(/total_bytes_sec *: 0/))
      let free = try lifted.json(VM.self)
      #expect(free.caps == nil && free.reason == nil, "\(free)")
    }
  }
}
