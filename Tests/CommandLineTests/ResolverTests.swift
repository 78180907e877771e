import Testing

@testable import CommandLineTool

@Suite struct ResolverTests {
  private static let other = "0199f3a2-0000-7000-8000-00000000000f"
  private static let third = "aaaaf3a2-0000-7000-8000-000000000009"

  private func bench() throws -> Bench {
    let bench = try Bench()
    let debian = Sample.imageJSON()
    let ubuntus = [
      Sample.imageJSON(id: Self.other, name: "ubuntu"), Sample.imageJSON(id: Self.third, name: "ubuntu"),
    ]
    bench.transport.answer("GET \(named(or: "0199"))", "[\(debian),\(ubuntus[0])]")
    bench.transport.answer("GET \(named(or: "0199F3A2-0000"))", "[\(debian),\(ubuntus[0])]")
    bench.transport.answer("GET \(named(or: "AAAA"))", "[\(ubuntus[1])]")
    bench.transport.answer("GET \(named(or: "0199f3a3"))", "[]")
    bench.transport.answer("GET \(named("debian"))", "[\(debian)]")
    bench.transport.answer("GET \(named("ubuntu"))", "[\(ubuntus.joined(separator: ","))]")
    for name in ["aaa", "debia", "dead-beef"] { bench.transport.answer("GET \(named(name))", "[]") }
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 204, "")
    return bench
  }

  private func named(_ name: String) -> String { "/iaas/images?query=name%20%3D%20%27\(name)%27" }

  /// The images called so, or whose ids begin so.
  private func named(or prefix: String) -> String {
    "\(named(prefix))%20OR%20id%20LIKE%20%27\(prefix.lowercased())%25%27"
  }

  @Test(arguments: ["debian", Sample.image, Sample.image.uppercased()])
  func oneIsMeant(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", reference) == .done)
    #expect(bench.transport.targets.last == "DELETE /iaas/images/\(Sample.image)")
    #expect(bench.transport.targets.count == (reference == "debian" ? 2 : 1))
  }

  @Test(arguments: ["ubuntu", "0199", "0199F3A2-0000"])
  func severalAreListed(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", reference) == .usage)
    #expect(bench.console.err.count == 3)
    #expect(bench.console.err.contains { $0.contains(Self.other) })
    #expect(bench.transport.targets == ["GET \(reference == "ubuntu" ? named(reference) : named(or: reference))"])
  }

  @Test(arguments: ["aaa", "debia", "dead-beef"])
  func aNameThatNoneHas(reference: String) async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", reference) == .notFound)
    // And for what may have been meant.
    #expect(bench.transport.targets == ["GET \(named(reference))", "GET /iaas/images?limit=500"])
  }

  @Test func aBeginningThatNoneHas() async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", "0199f3a3") == .notFound)
    #expect(bench.transport.targets == ["GET \(named(or: "0199f3a3"))", "GET /iaas/images?limit=500"])
  }

  @Test func nothingIsNotAskedFor() async throws {
    let bench = try bench()
    #expect(await bench.run("image", "rm", "") == .notFound)
    #expect(await bench.run("operation", "show", "no-id") == .notFound)
    #expect(bench.transport.targets.isEmpty)
  }

  @Test func aQuoteEndsNoCondition() async throws {
    let bench = try Bench()
    let target = "GET /iaas/images?query=name%20%3D%20%27it%27%27s%27%27%20OR%20%27%27a%27"
    bench.transport.answer(target, "[\(Sample.imageJSON(name: "it's' OR 'a"))]")
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 204, "")
    #expect(await bench.run("image", "rm", "it's' OR 'a") == .done)
    #expect(bench.transport.targets.first == target)
  }

  @Test func aServerThatAnswersMoreThanAskedIsNotTrusted() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(named("debian"))", "[\(Sample.imageJSON(name: "other"))]")
    #expect(await bench.run("image", "rm", "debian") == .notFound)
  }

  @Test func aNameThatMayBeginAnIDIsLookedForBothWays() async throws {
    let bench = try Bench()
    bench.transport.answer("GET \(named(or: "cafe"))", "[\(Sample.imageJSON(name: "cafe"))]")
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 204, "")
    #expect(await bench.run("image", "rm", "cafe") == .done)
  }

  @Test func operationsHaveNoNames() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "GET /iaas/operations?query=id%20LIKE%20%270199%25%27", "[\(Sample.operationJSON("done"))]")
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)", Sample.operationJSON("done"))
    #expect(await bench.run("operation", "show", "0199") == .done)
  }

  @Test func aPrefixIsEnough() async throws {
    let bench = try bench()
    bench.transport.answer("GET /iaas/images/\(Self.third)", Sample.imageJSON())
    #expect(await bench.run("image", "show", "AAAA") == .done)
  }

  @Test func usersGoByEmailAndHostsByAddress() async throws {
    let bench = try Bench()
    bench.transport.answer(
      "GET /iaas/users?query=email%20%3D%20%27a%27", #"[{"id":"\#(Sample.user)","email":"a"}]"#)
    bench.transport.answer("DELETE /iaas/users/\(Sample.user)", 204, "")
    bench.transport.answer(
      "GET /iaas/hosts?query=addr%20%3D%20%27hv1%3A7443%27",
      #"[{"id":"\#(Sample.user)","addr":"hv1:7443","state":"up"}]"#)
    bench.transport.answer("DELETE /iaas/hosts/\(Sample.user)", 204, "")
    #expect(await bench.run("user", "rm", "a") == .done)
    #expect(await bench.run("host", "rm", "hv1:7443") == .done)
    #expect(bench.console.err.first == "Removed the user a (\(Sample.user)).")
  }

  @Test func theNearestNameIsOffered() async throws {
    let bench = try Bench()
    bench.transport.answer("GET /iaas/vms?query=name%20%3D%20%27wbe1%27%20OR%20id%20LIKE%20%27wbe1%25%27", "[]")
    bench.transport.answer("GET /iaas/vms?query=name%20%3D%20%27wbe1%27", "[]")
    bench.transport.answer("GET /iaas/vms?limit=500", "[\(Sample.vmJSON(state: "stopped"))]")
    #expect(await bench.run("vm", "show", "wbe1") == .notFound)
    #expect(bench.console.err == [#"iaas: There is no VM "wbe1"; did you mean "web1"?"#])
  }
}
