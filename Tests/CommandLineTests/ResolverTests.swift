import Testing

@testable import CommandLineTool

@Suite struct ResolverTests {
  private static let other = "0199f3a2-0000-7000-8000-00000000000f"

  private func bench() throws -> Bench {
    let bench = try Bench()
    let images = [
      Sample.imageJSON(), Sample.imageJSON(id: Self.other, name: "ubuntu"),
      Sample.imageJSON(id: "aaaaf3a2-0000-7000-8000-000000000009", name: "ubuntu"),
    ]
    bench.transport.answer("GET /iaas/images", "[\(images.joined(separator: ","))]")
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 204, "")
    return bench
  }

  @Test(arguments: ["debian", Sample.image, Sample.image.uppercased()])
  func oneIsMeant(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", reference) == .done)
    #expect(bench.transport.targets.last == "DELETE /iaas/images/\(Sample.image)")
  }

  @Test(arguments: ["ubuntu", "0199", "0199F3A2-0000"])
  func severalAreListed(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", reference) == .usage)
    #expect(bench.console.err.count == 3)
    #expect(bench.console.err.contains { $0.contains(Self.other) })
    #expect(bench.transport.targets == ["GET /iaas/images"])
  }

  @Test(arguments: ["aaa", "debia", "0199f3a3", ""])
  func noneIsMeant(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", reference) == .notFound)
    #expect(bench.transport.targets == ["GET /iaas/images"])
  }

  @Test func aPrefixIsEnough() async throws {
    let bench = try bench()
    bench.transport.answer("GET /iaas/images/aaaaf3a2-0000-7000-8000-000000000009", Sample.imageJSON())
    #expect(await bench.run("image", "show", "AAAA") == .done)
  }

  @Test func usersGoByEmailAndHostsByAddress() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/users", #"[{"id":"\#(Sample.user)","email":"a"}]"#)
    bench.transport.answer("DELETE /iaas/users/\(Sample.user)", 204, "")
    bench.transport.answer("GET /iaas/hosts", #"[{"id":"\#(Sample.user)","addr":"hv1:7443","state":"up"}]"#)
    bench.transport.answer("DELETE /iaas/hosts/\(Sample.user)", 204, "")
    #expect(await bench.run("user", "rm", "a") == .done)
    #expect(await bench.run("host", "rm", "hv1:7443") == .done)
    #expect(bench.console.err.first == "Removed the user a (\(Sample.user)).")
  }
}
