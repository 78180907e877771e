import Testing

@testable import CommandLineTool

@Suite struct ImageVerbTests {
  private func adding(_ arguments: String...) async throws -> String {
    let bench = try Bench()
    bench.transport.answer("POST /iaas/images", 201, Sample.imageJSON())
    #expect(await bench.run(["image", "add"] + arguments) == .done)
    return bench.body(0)
  }

  @Test func aWellKnownImageNeedsItsNameAlone() async throws {
    #expect(try await adding("debian-12") == #"{"url":"debian-12"}"#)
    #expect(try await adding("debian-12", "mine") == #"{"name":"mine","url":"debian-12"}"#)
    #expect(try await adding("debian-12", "mine", "") == #"{"desc":"","name":"mine","url":"debian-12"}"#)
  }

  @Test func aURLNamesItsImage() async throws {
    #expect(
      try await adding("https://e.org/d/debian-12.qcow2?x=/y.img")
        == #"{"desc":"","name":"debian-12","url":"https://e.org/d/debian-12.qcow2?x=/y.img"}"#)
    #expect(try await adding("https://e.org/a", "n") == #"{"desc":"","name":"n","url":"https://e.org/a"}"#)
  }

  @Test func checksumsArePassedOn() async throws {
    #expect(
      try await adding("https://e.org/a", "n", "d", "--checksums", "https://e.org/SHA512SUMS")
        == #"{"checksums":"https://e.org/SHA512SUMS","desc":"d","name":"n","url":"https://e.org/a"}"#)
  }

  @Test func theProcessorsItRunsOn() async throws {
    #expect(try await adding("debian-12", "--arch", "aarch64") == #"{"arch":"aarch64","url":"debian-12"}"#)
    #expect(
      try await adding("https://e.org/a", "n", "--arch", "aarch64")
        == #"{"arch":"aarch64","desc":"","name":"n","url":"https://e.org/a"}"#)
  }

  @Test(
    arguments: [
      ("https://e.org/debian-12.qcow2", "debian-12"), ("https://e.org/a/disk.RAW.xz", "disk"),
      ("https://e.org/noble.img.gz#part", "noble"), ("https://e.org/v1.2.zst", "v1.2"),
      ("https://e.org/archive.tar.gz", "archive.tar"), ("https://e.org/a%20b.img", "a b"), ("http://e.org/x", "x"),
    ])
  func namesOfURLs(url: String, name: String) throws { #expect(try ImageName.derived(fromURL: url) == name) }

  @Test(arguments: [
    "https://e.org", "https://e.org/", "https://e.org/dir/", "https://e.org/.qcow2", "https://e.org/.img.xz",
  ])
  func aURLWithoutAFileNamesNothing(url: String) async throws {
    let bench = try Bench()
    #expect(await bench.run("image", "add", url) == .usage)
    #expect(bench.transport.requests.isEmpty)
  }

  @Test func theCatalogue() async throws {
    let bench = try Bench()
    let entry = #"{"id":"debian-12","name":"debian-12","desc":"Debian\u001b","url":"https://e.org/d","checksums":"c"}"#
    bench.transport.answer("GET /iaas/catalogue", "[\(entry)]")
    #expect(await bench.run("image", "catalogue") == .done)
    #expect(
      bench.console.out
        == "NAME       DESCRIPTION  URL\ndebian-12  Debian\u{FFFD}      https://e.org/d\n")
    #expect(await bench.run("image", "catalogue", "-o", "json") == .done)
    #expect(bench.console.out.hasSuffix("\n[\(entry)]\n"))
  }

  @Test(
    arguments: [
      (["--name", "n"], #"{"name":"n"}"#), (["--desc", ""], #"{"desc":""}"#),
      (["--desc", "d", "--name", "n"], #"{"desc":"d","name":"n"}"#),
    ])
  func whatIsNotGivenStays(options: [String], body: String) async throws {
    let bench = try Bench()
    bench.transport.answer("PUT /iaas/images/\(Sample.image)", Sample.imageJSON(name: "n"))
    #expect(await bench.run(["image", "update", Sample.image, "-o", "name"] + options) == .done)
    #expect(bench.body(0) == body)
    #expect(bench.console.out == "n\n")
  }

  @Test func anImageInErrorCanBeRenamed() async throws {
    let bench = try Bench()
    bench.transport.answer("PUT /iaas/images/\(Sample.image)", Sample.imageJSON(state: "error"))
    #expect(await bench.run("image", "update", Sample.image, "--name", "n") == .done)
  }
}
