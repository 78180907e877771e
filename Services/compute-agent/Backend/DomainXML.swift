import Foundation
import Models

/// The identity of a VM of ours, in its domain's own metadata element.
struct DomainIdentity: Equatable, Sendable {
  static let namespace = "https://swift-iaas.example/domain/1"
  static let prefix = "iaas"

  var owner: UserID
  var generation: Int64

  /// The element without its namespace, as `virDomainSetMetadata` takes it.
  var element: String { XML("vm", ["owner": owner.description, "generation": String(generation)]).document() }

  init(owner: UserID, generation: Int64) {
    self.owner = owner
    self.generation = generation
  }

  /// Reads the element as libvirt returns it; nil when it is not as we wrote it.
  init?(metadata text: String) {
    guard let owner = text.firstMatch(of: /\sowner=['"]([^'"]*)['"]/).flatMap({ UserID(String($0.1)) }),
      let generation = text.firstMatch(of: /\sgeneration=['"]([0-9]+)['"]/).flatMap({ Int64($0.1) })
    else { return nil }
    self.init(owner: owner, generation: generation)
  }
}

/// Where the parts of a VM lie on this host.
struct VMPaths: Sendable {
  let folder: String
  /// The console's socket, in a folder of its own because a socket's path has at most 107 bytes (unix(7)).
  let consoleSocket: String

  var disk: String { "\(folder)/disk.qcow2" }
  /// The image, where it came through the host's cache.
  var base: String { "\(folder)/base.qcow2" }
  var seed: String { "\(folder)/seed.iso" }
  var consoleLog: String { "\(folder)/console.log" }
}

/// The domain of a VM (https://libvirt.org/formatdomain.html): q35, virtio devices, explicit formats, nothing passed
/// through, console and display on unix sockets only.
struct DomainXML {
  let spec: VMSpec
  let paths: VMPaths
  let virtualisation: Virtualisation
  let network: String

  var document: String {
    let identity = DomainIdentity(owner: spec.owner, generation: spec.generation)
    return XML(
      "domain", ["type": virtualisation == .kvm ? "kvm" : "qemu"],
      [
        XML("name", text: "iaas-\(spec.id)"), XML("uuid", text: spec.id.description),
        XML("title", text: spec.name),
        XML(
          "metadata", [:],
          [
            XML(
              "\(DomainIdentity.prefix):vm",
              [
                "xmlns:\(DomainIdentity.prefix)": DomainIdentity.namespace, "owner": identity.owner.description,
                "generation": String(identity.generation),
              ])
          ]),
        XML("memory", ["unit": "MiB"], text: String(spec.mem)), XML("vcpu", text: String(spec.vcpus)),
        XML("os", [:], [XML("type", ["arch": "x86_64", "machine": "q35"], text: "hvm")]), features,
        XML("cpu", ["mode": virtualisation == .kvm ? "host-passthrough" : "maximum"]),
        XML("clock", ["offset": "utc"]), XML("on_poweroff", text: "destroy"), XML("on_reboot", text: "restart"),
        XML("on_crash", text: "destroy"), devices,
      ]
    ).document()
  }

  private var features: XML {
    // A small translation cache brings an idle emulated guest from 245 to 188 MiB.
    let emulation = [XML("tcg", [:], [XML("tb-cache", ["unit": "MiB"], text: "32")])]
    return XML("features", [:], [XML("acpi"), XML("apic")] + (virtualisation == .emulated ? emulation : []))
  }

  private var devices: XML {
    XML(
      "devices", [:],
      [
        disk(paths.disk, format: "qcow2", target: "vda", bootOrder: 1),
        // A virtio disk: cloud kernels have no driver for a SATA CD-ROM.
        disk(paths.seed, format: "raw", target: "vdb", bootOrder: nil), interface, console,
        XML("console", ["type": "unix"], [consoleSource, XML("target", ["type": "serial", "port": "0"])]),
        XML(
          "channel", ["type": "unix"],
          [XML("source", ["mode": "bind"]), XML("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"])]),
        XML("graphics", ["type": "vnc"], [XML("listen", ["type": "socket"])]),
        XML("video", [:], [XML("model", ["type": "vga"])]),
        XML("rng", ["model": "virtio"], [XML("backend", ["model": "random"], text: "/dev/urandom")]),
        XML("memballoon", ["model": "virtio"], [XML("stats", ["period": "10"])]),
      ])
  }

  private func disk(_ path: String, format: String, target: String, bootOrder: Int?) -> XML {
    XML(
      "disk", ["type": "file", "device": "disk"],
      [
        XML("driver", ["name": "qemu", "type": format]), XML("source", ["file": path]),
        XML("target", ["dev": target, "bus": "virtio"]),
      ] + (bootOrder.map { [XML("boot", ["order": String($0)])] } ?? [XML("readonly")]))
  }

  private var interface: XML {
    XML(
      "interface", ["type": "network"],
      [
        XML("mac", ["address": mac]), XML("source", ["network": network]), XML("model", ["type": "virtio"]),
        XML("rom", ["enabled": "no"]),
      ])
  }

  private var consoleSource: XML { XML("source", ["mode": "bind", "path": paths.consoleSocket]) }

  private var console: XML {
    XML(
      "serial", ["type": "unix"],
      [
        consoleSource, XML("log", ["file": paths.consoleLog, "append": "on"]), XML("target", ["port": "0"]),
      ])
  }

  /// QEMU's own prefix, and the last bytes of the id, which are random.
  private var mac: String {
    let tail = withUnsafeBytes(of: spec.id.uuid.uuid) { Array($0.suffix(3)) }
    return "52:54:00:" + tail.map { String(format: "%02x", $0) }.joined(separator: ":")
  }
}
