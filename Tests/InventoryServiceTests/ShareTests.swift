import Foundation
import Models
import Persistence
import Testing

@testable import InventoryService

@Suite(.timeLimit(.minutes(5))) struct ShareTests {
  private func grant(_ role: Role, to caller: Caller, until expiry: Date? = nil) -> Grant {
    Grant(user: caller.user, role: role, expiresAt: expiry)
  }

  @Test func eachRoleMayWhatItSays() async throws {
    try await InventoryFixture.with { fixture in
      let vm = try await fixture.add().resource.id
      try await fixture.settle(.stopped)
      func may(_ body: () async throws -> Void) async -> Bool { await code(body) == nil }
      for (role, uses, owns) in [(Role.viewer, false, false), (.operator, true, false), (.owner, true, true)] {
        let eve = fixture.eve
        for resource in [SharedResource.vm(vm), .image(fixture.image)] {
          _ = try await fixture.shares.grant(grant(role, to: eve), on: resource, asking(fixture.ana))
          #expect(await may { _ = try await fixture.shares.list(on: resource, eve) } == owns)
        }
        #expect(try await fixture.vms.get(vm, eve) != nil)
        #expect(try await fixture.images.get(fixture.image, eve) != nil)
        #expect(await may { _ = try await fixture.vms.ask(.stop, of: vm, .use, asking(eve)) } == uses)
        #expect(await may { _ = try await fixture.add(as: eve) } == uses)
        #expect(
          await may { _ = try await fixture.images.update(fixture.image, ImageUpdate(name: "n", desc: nil), eve) }
            == owns)
      }
    }
  }

  @Test func sixtyFourSharesAtOnceAreOne() async throws {
    try await InventoryFixture.with { fixture in
      let resource = SharedResource.image(fixture.image)
      let grant = grant(.viewer, to: fixture.eve)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<64 {
          group.addTask { _ = try await fixture.shares.grant(grant, on: resource, asking(fixture.ana)) }
        }
        try await group.waitForAll()
      }
      let users = try await fixture.shares.list(on: resource, fixture.ana).map(\.user)
      #expect(users == [fixture.ana.user, fixture.eve.user])
    }
  }

  @Test func theLastLastingOwnerStays() async throws {
    try await InventoryFixture.with { fixture in
      let resource = SharedResource.image(fixture.image)
      let (ana, eve, shares) = (fixture.ana, fixture.eve, fixture.shares)
      #expect(await code { try await shares.revoke(ana.user, on: resource, asking(ana)) } == .conflict)
      #expect(
        await code { _ = try await shares.grant(grant(.viewer, to: ana), on: resource, asking(ana)) } == .conflict)
      let soon = Date().addingTimeInterval(60)
      #expect(
        await code { _ = try await shares.grant(grant(.owner, to: ana, until: soon), on: resource, asking(ana)) }
          == .conflict)
      // An owner for a while is not one who lasts.
      _ = try await shares.grant(grant(.owner, to: eve, until: soon), on: resource, asking(ana))
      #expect(await code { try await shares.revoke(ana.user, on: resource, asking(ana)) } == .conflict)
      _ = try await shares.grant(grant(.owner, to: eve), on: resource, asking(ana))
      try await shares.revoke(ana.user, on: resource, asking(ana))
      #expect(try await fixture.images.get(fixture.image, eve)?.owner == eve.user)
      #expect(try await fixture.images.get(fixture.image, ana) == nil)
    }
  }

  /// What somebody goes on having cannot be made to count for somebody else.
  @Test func anOwnerGivesUpTheShareOrIsReplacedByWhoHasRoom() async throws {
    try await InventoryFixture.with { fixture in
      let resource = SharedResource.image(fixture.image)
      let (ana, eve, shares) = (fixture.ana, fixture.eve, fixture.shares)
      _ = try await shares.grant(grant(.owner, to: eve), on: resource, asking(ana))
      let late = Date().addingTimeInterval(1e9)
      for own in [grant(.owner, to: ana, until: late), grant(.operator, to: ana)] {
        #expect(await code { _ = try await shares.grant(own, on: resource, asking(ana)) } == .conflict)
      }
      let full = asking(eve, limits: Limits([.images: 0]))
      #expect(await code { _ = try await shares.grant(grant(.viewer, to: ana), on: resource, full) } == .quotaExceeded)
      #expect(await code { try await shares.revoke(ana.user, on: resource, full) } == .quotaExceeded)
      let roomy = asking(eve, limits: Limits([.images: 1, .imageBytes: 1], revision: 1))
      _ = try await shares.grant(grant(.viewer, to: ana), on: resource, roomy)
      #expect(try await fixture.images.get(fixture.image, eve)?.owner == eve.user)
    }
  }

  @Test func ofTwoOwnersWhoLeaveAtOnceOneStays() async throws {
    try await InventoryFixture.with { fixture in
      let resource = SharedResource.image(fixture.image)
      for _ in 0..<20 {
        for caller in [fixture.ana, fixture.eve] {
          _ = try await fixture.shares.grant(grant(.owner, to: caller), on: resource, asking(fixture.admin))
        }
        let codes = await withTaskGroup(of: ErrorCode?.self) { group in
          for caller in [fixture.ana, fixture.eve] {
            group.addTask { await code { try await fixture.shares.revoke(caller.user, on: resource, asking(caller)) } }
          }
          return await group.reduce(into: [ErrorCode?]()) { $0.append($1) }
        }
        #expect(codes.filter { $0 == nil }.count == 1 && codes.contains(.conflict))
      }
    }
  }

  @Test func aShareEndsAtItsMoment() async throws {
    try await InventoryFixture.with { fixture in
      let resource = SharedResource.image(fixture.image)
      let end = Date().addingTimeInterval(60)
      let made = try await fixture.shares.grant(
        grant(.viewer, to: fixture.eve, until: end), on: resource, asking(fixture.ana)
      )
      #expect(abs((made.expiresAt ?? .distantPast).timeIntervalSince(end)) < 0.002)
      #expect(try await fixture.images.get(fixture.image, fixture.eve) != nil)
      // As if the time had passed.
      try await fixture.pool.execute("UPDATE inventory.permissions SET expires_at = now() WHERE expires_at IS NOT NULL")
      #expect(try await fixture.images.get(fixture.image, fixture.eve) == nil)
      #expect(try await fixture.images.listing(fixture.eve).page(ListRequest()).items.isEmpty)
      #expect(try await fixture.shares.list(on: resource, fixture.ana).count == 1)
      #expect(await code { _ = try await fixture.add(as: fixture.eve) } == .notFound)
    }
  }

  /// What others own too goes on under them; what nobody else owns goes.
  @Test func whoGoesLeavesNothingBehind() async throws {
    try await InventoryFixture.with { fixture in
      let (alone, together) = (try await fixture.add().resource.id, try await fixture.add().resource.id)
      for resource in [SharedResource.vm(together), .image(fixture.image)] {
        _ = try await fixture.shares.grant(grant(.owner, to: fixture.eve), on: resource, asking(fixture.ana))
      }
      #expect(
        await code { try await Shares(store: fixture.shares).forget(fixture.ana.user, asking(fixture.eve)) }
          == .forbidden)
      // Twice, as when an answer was lost.
      for _ in 0..<2 { try await fixture.shares.forget(fixture.ana.user, asking(fixture.admin)) }
      #expect(try await fixture.vms.get(alone, fixture.admin)?.state == .deleting)
      #expect(try await fixture.vms.get(together, fixture.eve)?.owner == fixture.eve.user)
      let users = try await fixture.shares.list(on: .image(fixture.image), fixture.eve).map(\.user)
      #expect(users == [fixture.eve.user])
      #expect(try await fixture.shares.list(of: fixture.ana.user).isEmpty)
    }
  }

  /// Who shares a VM can wait for what another of its users asked for.
  @Test func whoSeesAThingSeesWhatIsDoneToIt() async throws {
    try await InventoryFixture.with { fixture in
      let accepted = try await fixture.add()
      let operation = try #require(accepted.operation).id
      #expect(try await fixture.operations.get(operation, fixture.eve) == nil)
      let viewer = grant(.viewer, to: fixture.eve)
      _ = try await fixture.shares.grant(viewer, on: .vm(accepted.resource.id), asking(fixture.ana))
      #expect(try await fixture.operations.get(operation, fixture.eve) != nil)
    }
  }

  @Test func everyoneMayGiveUpTheirOwn() async throws {
    try await InventoryFixture.with { fixture in
      let resource = SharedResource.image(fixture.image)
      let (ana, eve, shares) = (fixture.ana, fixture.eve, fixture.shares)
      _ = try await shares.grant(grant(.viewer, to: eve), on: resource, asking(ana))
      #expect(await code { try await shares.revoke(ana.user, on: resource, asking(eve)) } == .forbidden)
      try await shares.revoke(eve.user, on: resource, asking(eve))
      #expect(await code { try await shares.revoke(eve.user, on: resource, asking(ana)) } == .notFound)
    }
  }

  @Test func hiddenIsLikeAbsentForSharesToo() async throws {
    try await InventoryFixture.with { fixture in
      let (ana, eve, shares) = (fixture.ana, fixture.eve, fixture.shares)
      for resource in [SharedResource.image(fixture.image), .image(.make())] {
        #expect(await code { _ = try await shares.list(on: resource, eve) } == .notFound)
        #expect(
          await code { _ = try await shares.grant(grant(.owner, to: eve), on: resource, asking(eve)) } == .notFound)
        #expect(await code { try await shares.revoke(ana.user, on: resource, asking(eve)) } == .notFound)
      }
    }
  }
}
