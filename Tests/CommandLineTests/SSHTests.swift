import Foundation
import Models
import Testing

@testable import CommandLineTool

@Suite struct SSHTests {
  private static let vm = UUIDText(Sample.vm)!

  private func invocation(
    address: String = "10.0.0.7", user: String = "root", trust: HostTrust = .firstSeen, path: String = "/h/k",
    command: [String] = []
  ) throws -> [String] {
    let address = try #require(GuestAddress(address))
    return try SSHInvocation(
      vm: Self.vm, address: address, user: user, trust: trust, knownHosts: path, command: command
    ).program().arguments
  }

  @Test func theCommandLine() throws {
    let key = try #require(PublicKey(Sample.edKey))
    let arguments = try invocation(user: "debian", trust: .keys([key]), command: ["-v", "rm -rf $HOME; `x`"])
    #expect(
      arguments == [
        "ssh", "-o", "HostKeyAlias=iaas-\(Sample.vm)", "-o", "UserKnownHostsFile=\"/h/k\"", "-o",
        "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "CheckHostIP=no", "-o",
        "UpdateHostKeys=no", "-o", "ControlPath=none", "-l", "debian", "--", "10.0.0.7", "-v", "rm -rf $HOME; `x`",
      ])
    #expect(try invocation().contains("StrictHostKeyChecking=accept-new"))
  }

  @Test(
    arguments: [
      ("10.0.0.7", "10.0.0.7"), ("FD00::0:1", "fd00::1"), ("2001:db8::a", "2001:db8::a"),
      ("169.254.0.9", "169.254.0.9"),
    ])
  func addresses(text: String, address: String) throws {
    #expect(GuestAddress(text)?.description == address)
    #expect(try invocation(address: text).last == address)
  }

  @Test(
    arguments: [
      "", " 10.0.0.7", "10.0.0.7 ", "10.0.0", "10.0.0.256", "010.0.0.7", "1.2.3.4;reboot", "-oProxyCommand=x",
      "10.0.0.7\n",
      "10.0.0.7\0", "root@10.0.0.7", "ssh://10.0.0.7", "[::2]", "fd00::1%eth0", "fe80::1", "fe80::1%$(reboot)", "::1",
      "::", "::ffff:127.0.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "ff02::1", "localhost", "web1",
    ])
  func hostileAddresses(text: String) { #expect(GuestAddress(text) == nil) }

  @Test(arguments: ["root", "debian", "Ana_1", "ana.b-c", "ana@example.org", "_x"])
  func users(name: String) throws { #expect(try SSHInvocation.checked(user: name) == name) }

  @Test(
    arguments: [
      "", "-oProxyCommand=x", "a b", "a;b", "$(x)", "`x`", "a\nb", "a'b", "a%h", "é", "@x", ".x",
      String(repeating: "a", count: 65),
    ])
  func hostileUsers(name: String) {
    #expect(throws: CommandFailure.self) { try SSHInvocation.checked(user: name) }
    #expect(throws: CommandFailure.self) { try invocation(user: name) }
  }

  @Test(arguments: [("/a b/k", "\"/a b/k\""), ("/100%d/k", "\"/100%%d/k\""), ("/it's/$HOME/k", "\"/it's/$HOME/k\"")])
  func paths(path: String, word: String) throws { #expect(try SSHInvocation.quoted(path: path) == word) }

  @Test(arguments: ["/a\"b", "/a\\b", "/a\nb", "/${HOME}/k", "~/k", "none", ""])
  func pathsThatSSHCannotBeTold(path: String) {
    #expect(throws: CommandFailure.self) { try SSHInvocation.quoted(path: path) }
  }

  @Test func trust() throws {
    #expect(try HostTrust(nil) == .firstSeen)
    #expect(try HostTrust([]) == .firstSeen)
    let key = try #require(PublicKey(Sample.edKey))
    #expect(try HostTrust(["ssh-new AAAA", "\(Sample.edKey) x", "@revoked * \(Sample.ecKey)"]) == .keys([key]))
    #expect(throws: CommandFailure.self) { try HostTrust(["ssh-new AAAA"]) }
  }

  // MARK: The verb

  private func ready(_ hostKeys: [String]? = nil, ips: [String] = ["10.0.0.7"]) throws -> Bench {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON(["network", "ssh"], ips: ips, hostKeys: hostKeys))
    return bench
  }

  private let file = ".config/iaas/known_hosts/\(Sample.vm)"

  private func kept(_ bench: Bench) -> String? {
    try? String(contentsOfFile: "\(bench.folder.path)/\(file)", encoding: .utf8)
  }

  @Test func theServersKeysAreTheOnlyOnes() async throws {
    let bench = try ready(["\(Sample.edKey) root@web1", "junk", Sample.ecKey])
    #expect(await bench.run("ssh", Sample.vm, "--user", "debian", "--", "uname", "-a") == .done)
    #expect(kept(bench) == "iaas-\(Sample.vm) \(Sample.edKey)\niaas-\(Sample.vm) \(Sample.ecKey)\n")
    #expect(try bench.folder.mode(file) == 0o600)
    #expect(try bench.folder.mode(".config/iaas/known_hosts") == 0o700)
    let arguments = try #require(bench.successor.program?.arguments)
    #expect(arguments.contains("StrictHostKeyChecking=yes"))
    #expect(
      arguments.contains(
        "UserKnownHostsFile=\"\(URL(fileURLWithPath: bench.folder.path).standardizedFileURL.path)/\(file)\""))
    #expect(arguments.suffix(6) == ["-l", "debian", "--", "10.0.0.7", "uname", "-a"])
    #expect(bench.console.err.isEmpty && bench.console.out.isEmpty)
  }

  @Test func withoutKeysItSaysSo() async throws {
    let bench = try ready()
    #expect(await bench.run("ssh", Sample.vm) == .done)
    #expect(bench.successor.program?.arguments.contains("StrictHostKeyChecking=accept-new") == true)
    #expect(bench.console.err.count == 1 && bench.console.err.first?.contains("does not have the host keys") == true)
    #expect(kept(bench) == nil)
    #expect(try bench.folder.mode(".config/iaas/known_hosts") == 0o700)
  }

  @Test func whatWasSeenFirstStays() async throws {
    let bench = try ready()
    #expect(await bench.run("ssh", Sample.vm) == .done)
    _ = try bench.folder.write("seen", to: file)
    #expect(await bench.run("ssh", Sample.vm) == .done)
    #expect(kept(bench) == "seen")
  }

  @Test(arguments: [["vm", "rm", Sample.vm, "-y"], ["vm", "rebuild", Sample.vm, Sample.image, "-y"]])
  func aGuestThatIsNoMoreHasNoKeys(arguments: [String]) async throws {
    let bench = try ready([Sample.edKey])
    bench.transport.answer("DELETE \(Sample.vmPath)", 204, "")
    bench.transport.answer("PUT \(Sample.vmPath)", Sample.guestJSON([], state: "stopped"))
    #expect(await bench.run("ssh", Sample.vm) == .done)
    #expect(kept(bench) != nil)
    #expect(await bench.run(arguments) == .done)
    #expect(kept(bench) == nil)
  }

  @Test func keysThatAreNoneAreNotTrustedLess() async throws {
    let bench = try ready(["@cert-authority * \(Sample.edKey)"])
    #expect(await bench.run("ssh", Sample.vm) == .failed)
    #expect(bench.successor.program == nil && kept(bench) == nil)
  }

  @Test(arguments: [[], ["-oProxyCommand=x"], ["127.0.0.1", "fe80::1"]])
  func withoutAnAddressThereIsNoConnection(ips: [String]) async throws {
    let bench = try ready([Sample.edKey], ips: ips)
    #expect(await bench.run("ssh", Sample.vm) == .failed)
    #expect(bench.successor.program == nil)
    #expect(bench.console.err == ["iaas: The VM web1 (\(Sample.vm)) has no address at which it can be reached."])
  }

  @Test func theFirstAddressThatIsOne() async throws {
    let bench = try ready([Sample.edKey], ips: ["-oProxyCommand=x", "fd00::7"])
    #expect(await bench.run("ssh", Sample.vm) == .done)
    #expect(bench.successor.program?.arguments.last == "fd00::7")
  }

  @Test func theGuestIsWaitedFor() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON(["booted", "network"]))
    bench.transport.answer(
      "GET \(Sample.vmPath)?readiness=ssh&wait=30", Sample.guestJSON(["ssh"], hostKeys: [Sample.edKey]))
    #expect(await bench.run("ssh", Sample.vm) == .done)
    #expect(bench.successor.program?.arguments.contains("StrictHostKeyChecking=yes") == true)
    #expect(bench.console.err == ["web1: waiting for ssh", "web1: ssh reached"])
  }

  @Test func theWaitHasAnEnd() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON(["booted"]))
    #expect(await bench.run("ssh", Sample.vm, "--timeout", "0") == .timedOut)
    #expect(bench.successor.program == nil)
    #expect(await bench.run("ssh", Sample.vm, "--no-wait") == .done)
    #expect(bench.successor.program != nil)
  }

  @Test func aVMThatIsOffIsNotWaitedFor() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(Sample.vmPath)", Sample.guestJSON([], state: "stopped"))
    #expect(await bench.run("ssh", Sample.vm) == .failed)
    #expect(bench.console.err == ["iaas: The VM web1 (\(Sample.vm)) is stopped."])
  }

  @Test func aUserThatIsNoneIsUsage() async throws {
    let bench = try ready()
    #expect(await bench.run("ssh", Sample.vm, "--user=-oProxyCommand=x") == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  /// The process goes on as it was: what ignored its readers' going away still does.
  @Test func aProgramThatIsNotThere() {
    signal(SIGPIPE, SIG_IGN)
    let failure = #expect(throws: CommandFailure.self) { try Program(arguments: ["/nowhere/at/all"]).replaceProcess() }
    #expect(failure?.lines == ["Cannot run /nowhere/at/all: No such file or directory."])
    var action = sigaction()
    sigaction(SIGPIPE, nil, &action)
    #expect(unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1, "SIG_IGN")
  }
}
