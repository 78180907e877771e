import Foundation
import Models
import Postgres
import ServiceKit
import Testing

@testable import InventoryService
@testable import Persistence

@Suite(.timeLimit(.minutes(5))) struct ListingTests {
  /// VMs without operations; every tenth is eve's too.
  private func fill(_ fixture: InventoryFixture, count: Int) async throws {
    try await fixture.pool.execute(
      """
      INSERT INTO inventory.vms (id, owner, name, image, host, mem, vcpus, disk, ssh_keys, desired, state, created_at)
      SELECT gen_random_uuid(), \(fixture.ana.user.uuid), 'vm-' || (n * 7919 % 1000), \(fixture.image.uuid),
        \(fixture.host.uuid), 64 * (1 + n % 4), 1, 1, '[]', 'stopped', 'stopped', now() + (n / 3) * interval '1 second'
      FROM generate_series(1, \(count)::int) AS n
      """)
    for (user, every) in [(fixture.ana.user, 1), (fixture.eve.user, 10)] {
      try await fixture.pool.execute(
        """
        INSERT INTO inventory.permissions (user_id, resource, type, role)
        SELECT \(user.uuid), id, 'vm', 'owner' FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS n
          FROM inventory.vms) AS numbered WHERE n % \(every)::int = 0
        """)
    }
  }

  private func request(_ parameters: String) throws -> ListRequest { try ListRequest(try QueryString(parameters)) }

  @Test(arguments: ["createdAt", "-createdAt", "name", "-name"])
  func pagesMakeTheWholeListInOrder(_ sort: String) async throws {
    try await InventoryFixture.with { fixture in
      try await fill(fixture, count: 257)
      let listing = fixture.vms.listing(fixture.ana)
      var request = try request("sort=\(sort)&limit=50")
      var seen: [VM] = []
      var pages = 0
      while true {
        let page = try await listing.page(request)
        #expect(page.total == 257)
        seen += page.items
        pages += 1
        guard let next = page.next else { break }
        request.after = next
      }
      #expect(pages == 6 && Set(seen.map(\.id)).count == 257)
      let isSorted = zip(seen, seen.dropFirst()).allSatisfy { first, second in
        switch sort {
        case "createdAt": first.createdAt <= second.createdAt
        case "-createdAt": first.createdAt >= second.createdAt
        case "name": first.name <= second.name
        default: first.name >= second.name
        }
      }
      #expect(isSorted)
    }
  }

  @Test func aPageStaysRightWhenItemsGo() async throws {
    try await InventoryFixture.with { fixture in
      try await fill(fixture, count: 30)
      let listing = fixture.vms.listing(fixture.ana)
      var request = try request("limit=10")
      let first = try await listing.page(request)
      // The item that the cursor names, and one of the next page, go.
      let gone = [first.items[9].id, try await listing.page(ListRequest(limit: 20)).items[12].id]
      try await fixture.pool.execute("DELETE FROM inventory.vms WHERE id = ANY (\(gone.map(\.uuid))::uuid[])")
      request.after = first.next
      let second = try await listing.page(request)
      #expect(second.items.count == 10 && Set(second.items.map(\.id)).isDisjoint(with: first.items.map(\.id) + gone))
    }
  }

  @Test func theConditionComesOnTopOfWhatOneMaySee() async throws {
    try await InventoryFixture.with { fixture in
      try await fill(fixture, count: 100)
      for (caller, all) in [(fixture.admin, 100), (fixture.ana, 100), (fixture.eve, 10)] {
        let listing = fixture.vms.listing(caller)
        #expect(try await listing.page(ListRequest()).total == all)
        let page = try await listing.page(ListRequest(query: "mem = 128"))
        // Which of them are eve's is up to their ids; none of hers may have so much.
        #expect(page.items.count == 25 || (caller.user == fixture.eve.user && page.items.count <= 10))
        #expect(page.items.allSatisfy { $0.mem == 128 } && page.total == page.items.count)
        #expect(try await listing.page(ListRequest(query: "id != 'x' OR mem > 0")).total == all)
      }
      let nobody = fixture.vms.listing(Caller(user: .make(), admin: false))
      #expect(try await nobody.page(ListRequest(query: "mem > 0 OR mem <= 0 OR name IS NULL")).items.isEmpty)
    }
  }

  @Test func totalsAreExactThroughEveryWayInAndOut() async throws {
    try await InventoryFixture.with { fixture in
      func totals() async throws -> [Int] {
        [
          try await fixture.vms.listing(fixture.admin).page(ListRequest()).total,
          try await fixture.images.listing(fixture.admin).page(ListRequest()).total,
        ]
      }
      #expect(try await totals() == [0, 1])
      try await fill(fixture, count: 40)
      #expect(try await totals() == [40, 1])
      let vm = try await fixture.add().resource.id
      #expect(await code { _ = try await fixture.add(mem: 1 << 20) } == .noCapacity)
      try await fixture.images.delete(fixture.image, fixture.ana)
      #expect(try await totals() == [41, 0])
      _ = try await fixture.vms.delete(vm, asking(fixture.ana))
      try await fixture.intents.forget(vm, try #require(try await fixture.operations.claim()))
      try await fixture.pool.execute("DELETE FROM inventory.vms")
      for id in try await fixture.imports.disposable() { try await fixture.imports.forget(id) }
      #expect(try await totals() == [0, 0])
    }
  }

  @Test(arguments: [
    ("limit=0", ErrorCode.invalidField), ("limit=1001", .invalidField), ("limit=x", .invalidField),
    ("after=%21", .invalidField), ("after=e30", .invalidField), ("sort=mem", .invalidField), ("sort=", .invalidField),
    ("query=fingerprint+%3D+'x'", .badQuery), ("query=mem", .badQuery), ("query=%ff", .malformedRequest),
  ])
  func whatCannotBeIsRefused(_ parameters: String, _ expected: ErrorCode) async throws {
    try await InventoryFixture.with { fixture in
      let found = await code { _ = try await fixture.vms.listing(fixture.ana).page(try request(parameters)) }
      #expect(found == expected)
    }
  }

  @Test func aCursorHoldsForItsOrderAlone() async throws {
    try await InventoryFixture.with { fixture in
      try await fill(fixture, count: 5)
      let listing = fixture.vms.listing(fixture.ana)
      let cursor = try #require(try await listing.page(try request("limit=2&sort=name")).next).encoded()
      #expect(await code { _ = try await listing.page(try request("limit=2&after=\(cursor)")) } == .invalidField)
      let forged = try Cursor(sort: "createdAt", value: "no time", id: .make(), total: 1).encoded()
      #expect(await code { _ = try await listing.page(try request("limit=2&after=\(forged)")) } == .invalidField)
      let page = try await listing.page(try request("limit=2&sort=name&after=\(cursor)"))
      #expect(page.items.count == 2)
    }
  }

  @Test func hostsCanBeAskedOnlyAboutWhatIsShown() async throws {
    try await InventoryFixture.with { fixture in
      let asked = ListRequest(query: "addr = '127.0.0.1:1'")
      let found = try await fixture.hosts.listing(fixture.admin).page(asked)
      #expect(found.items.count == 1)
      #expect(await code { _ = try await fixture.hosts.listing(fixture.ana).page(asked) } == .badQuery)
      let free = try await fixture.hosts.listing(fixture.ana).page(ListRequest(query: "memFree > 1"))
      #expect(free.items.count == 1)
    }
  }

  /// Random queries against the database itself; the tests of `Query` make the 100,000.
  @Test func randomQueriesNeverFailInTheDatabase() async throws {
    try await InventoryFixture.with { fixture in
      try await fill(fixture, count: 20)
      let fields = ["id", "name", "mem", "state", "createdAt"]
      let operators = ["=", "<>", "<", ">=", "LIKE", "ILIKE"]
      let literals = [
        "'a'", "'%\\\\'", "'2026-01-01'", "5", "-7.25", "true", "''''", "\"q\u{301}\"", "99999999999999999999", "'\\'",
      ]
      let rest = ["IN", "(", ")", ",", "AND", "OR", "NOT", "IS", "NULL"]
      func any(_ words: [String]) -> String { words.randomElement() ?? "" }
      var accepted = 0
      for _ in 0..<2000 {
        let comparison = "\(any(fields)) \(any(operators)) \(any(literals))"
        let list = "\(any(fields)) IN (\(any(literals)), \(any(literals))) \(any(["AND", "OR"])) \(comparison)"
        let soup = (0..<Int.random(in: 1...8)).map { _ in any(fields + operators + literals + rest) }
        let query = any([comparison, list, soup.joined(separator: " ")])
        let request = ListRequest(query: query, limit: 1)
        let found = await code { _ = try await fixture.vms.listing(fixture.ana).page(request) }
        #expect(found == nil || found == .badQuery, "\(query)")
        if found == nil { accepted += 1 }
      }
      #expect(accepted > 100)
    }
  }
}
