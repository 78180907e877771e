import Foundation
import ServiceKit
import TestSupport
import Testing

@testable import ComputeAgent

/// What the doctor of a host makes of what programs and the kernel say; `Golden/Host` has what they said.
@Suite struct HostDoctorTests {
  private static func recorded(_ name: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try String(contentsOf: folder.appending(path: "Golden/Host/\(name)"), encoding: .utf8)
  }

  private func judgement(_ rules: String, nft: String? = nil) throws -> FilterJudgement {
    FilterJudgement(iptables: IptablesRules(rules), nft: try nft.map { try NftRuleset(json: Data($0.utf8)) })
  }

  @Test func dockersPolicyCutsGuestsOffUntilItsOwnChainLetsThemThrough() throws {
    let docker = try Self.recorded("docker.rules")
    let check = try judgement(docker).guests(bridge: "virbr0", uplink: "eth0")
    #expect(check.result == .bad)
    #expect(check.found.contains("iptables -I DOCKER-USER -i virbr0 -j ACCEPT"))
    #expect(check.found.contains("iptables -I DOCKER-USER -o virbr0 -j ACCEPT"))
    func with(_ rules: String...) -> String {
      docker.replacing("-A DOCKER-USER -j RETURN", with: (rules + ["-A DOCKER-USER -j RETURN"]).joined(separator: "\n"))
    }
    let (out, back) = ("-A DOCKER-USER -i virbr0 -j ACCEPT", "-A DOCKER-USER -o virbr0 -j ACCEPT")
    #expect(try judgement(with(out, back)).guests(bridge: "virbr0", uplink: "eth0").result == .good)
    #expect(try judgement(with(out)).guests(bridge: "virbr0", uplink: "eth0").result == .bad)
    #expect(try judgement(with(back)).guests(bridge: "virbr0", uplink: "eth0").result == .bad)
    #expect(try judgement(with(out, back)).guests(bridge: "virbr1", uplink: "eth0").result == .bad)
    // After the chain has given the packet back, its rules count no more.
    let late = docker + "\n\(out)\n\(back)\n"
    #expect(try judgement(late).guests(bridge: "virbr0", uplink: "eth0").result == .bad)
  }

  @Test func libvirtsOwnChainsLetItsGuestsThrough() throws {
    let rules = """
      -P FORWARD DROP
      -N LIBVIRT_FWI
      -N LIBVIRT_FWO
      -A FORWARD -j LIBVIRT_FWI
      -A FORWARD -j LIBVIRT_FWO
      -A LIBVIRT_FWI -d 192.168.122.0/24 -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable
      -A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT
      -A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable
      """
    let passing = try judgement(rules).guests(bridge: "virbr0", uplink: "eth0")
    #expect(passing.result == .good)
    let answers = Packet(input: "eth0", output: "virbr0", isAnswer: true)
    #expect(IptablesRules(rules).verdict(on: answers, in: "FORWARD") == .passesPartly)
    let strangers = Packet(input: "eth0", output: "virbr0")
    #expect(IptablesRules(rules).verdict(on: strangers, in: "FORWARD") == .dropped)
  }

  @Test func ufwIsToldFromOthersAndItsRulesAreRead() throws {
    let closed = try judgement(try Self.recorded("ufw.rules"))
    let check = closed.port(7443, uplink: "eth0", installation: "192.0.2.10")
    #expect(check.result == .bad)
    #expect(check.found.contains("ufw allow proto tcp from 192.0.2.10 to any port 7443"))
    #expect(
      closed.port(7443, uplink: "eth0", installation: nil).found.contains("from ADDRESS to any port 7443 (ADDRESS"))
    #expect(closed.port(22, uplink: "eth0", installation: nil).result == .good)
    #expect(closed.guests(bridge: "virbr0", uplink: "eth0").found.contains("ufw route allow in on virbr0"))
    let open = try judgement(try Self.recorded("ufw-open.rules"))
    #expect(open.port(7443, uplink: "eth0", installation: nil).found == "port 7443 is open to some")
    #expect(open.port(7444, uplink: "eth0", installation: nil).result == .bad)
  }

  @Test func aPlainInputChainIsRead() throws {
    let rules = """
      -P INPUT DROP
      -A INPUT -i lo -j ACCEPT
      -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A INPUT -p udp -m udp --dport 7443 -j ACCEPT
      -A INPUT -p tcp -m multiport --dports 22,8000:8100 -j ACCEPT
      """
    let filter = try judgement(rules)
    #expect(filter.port(7443, uplink: "eth0", installation: "192.0.2.10").found.contains("-s 192.0.2.10 --dport 7443"))
    #expect(filter.port(8080, uplink: "eth0", installation: nil).found == "port 8080 is open")
    #expect(filter.port(22, uplink: nil, installation: nil).result == .good)
    #expect(try judgement("").port(7443, uplink: "eth0", installation: nil).result == .good)
    // What is not to come in is dropped before what may.
    let denied = rules.replacing(
      "-A INPUT -i lo", with: "-A INPUT -p tcp -m tcp --dport 8080 -j REJECT\n-A INPUT -i lo")
    #expect(try judgement(denied).port(8080, uplink: "eth0", installation: nil).result == .bad)
    // Not from one network is a condition that nobody can judge beforehand.
    let some = "-P INPUT DROP\n-A INPUT ! -s 198.51.100.0/24 -p tcp -m tcp --dport 7443 -j ACCEPT"
    #expect(try judgement(some).port(7443, uplink: "eth0", installation: nil).found.hasSuffix("to some"))
  }

  @Test func nftablesCountsBesideIptables() throws {
    let nft = try Self.recorded("nft.json")
    let filter = try judgement("-P FORWARD ACCEPT\n-P INPUT ACCEPT", nft: nft)
    let check = filter.guests(bridge: "virbr0", uplink: "eth0")
    #expect(check.result == .bad)
    #expect(check.found.contains("nft insert rule inet filter forward iifname virbr0 accept"))
    #expect(filter.guests(bridge: "docker0", uplink: "eth0").result == .good)
    #expect(filter.port(7443, uplink: "eth0", installation: nil).result == .good)
    #expect(filter.port(8080, uplink: "eth0", installation: nil).result == .good)
    let closed = filter.port(7444, uplink: "eth0", installation: "192.0.2.10")
    #expect(closed.found.contains("nft insert rule inet filter input ip saddr 192.0.2.10 tcp dport 7444 accept"))
    // Rules count by the chains that lead to them.
    let jump = #"{"rule":{"family":"inet","table":"filter","chain":"forward","expr":[{"jump":{"target":"input"}}]}},"#
    let led = nft.replacing(#"{"rule": "#, with: jump + #"{"rule": "#, maxReplacements: 1)
    #expect(led != nft)
    #expect(try judgement("", nft: led).guests(bridge: "virbr0", uplink: "eth0").result == .bad)
    let all = led.replacing(#""right": "lo""#, with: #""right": "virbr0""#)
    #expect(try judgement("", nft: all).guests(bridge: "virbr0", uplink: "eth0").result == .good)
    #expect(try judgement("", nft: #"{"nftables": []}"#).port(1, uplink: nil, installation: nil).result == .good)
    #expect(throws: (any Error).self) { try NftRuleset(json: Data("Error: no".utf8)) }
  }

  /// What is found of a machine, and what is said of it.
  struct Virtual: Sendable {
    var choice = VirtualisationChoice.auto
    var extensions: String?
    var device: Bool?
    var works = false
    let result: HostCheck.Result
    let words: String
  }

  @Test(arguments: [
    Virtual(extensions: "vmx", device: true, works: true, result: .good, words: "under KVM (vmx)"),
    Virtual(result: .warning, words: "neither vmx nor svm"),
    Virtual(extensions: "svm", result: .warning, words: "modprobe kvm_amd"),
    Virtual(extensions: "vmx", result: .warning, words: "modprobe kvm_intel"),
    Virtual(extensions: "vmx", device: false, result: .warning, words: "group kvm"),
    Virtual(extensions: "vmx", device: true, result: .warning, words: "no guest runs on it"),
    Virtual(choice: .kvm, extensions: "vmx", device: true, result: .bad, words: "asks for KVM"),
  ])
  func virtualisationIsJudgedByTrial(_ machine: Virtual) {
    let check = VirtualisationCheck.judge(
      choice: machine.choice, extensions: machine.extensions, device: machine.device, works: machine.works)
    #expect(check.result == machine.result && check.found.contains(machine.words), "\(check)")
  }

  @Test func theKernelsWordsAreRead() {
    #expect(Machine.extensions(inCPUInfo: "model name\t: X\nflags\t\t: fpu vme svm sse\n") == "svm")
    #expect(Machine.extensions(inCPUInfo: "flags\t\t: fpu vmxnet\nbugs\t: vmx\n") == nil)
    let routes = """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
      wlan0\t00000000\t010010AC\t0003\t0\t0\t600\t00000000\t0\t0\t0
      eth0\t00000000\t010010AC\t0003\t0\t0\t100\t00000000\t0\t0\t0
      eth0\t000010AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
      """
    #expect(Machine.defaultInterface(inRoutes: routes) == "eth0")
    #expect(Machine.defaultInterface(inRoutes: "Iface\tDestination\n") == nil)
    let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /var/lib tmpfs rw 0 0\n/dev/vdb /var/lib/iaas-agent xfs rw 0 0\n"
    #expect(Machine.fileSystem(of: "/var/lib/iaas-agent", inMounts: mounts) == "xfs")
    #expect(Machine.fileSystem(of: "/var/lib/iaas-agents", inMounts: mounts) == "tmpfs")
    #expect(Machine.fileSystem(of: "/var/library", inMounts: mounts) == "ext4")
    let capabilities = """
      <secmodel><model>apparmor</model></secmodel><secmodel><model>dac</model><doi>0</doi>
      <baselabel type='kvm'>+64055:+107</baselabel><baselabel type='qemu'>+64055:+107</baselabel></secmodel>
      """
    let account = Machine.guestAccount(inCapabilities: capabilities)
    #expect(account?.user == 64055 && account?.group == 107)
    #expect(Machine.guestAccount(inCapabilities: "<capabilities/>") == nil)
    #expect(ServiceChecks.clock(timedatectl: "yes\n").result == .good)
    #expect(ServiceChecks.clock(timedatectl: "no\n").result == .warning)
    #expect(ServiceChecks.clock(timedatectl: nil).result == .skipped)
  }
}
