import Foundation

/// What the kernel tells of this machine, in its own words.
enum Machine {
  /// The CPU's extension for guests by its name in /proc/cpuinfo, `vmx` or `svm`; nil where there is none.
  static func extensions(inCPUInfo text: String) -> String? {
    text.firstMatch(of: /(?m)^flags\s*:.*\b(vmx|svm)\b/).map { String($0.1) }
  }

  /// The interface of the default route with the lowest metric, from /proc/net/route; nil where there is none.
  static func defaultInterface(inRoutes text: String) -> String? {
    let routes = text.split(separator: "\n").dropFirst().compactMap { line -> (name: String, metric: Int)? in
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count > 7, words[1] == "00000000", words[7] == "00000000" else { return nil }
      return (String(words[0]), Int(words[6]) ?? 0)
    }
    return routes.min { $0.metric < $1.metric }?.name
  }

  /// The address that packets to the outside bear; nil where no route leads there. Nothing is sent.
  static var ownAddress: String? {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // RFC 5737: an address of documents, which is nobody's.
    var (there, here, length) = (sockaddr_in(), sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    there.sin_family = sa_family_t(AF_INET)
    there.sin_port = UInt16(9).bigEndian
    inet_pton(AF_INET, "192.0.2.1", &there.sin_addr)
    // Safe: both addresses are as long as said, and outlive the calls.
    let isConnected = withUnsafePointer(to: &there) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
    }
    let isNamed = withUnsafeMutablePointer(to: &here) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
    }
    guard isConnected, isNamed else { return nil }
    var text = [CChar](repeating: 0, count: Int(INET_ADDRSTRLEN))
    guard inet_ntop(AF_INET, &here.sin_addr, &text, socklen_t(text.count)) != nil else { return nil }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The kind of file system that a path lies on, from /proc/self/mounts; nil where none holds it.
  static func fileSystem(of path: String, inMounts text: String) -> String? {
    let mounts = text.split(separator: "\n").compactMap { line -> (point: Substring, kind: Substring)? in
      let words = line.split(separator: " ")
      return words.count > 2 ? (words[1], words[2]) : nil
    }
    // Of two at one place the later one is seen.
    return mounts.filter { $0.point == "/" || path == $0.point || path.hasPrefix($0.point + "/") }
      .enumerated().max { ($0.element.point.count, $0.offset) < ($1.element.point.count, $1.offset) }
      .map { String($0.element.kind) }
  }

  /// Where a program lies by the `PATH` of this process.
  static func program(_ name: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  /// The account of QEMU in libvirt's capabilities (https://libvirt.org/formatcaps.html), by its numbers; nil where guests
  /// run as they are started.
  static func guestAccount(inCapabilities xml: String) -> (user: UInt32, group: UInt32)? {
    let model = /(?s)<model>dac<\/model>.*?<baselabel type='(?:kvm|qemu)'>\+(\d+):\+(\d+)<\/baselabel>/
    guard let match = xml.firstMatch(of: model), let user = UInt32(match.1), let group = UInt32(match.2) else {
      return nil
    }
    return (user, group)
  }
}
