import Foundation
import Libvirt
import Models
import ServiceKit

/// Looks after a hypervisor host: everything that the agent and its guests need, each with what to do where it is not so.
/// It changes nothing.
struct HostDoctor: Sendable {
  let settings: AgentSettings
  /// Where the settings came from, as it stands in a sentence.
  let source: String
  /// Who is to reach the agent's port, for the rules that are proposed; nil where nobody said.
  let installation: String?

  /// What must be so before the agent starts; takes no time that a start would not. The agent waits for libvirt, so that
  /// its absence is a warning here.
  func startChecks() async -> [HostCheck] {
    let storage = StorageChecks(settings: settings)
    let libvirt = await libvirtChecks().checks.map { $0.result == .bad ? .warning($0.name, $0.found) : $0 }
    return [configuration, storage.password, storage.state, storage.tools] + libvirt
  }

  /// All but whether the service runs.
  func hostChecks() async -> [HostCheck] {
    let storage = StorageChecks(settings: settings)
    let (libvirt, network, account) = await libvirtChecks()
    let service = ServiceChecks(settings: settings)
    let traffic = TrafficChecks(settings: settings, network: network, installation: installation)
    var checks = [configuration, storage.password] + libvirt
    checks.append(await VirtualisationCheck(choice: settings.virtualisation).check())
    checks += [storage.state, storage.links, await storage.reach(of: account), storage.tools]
    checks += [traffic.forwarding]
    checks += await traffic.filters()
    return checks + [await service.clock(), await service.port(), service.enrolment]
  }

  func allChecks() async -> [HostCheck] { await hostChecks() + [ServiceChecks(settings: settings).unit()] }

  private var configuration: HostCheck { .good("configuration", source) }

  // MARK: libvirt

  /// The checks, and the network and QEMU's account for those that come after.
  private func libvirtChecks() async -> (checks: [HostCheck], network: Network?, account: (UInt32, UInt32)?) {
    let libvirt = LibvirtConnection(uri: settings.libvirtURI)
    defer { Task { await libvirt.close() } }
    do {
      let version = try await libvirt.libraryVersion()
      let hypervisor = try await libvirt.hypervisorVersion()
      let network = try await libvirt.network(settings.network)
      let account = Machine.guestAccount(inCapabilities: try await libvirt.capabilitiesXML())
      let answer = HostCheck.good("libvirt", "\(version) with QEMU \(hypervisor) at \(settings.libvirtURI)")
      return ([answer, check(network)], network, account)
    } catch {
      let said = Text.printable(error.message, limit: 200)
      let advice = geteuid() == 0 ? "Run: systemctl start libvirtd" : "Run this as root."
      return ([.bad("libvirt", "no answer at \(settings.libvirtURI): \(said). \(advice)")], nil, nil)
    }
  }

  private func check(_ network: Network?) -> HostCheck {
    let name = settings.network
    guard let network else {
      return .bad(
        "network", "libvirt has no network \(name). Define one, or name another by IAAS_NETWORK (virsh net-list --all)")
    }
    guard network.isActive else {
      return .warning(
        "network", "\(name) is off until the first guest. Run: virsh net-start \(name) && virsh net-autostart \(name)")
    }
    guard network.isAutostarted else {
      return .warning("network", "\(name) will be off after a reboot. Run: virsh net-autostart \(name)")
    }
    return .good("network", "\(name) is active\(network.bridge.map { ", on the bridge \($0)" } ?? "")")
  }
}
