import Foundation
import Models
import Testing

private func decode<Value: Decodable>(_ json: String, as: Value.Type = Value.self) throws -> Value {
  try JSONDecoder().decode(Value.self, from: Data(json.utf8))
}

private func field(_ body: () throws -> Void) -> String? {
  do { try body() } catch let error as ServiceError { return error.fields.first?.field } catch {}
  return nil
}

@Suite struct RequestTests {
  private static let image = "01a1fc98-eec1-750c-aa29-a699328996b6"

  @Test(
    arguments: [
      ("512", 512), ("\"512\"", 512), ("\"512M\"", 512), ("\"2G\"", 2048), ("\"262144K\"", 256), ("\"20000k\"", 20),
      ("\"\"", nil), ("null", nil),
    ] as [(String, Int?)])
  func memoryIsTakenAsClientsWriteIt(_ text: String, _ expected: Int?) throws {
    #expect(try decode("{\"image\":\"\(Self.image)\",\"mem\":\(text)}", as: NewVM.self).mem == expected)
  }

  @Test(arguments: ["-1", "0", "1.5", "\"12X\"", "\"M\"", "true", "[]", "\"99999999999999999999\""])
  func otherMemoryIsRefused(_ text: String) {
    #expect(field { _ = try decode(text, as: MemoryAmount.self) } == "mem")
  }

  @Test func imagesComeInTwoShapes() throws {
    let flat: NewImage = try decode(#"{"url":"http://a/b","name":"n","desc":"d"}"#)
    let nested: NewImage = try decode(#"{"url":"http://a/b","img":{"name":"n","desc":"d"}}"#)
    for image in [flat, nested] {
      #expect(image.url == "http://a/b" && image.name == "n" && image.desc == "d")
    }
  }

  @Test(arguments: [
    (#"{"email":"a","password":"b","id":"x"}"#, "id"), (#"{"email":"a","password":"b","quota":{"cars":1}}"#, "cars"),
    (#"{"email":"","password":"b"}"#, "email"), (#"{"email":"a","password":""}"#, "password"),
    (#"{"email":"a\u0007","password":"b"}"#, "email"), (#"{"email":"a\u202Eb","password":"b"}"#, "email"),
  ])
  func usersAreCheckedFieldByField(_ json: String, _ expected: String) {
    #expect(field { _ = try decode(json, as: NewUser.self) } == expected)
  }

  /// Null is not the lack of a value, but where it says something: no limit, no cap, or what clients of old send.
  @Test func nullIsRefusedWhereItSaysNothing() throws {
    #expect(field { _ = try decode(#"{"email":"a","password":"b","admin":null}"#, as: NewUser.self) } == "admin")
    #expect(field { _ = try decode(#"{"email":null}"#, as: UserUpdate.self) } == "email")
    #expect(field { _ = try decode(#"{"desc":null}"#, as: ImageUpdate.self) } == "desc")
    #expect(field { _ = try decode(#"{"default":null}"#, as: SSHKeyUpdate.self) } == "default")
    #expect(field { _ = try decode(#"{"expiresAt":null}"#, as: NewInvitation.self) } == "expiresAt")
    #expect(field { _ = try decode(#"{"overcommit":null}"#, as: HostUpdate.self) } == "overcommit")
    #expect(field { _ = try decode(#"{"quota":{"group":null}}"#, as: UserUpdate.self) } == "quota.group")
    #expect(field { _ = try decode(#"{"url":null,"name":"a"}"#, as: NewImage.self) } == "url")
    #expect(try decode(#"{"quota":{"vms":null,"caps":null}}"#, as: UserUpdate.self).quota?.limits == [.vms: .unlimited])
    #expect(try decode(#"{"name":"a","desc":null}"#, as: NewImage.self).desc == nil)
    #expect(try decode(#"{"name":"a","desc":null}"#, as: NewSnapshot.self).desc.isEmpty)
  }

  /// A character may be made of thousands of code points: a limit of characters would be none.
  @Test func textIsLimitedByItsCodePoints() throws {
    let long = "a" + String(repeating: "\u{301}", count: 255)
    #expect(long.count == 1)
    #expect(throws: ServiceError.self) { try Text.checked(long, field: "name") }
    #expect(try Text.checked(String(long.unicodeScalars.prefix(255)), field: "name").unicodeScalars.count == 255)
  }

  @Test(arguments: ["", "zz", String(repeating: "a", count: 63), String(repeating: "a", count: 65)])
  func otherFingerprintsAreRefused(_ text: String) throws {
    func fingerprint(_ text: String) throws -> String? {
      try decode(#"{"addr":"a","user":"b","password":"c","fingerprint":"\#(text)"}"#, as: NewHost.self).fingerprint
    }
    #expect(field { _ = try fingerprint(text) } == "fingerprint")
    let plain = String(repeating: "ab", count: 32)
    let colons = Array(repeating: "AB", count: 32).joined(separator: ":")
    #expect(try fingerprint(plain) == plain && fingerprint(colons) == plain)
  }

  @Test(
    arguments: [
      (#"{"img":{"name":"n"},"name":5}"#, nil), (#"{"img":{"name":""}}"#, "img.name"),
      (#"{"img":{"name":"n"},"desc":"\u0007"}"#, "desc"),
    ] as [(String, String?)])
  func bothShapesOfAnImageAreCheckedWhole(_ json: String, _ expected: String?) {
    #expect(throws: (any Error).self) { try decode(json, as: NewImage.self) }
    #expect(field { _ = try decode(json, as: NewImage.self) } == expected)
  }

  @Test func passwordsHaveAnEnd() {
    let json = #"{"email":"a","password":""# + String(repeating: "x", count: 1025) + "\"}"
    #expect(field { _ = try decode(json, as: NewUser.self) } == "password")
  }

  @Test(arguments: ["-a", "a-", "a b", "ä", "a.b", "", String(repeating: "a", count: 64)])
  func vmNamesAreHostNames(_ name: String) {
    #expect(field { _ = try HostName.checked(name) } == "name")
  }

  @Test(arguments: ["start", "stop", "running", "stopped", "reboot", "reset", "pause", "resume"])
  func powerIsAskedForInManyWords(_ word: String) throws {
    let power = try #require(PowerRequest(rawValue: word))
    #expect(try decode("{\"state\":\"\(word)\"}", as: VMUpdate.self).change == .power(power))
  }

  @Test func aVMUpdateIsOneChange() throws {
    func change(_ json: String) throws -> VMChange { try decode(json, as: VMUpdate.self).change }
    let id = UUIDText.make()
    #expect(try change(#"{"mem":"1G","vcpus":2}"#) == .resize(VMSize(mem: 1024, vcpus: 2, disk: nil)))
    #expect(try change(#"{"disk":20}"#) == .resize(VMSize(mem: nil, vcpus: nil, disk: 20)))
    #expect(try change(#"{"name":"web"}"#) == .rename("web"))
    #expect(try change("{\"image\":\"\(id)\"}") == .rebuild(ImageID(id.uuid)))
    #expect(try change("{\"host\":\"\(id)\"}") == .move(HostID(id.uuid)))
    #expect(field { _ = try change(#"{"state":"explode"}"#) } == "state")
    #expect(field { _ = try change(#"{"host":"x"}"#) } == "host")
    #expect(field { _ = try change(#"{"vcpus":0}"#) } == "vcpus")
    for nothing in ["{}", #"{"state":"start","name":"web"}"#, #"{"mem":""}"#] {
      #expect(throws: ServiceError.self) { try change(nothing) }
    }
  }

  @Test func changesAreReadAsTheyAreWritten() throws {
    let changes: [VMChange] = [
      .power(.reset), .resize(VMSize(mem: 64, vcpus: nil, disk: 3)), .rename("web"), .rebuild(.make()), .move(.make()),
    ]
    for change in changes {
      let text = String(decoding: try JSONEncoder().encode(VMUpdate(change)), as: UTF8.self)
      #expect(try decode(text, as: VMUpdate.self).change == change)
    }
  }

  @Test func userDataHasAnEndAndNoNUL() {
    func new(_ userData: String) -> String {
      "{\"image\":\"\(UUIDText.make())\",\"userData\":\"\(userData)\"}"
    }
    #expect(field { _ = try decode(new(String(repeating: "x", count: (64 << 10) + 1)), as: NewVM.self) } == "userData")
    #expect(field { _ = try decode(new("a\\u0000b"), as: NewVM.self) } == "userData")
    #expect(throws: Never.self) { try decode(new("#!/bin/sh\\necho hello"), as: NewVM.self) }
  }

  @Test(arguments: ["unreachable", "removing", "on"]) func noAdministratorSaysThat(_ state: String) {
    #expect(field { _ = try decode("{\"state\":\"\(state)\"}", as: HostUpdate.self) } == "state")
  }

  @Test func overcommitHasBounds() throws {
    #expect(
      field { _ = try decode(#"{"overcommit":{"cpus":0,"mem":1,"disk":1}}"#, as: HostUpdate.self) }
        == "overcommit.cpus")
    let update = try decode(#"{"overcommit":{"cpus":8,"mem":1.5,"disk":2}}"#, as: HostUpdate.self)
    #expect(update.overcommit == Overcommit(cpus: 8, mem: 1.5, disk: 2))
  }
}

@Suite struct FenceTests {
  @Test(arguments: ["", "1", "1.2", "1.2.x", "1.2.3.4", "1..3"]) func otherTextIsNoFence(_ text: String) {
    #expect(Fence(text) == nil)
  }

  @Test func theGenerationCountsBeforeTheEpoch() {
    let fence = Fence(host: 1, generation: 2, epoch: 3)
    #expect(Fence(fence.description) == fence)
    #expect(fence.isOvertaken(by: Fence(host: 1, generation: 2, epoch: 4)))
    #expect(fence.isOvertaken(by: Fence(host: 1, generation: 3, epoch: 1)))
    #expect(!fence.isOvertaken(by: fence))
    #expect(!fence.isOvertaken(by: Fence(host: 1, generation: 1, epoch: 9)))
  }
}

@Suite struct IdentifierTests {
  @Test func newIdsAreVersion7AndInOrder() {
    let ids = (0..<50).map { _ in VMID.make() }
    for id in ids {
      let text = Array(id.description)
      #expect(text[14] == "7" && "89ab".contains(text[19]) && id.description == id.description.lowercased())
    }
    #expect(Set(ids).count == 50)
    let prefixes = ids.map { String($0.description.prefix(13)) }
    #expect(prefixes == prefixes.sorted())
  }

  @Test(arguments: ["", "x", "../etc", "01a1fc98eec1750caa29a699328996b6", "01a1fc98-eec1-750c-aa29-a699328996b6\0"])
  func otherTextIsNoId(_ text: String) { #expect(VMID(text) == nil) }
}
