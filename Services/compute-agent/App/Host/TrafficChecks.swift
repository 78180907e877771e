import Foundation
import Libvirt
import ServiceKit

/// Whether packets get from guests to the outside and back, and from the installation to the agent.
struct TrafficChecks: Sendable {
  let settings: AgentSettings
  let network: Network?
  let installation: String?

  var forwarding: HostCheck {
    guard let bridge = network?.bridge, network?.isActive == true else {
      return .skipped("forwarding", "the network is not there, or has no bridge of libvirt's")
    }
    guard access("/sys/class/net/\(bridge)", F_OK) == 0 else {
      return .bad(
        "forwarding",
        "there is no bridge \(bridge). Run: virsh net-destroy \(settings.network) && virsh "
          + "net-start \(settings.network)")
    }
    guard Machine.text("/proc/sys/net/ipv4/ip_forward").hasPrefix("1") else {
      return .bad(
        "forwarding", "guests reach nothing, because net.ipv4.ip_forward is 0. Run: sysctl -w net.ipv4.ip_forward=1")
    }
    return .good("forwarding", "on, by the bridge \(bridge)")
  }

  /// What packet filters say of guests' traffic, and of the agent's port.
  func filters() async -> [HostCheck] {
    guard geteuid() == 0 else {
      return ["guests' traffic", "firewall"].map { .skipped($0, "run this as root to have it looked at") }
    }
    let rules = await output("iptables", "-w", "-S").map(IptablesRules.init)
    let text = await output("nft", "-j", "list", "ruleset")
    let judgement = FilterJudgement(
      iptables: rules ?? IptablesRules(""), nft: text.flatMap { try? NftRuleset(json: Data($0.utf8)) })
    let uplink = Machine.defaultInterface(inRoutes: Machine.text("/proc/net/route"))
    let guests =
      network?.bridge.map { judgement.guests(bridge: $0, uplink: uplink) }
      ?? .skipped("guests' traffic", "the network is not there, or has no bridge of libvirt's")
    return [guests, judgement.port(settings.listen.port, uplink: uplink, installation: installation)]
  }

  private func output(_ name: String, _ arguments: String...) async -> String? {
    guard let path = Machine.program(name), let outcome = try? await Tool.run(path, arguments), outcome.succeeded else {
      return nil
    }
    return outcome.output
  }
}

/// What the packet filters of a machine mean to a host.
struct FilterJudgement: Sendable {
  let iptables: IptablesRules
  /// Nil where there is no nftables.
  let nft: NftRuleset?

  /// Docker sets the policy of FORWARD to DROP, by which the guests of libvirt are cut off.
  func guests(bridge: String, uplink: String?) -> HostCheck {
    let ways = [
      Packet(input: bridge, output: uplink), Packet(input: uplink, output: bridge, isAnswer: true),
    ]
    if let chain = ways.lazy.compactMap({ nft?.chains(of: .forward, dropping: $0).first }).first {
      return .bad(
        "guests' traffic",
        "nftables' \(chain.words) drops it. Run: nft insert rule \(chain.words) iifname \(bridge) accept && nft insert "
          + "rule \(chain.words) oifname \(bridge) ct state established,related accept; and add both to /etc/nftables.conf"
      )
    }
    guard ways.contains(where: { iptables.verdict(on: $0, in: "FORWARD") == .dropped }) else {
      return .good("guests' traffic", "let through from \(bridge) and back")
    }
    let isDocker = iptables.has("DOCKER-USER")
    if iptables.has("ufw-user-forward") && !isDocker {
      return .bad(
        "guests' traffic", "ufw drops it. Run: ufw route allow in on \(bridge) && ufw route allow out on \(bridge)")
    }
    let chain = isDocker ? "DOCKER-USER" : "FORWARD"
    let commands = ["-i", "-o"].map { "iptables -I \(chain) \($0) \(bridge) -j ACCEPT" }.joined(separator: " && ")
    let lasting =
      isDocker
      ? "to make it last: docs/hypervisor.md, \"Docker on the same machine\""
      : "to make it last: apt-get install iptables-persistent"
    return .bad(
      "guests' traffic",
      "\(isDocker ? "Docker's policy of FORWARD" : "FORWARD") drops it. Run: \(commands); \(lasting)")
  }

  /// - Parameter installation: Whose inventory-service is to reach the port.
  func port(_ port: Int, uplink: String?, installation: String?) -> HostCheck {
    let packet = Packet(input: uplink, port: port)
    let source = installation ?? "ADDRESS"
    let hint = installation == nil ? " (ADDRESS: of inventory-service, and of the other hosts)" : ""
    if let chain = nft?.chains(of: .input, dropping: packet).first {
      return .bad(
        "firewall",
        "nftables' \(chain.words) drops what comes to port \(port). Run: nft insert rule \(chain.words) ip saddr "
          + "\(source) tcp dport \(port) accept; and add it to /etc/nftables.conf\(hint)")
    }
    switch iptables.verdict(on: packet, in: "INPUT") {
    case .passes: return .good("firewall", "port \(port) is open")
    case .passesPartly: return .good("firewall", "port \(port) is open to some")
    case .dropped where iptables.has("ufw-user-input"):
      return .bad(
        "firewall",
        "ufw drops what comes to port \(port). Run: ufw allow proto tcp from \(source) to any port \(port)\(hint)")
    case .dropped:
      return .bad(
        "firewall",
        "INPUT drops what comes to port \(port). Run: iptables -I INPUT -p tcp -s \(source) --dport \(port) "
          + "-j ACCEPT\(hint)")
    }
  }
}
