import Foundation

@testable import CommandLineTool

extension Sample {
  static let host = "0199f3a2-4444-7000-8000-000000000005"
  static let key = "0199f3a2-5555-7000-8000-000000000006"
  static let vmPath = "/iaas/vms/\(vm)"
  static let hostPath = "/iaas/hosts/\(host)"

  /// Keys that were made for this, with what `ssh-keygen -l` says of them.
  static let edKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILD0fAyjypCEYCb4EY0xKrzA88LZC/XPsW/lTqA4d67j"
  static let edPrint = "SHA256:m1HkK0zdHf5USFHM5QfhdNZLgtNjsqpjUW/OthnEhqM (ED25519)"
  static let ecKey = """
    ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAKvJ7QaKZlAuJlblAJqhxZatmG0vaUz3mt2H0DIKR\
    NChIF8qU2tsKtxaO/kxJKvD9AXySpRJU5OrJwkWoj5E5o=
    """
  static let ecPrint = "SHA256:t8yxGOh5bjEmO+RCcqq2hDJcC/SOvSxeBkSbX2W9Mxo (ECDSA)"

  /// A VM whose guest has reached these stages.
  static func guestJSON(
    _ stages: [String], state: String = "running", ips: [String] = ["10.0.0.7"], hostKeys: [String]? = nil,
    reason: String? = nil
  ) -> String {
    let at = Date().addingTimeInterval(-600).formatted(.iso8601)
    let steps = stages.map { #"{"stage":"\#($0)","at":"\#(at)","evidence":"seen"}"# }.joined(separator: ",")
    let readiness = stages.last.map { #","readiness":{"stage":"\#($0)","steps":[\#(steps)]}"# } ?? ""
    let addresses = ips.map { #"{"ip":"\#($0)","mac":"52:54:00:00:00:01"}"# }.joined(separator: ",")
    let keys = hostKeys.map { #","hostKeys":[\#($0.map { "\"\($0)\"" }.joined(separator: ","))]"# } ?? ""
    let reason = reason.map { #","reason":"\#($0)""# } ?? ""
    let size = #""mem":2048,"vcpus":2,"disk":10,"group":"web","image":"\#(image)","host":"\#(host)""#
    return
      #"{"id":"\#(vm)","name":"web1",\#(size),"state":"\#(state)","addresses":[\#(addresses)]\#(readiness)\#(keys)\#(reason)}"#
  }

  static func hostJSON(state: String = "up", more: String = "") -> String {
    #"{"id":"\#(host)","addr":"hv1:7443","state":"\#(state)","arch":"x86_64","memFree":1024,"diskFree":10\#(more)}"#
  }

  static func keyJSON(_ name: String = "laptop", isDefault: Bool = false) -> String {
    #"{"id":"\#(key)","name":"\#(name)","key":"\#(edKey)","fingerprint":"SHA256:x","default":\#(isDefault),"createdAt":"c"}"#
  }
}
