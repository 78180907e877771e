import Clients
import Foundation
import HTTPTypes
import Hummingbird
import Models
import NIOCore
import ServiceKit

/// Users, sessions, second factors, invitations and the audit log.
extension GatewayRoutes {
  /// The routes that strangers may call.
  func declareIdentityOpen(on router: Router<ServiceContext>) {
    router.post("/iaas/sessions") { request, context in
      let visitor = Visitor(request, peer: context.peer, proxies: proxies)
      let visit = Visit(
        try await request.decodeJSON(LoginRequest.self), address: visitor.address, client: visitor.client)
      let token = try await auth.logIn(visit, CallOrigin(requestID: context.requestID)).token
      return Response(
        status: .created, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
        body: .init(byteBuffer: ByteBuffer(string: token)))
    }
    router.post("/iaas/users") { request, context in
      guard request.headers[.authorization] != nil else {
        try request.refuseIdempotencyKey()
        return try await register(request, context)
      }
      return try await tokens.handle(request, context: TokenContext(context: context)) { request, context in
        let session = try SessionContext(context: context)
        let new = try await request.decodeJSON(NewUser.self)
        try quotas.check(new.quota)
        let user = try await auth.add(new, session.origin)
        return try Self.created(user).response(from: request, context: context)
      }
    }
  }

  /// Makes an account for a stranger, where the installation lets them.
  private func register(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let origin = CallOrigin(requestID: context.requestID)
    let visitor = Visitor(request, peer: context.peer, proxies: proxies)
    let visit = Visit(try await request.decodeJSON(NewUser.self), address: visitor.address, client: visitor.client)
    return try Self.created(try await auth.register(visit, origin)).response(from: request, context: context)
  }

  private static func created(_ user: User) -> JSONResponse<User> {
    JSONResponse(user, status: .created, headers: [.location: "/iaas/users/\(user.id)"])
  }

  func declareSessions(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/sessions") { _, context in
      let current = context.verified.session.id
      return JSONResponse(
        try await auth.sessions(context.origin).map { session in
          var session = session
          session.current = session.id == current
          return session
        })
    }
    router.delete("/iaas/sessions") { _, context in
      try await auth.logOut(context.verified.session.id, context.origin)
      return HTTPResponse.Status.noContent
    }
    router.delete("/iaas/sessions/:session") { _, context in
      try await auth.logOut(try context.id("session", of: .session), context.origin)
      return HTTPResponse.Status.noContent
    }
    router.get("/iaas/me") { _, context in
      let verified = context.verified
      return JSONResponse(
        Account(
          user: verified.user, limits: quotas.limits(of: verified.user, revision: verified.quotaRevision),
          // Who somebody is can be said while it is not known what they have.
          usage: try? await inventory.usage(of: verified.user.id, context.origin)))
    }
  }

  func declareUsers(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/users") { request, context in
      try await Lists.respond(to: request, "users") { try await auth.list($0, context.origin) }
    }
    router.get("/iaas/users/:user") { _, context in
      JSONResponse(try await auth.user(try context.id("user", of: .user), context.origin))
    }
    router.put("/iaas/users/:user") { request, context in
      let id: UserID = try context.id("user", of: .user)
      let update = try await request.decodeJSON(UserUpdate.self)
      try quotas.check(update.quota)
      let changed = try await auth.update(id, update, context.origin)
      if update.quota != nil || update.admin != nil {
        let limits = quotas.limits(of: changed.user, revision: changed.quotaRevision)
        // Else they are told with the person's next request.
        try? await inventory.limit(id, limits, context.origin)
      }
      return JSONResponse(changed.user)
    }
    router.get("/iaas/users/:user/usage") { request, context in
      let id: UserID = try context.id("user", of: .user)
      return JSONResponse(try await inventory.usage(of: id, in: try request.month(), context.origin))
    }
    router.get("/iaas/users/:user/events") { _, context in
      JSONResponse(try await inventory.quotaEvents(of: try context.id("user", of: .user), context.origin))
    }
    router.get("/iaas/usage/events") { _, context in
      JSONResponse(try await inventory.quotaEvents(of: nil, context.origin))
    }
    router.get("/iaas/usage") { request, context in
      let table = try await UsageTable(auth: auth, inventory: inventory).csv(try request.month(), context.origin)
      return Response(
        status: .ok, headers: [.contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store"],
        body: .init(byteBuffer: ByteBuffer(string: table)))
    }
    router.delete("/iaas/users/:user") { _, context in
      try await UserRemoval(auth: auth, inventory: inventory).remove(try context.id("user", of: .user), context.origin)
      return HTTPResponse.Status.noContent
    }
    router.get("/iaas/users/:user/export") { _, context in
      let id: UserID = try context.id("user", of: .user)
      let parts = [try await auth.export(id, context.origin), try await inventory.export(id, context.origin)]
      // The members of both objects in one.
      let members = parts.map { $0.dropFirst().dropLast() }
      let document = Data("{".utf8) + members.joined(separator: Data(",".utf8)) + Data("}".utf8)
      return Response(
        status: .ok, headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
        body: .init(byteBuffer: ByteBuffer(bytes: document)))
    }
  }

  func declareSecondFactor(on router: RouterGroup<SessionContext>) {
    let path: RouterPath = "/iaas/users/:user/totp"
    router.post(path) { request, context in
      let id: UserID = try context.id("user", of: .user)
      return JSONResponse(
        try await auth.enrolSecondFactor(id, try await request.decodeJSON(), context.origin), status: .created,
        headers: [.cacheControl: "no-store"])
    }
    router.put(path) { request, context in
      let id: UserID = try context.id("user", of: .user)
      return JSONResponse(
        try await auth.confirmSecondFactor(id, try await request.decodeJSON(), context.origin),
        headers: [.cacheControl: "no-store"])
    }
    router.delete(path) { request, context in
      let id: UserID = try context.id("user", of: .user)
      try await auth.removeSecondFactor(id, try await request.decodeJSONIfAny(), context.origin)
      return HTTPResponse.Status.noContent
    }
  }

  func declareInvitations(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/invitations") { request, context in
      try await Lists.respond(to: request, "invitations") { try await auth.list($0, context.origin) }
    }
    router.post("/iaas/invitations") { request, context in
      try request.refuseIdempotencyKey()
      let invitation = try await auth.invite(try await request.decodeJSON(), context.origin)
      return JSONResponse(
        invitation, status: .created,
        headers: [.location: "/iaas/invitations/\(invitation.id)", .cacheControl: "no-store"])
    }
    router.delete("/iaas/invitations/:invitation") { _, context in
      try await auth.removeInvitation(try context.id("invitation", of: .invitation), context.origin)
      return HTTPResponse.Status.noContent
    }
    router.get("/iaas/audit") { request, context in
      try await Lists.respond(to: request, "audit") { try await auth.list($0, context.origin) }
    }
  }
}
