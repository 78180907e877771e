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
    #expect(try decode("{\"state\":\"\(word)\"}", as: VMUpdate.self).state.rawValue == word)
  }

  @Test func aVMUpdateTakesNothingElse() {
    #expect(field { _ = try decode(#"{"state":"start","host":"x"}"#, as: VMUpdate.self) } == "host")
    #expect(field { _ = try decode(#"{"state":"explode"}"#, as: VMUpdate.self) } == "state")
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
