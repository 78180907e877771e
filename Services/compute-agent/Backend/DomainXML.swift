import Foundation
import Models

/// What of a host decides how its domains are described.
struct HostShape: Sendable {
  let virtualisation: Virtualisation
  /// As libvirt names it.
  let arch: String
  /// The libvirt network of the VMs.
  let network: String

  /// The architecture of the machine this runs on.
  static var ownArch: String {
    var name = utsname()
    uname(&name)
    // Safe: uname ends the text with a NUL inside the array.
    return withUnsafeBytes(of: name.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

/// The domain of a VM (https://libvirt.org/formatdomain.html): virtio devices, explicit formats, nothing passed through,
/// console and display on unix sockets only.
struct DomainXML: Sendable {
  let spec: VMSpec
  let paths: VMPaths
  let shape: HostShape

  /// - Parameter identity: What the metadata says; nil for a description without metadata.
  func document(_ identity: DomainIdentity?) -> String {
    let metadata = identity.map { [XML("metadata", [:], [$0.qualifiedElement])] } ?? []
    return XML(
      "domain", ["type": isEmulated ? "qemu" : "kvm"],
      [
        XML("name", text: "iaas-\(spec.id)"), XML("uuid", text: spec.id.description), XML("title", text: spec.name),
      ] + metadata + [
        XML("memory", ["unit": "MiB"], text: String(spec.mem)), XML("vcpu", text: String(spec.vcpus)), system, features,
        XML("cpu", ["mode": isEmulated ? "maximum" : "host-passthrough"]), XML("clock", ["offset": "utc"]),
        XML("on_poweroff", text: "destroy"), XML("on_reboot", text: "restart"), XML("on_crash", text: "destroy"),
        devices,
      ]
    ).document()
  }

  /// The name of the target of the disk that a guest boots from.
  static let systemDisk = "vda"

  private var isEmulated: Bool { shape.virtualisation == .emulated }
  private var isX86: Bool { shape.arch == Architecture.standard }

  private var system: XML {
    let type = XML("type", ["arch": shape.arch, "machine": isX86 ? "q35" : "virt"], text: "hvm")
    // Elsewhere there is no BIOS, and no ACPI without UEFI.
    return isX86 ? XML("os", [:], [type]) : XML("os", ["firmware": "efi"], [type])
  }

  private var features: XML {
    // A small translation cache brings an idle emulated guest from 245 to 188 MiB.
    let emulation = [XML("tcg", [:], [XML("tb-cache", ["unit": "MiB"], text: "32")])]
    return XML(
      "features", [:], [XML("acpi")] + (isX86 ? [XML("apic")] : []) + (isEmulated ? emulation : []))
  }

  private var devices: XML {
    XML(
      "devices", [:],
      [
        disk(paths.disk(spec.diskNumber), format: "qcow2", target: Self.systemDisk, bootOrder: 1),
        // A virtio disk: cloud kernels have no driver for a SATA CD-ROM.
        disk(paths.seed, format: "raw", target: "vdb", bootOrder: nil), interface, console,
        XML("console", ["type": "unix"], [consoleSource, XML("target", ["type": "serial", "port": "0"])]),
        XML(
          "channel", ["type": "unix"],
          [XML("source", ["mode": "bind"]), XML("target", ["type": "virtio", "name": "org.qemu.guest_agent.0"])]),
        XML("graphics", ["type": "vnc"], [XML("listen", ["type": "socket"])]),
        XML("video", [:], [XML("model", ["type": isX86 ? "vga" : "virtio"])]),
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
        XML("mac", ["address": spec.id.mac]), XML("source", ["network": shape.network]),
        XML("model", ["type": "virtio"]), XML("rom", ["enabled": "no"]),
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
}
