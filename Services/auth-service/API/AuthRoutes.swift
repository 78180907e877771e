import Foundation
import HTTPTypes
import Hummingbird
import Models
import Persistence
import ServiceKit

/// The internal port of auth-service.
struct AuthRoutes {
  let authentication: Authentication
  let accounts: Accounts
  let invitations: Invitations
  let personalData: PersonalData
  let audit: AuditStore
  let credentials: ServiceCredentials

  var routes: ServiceRoutes {
    ServiceRoutes(
      isReady: { try await accounts.checkDatabase() }, scrape: { _ in [] },
      declare: { router in
        let services = router.group("/v1").add(middleware: ServiceCredentialMiddleware(credentials))
        declareOpen(on: services)
        let callers = services.forCallers()
        declareSessions(on: callers)
        declareUsers(on: callers)
        declareSecondFactor(on: callers)
        declareAdministration(on: callers)
      })
  }

  /// What is asked for people who have not logged in.
  private func declareOpen(on router: RouterGroup<ServiceContext>) {
    router.post("sessions") { request, context in
      JSONResponse(
        try await authentication.logIn(try await request.decodeJSON(), requestID: context.requestID), status: .created)
    }
    router.post("sessions/verify") { request, _ in
      JSONResponse(try await authentication.verify(try await request.decodeJSON()))
    }
    router.post("registrations") { request, context in
      let user = try await register(try await request.decodeJSON(), requestID: context.requestID)
      return JSONResponse(user, status: .created)
    }
    router.put("audit/:audit") { request, context in
      let id: AuditID = try context.id("audit", of: .operation)
      try await audit.conclude(id, try await request.decodeJSON())
      return HTTPResponse.Status.noContent
    }
  }

  /// What a stranger does is noted where strangers may do it at all.
  private func register(_ visit: Visit<NewUser>, requestID: String) async throws -> User {
    func note(_ user: UserID?, _ status: Int) async throws {
      let intent = AuditIntent(
        action: "POST /iaas/users", resource: user.map { UUIDText($0.uuid) }, address: visit.address,
        requestID: requestID)
      try await audit.insert(intent, actor: nil, status: status)
    }
    do {
      let user = try await accounts.register(visit)
      try await note(user.id, HTTPResponse.Status.created.code)
      return user
    } catch {
      let code = ServiceError.of(error).code
      if code != .unauthenticated { try? await note(nil, code.status.code) }
      throw error
    }
  }

  private func declareSessions(on router: RouterGroup<CallerContext>) {
    router.get("sessions") { _, context in JSONResponse(try await authentication.list(context.caller)) }
    router.delete("sessions/:session") { _, context in
      try await authentication.logOut(try context.id("session", of: .session), of: context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareUsers(on router: RouterGroup<CallerContext>) {
    router.get("users") { request, context in try await accounts.list(context.caller).response(to: request) }
    router.post("users/lookup") { request, _ in JSONResponse(try await accounts.names(try await request.decodeJSON())) }
    router.post("users") { request, context in
      JSONResponse(try await accounts.add(try await request.decodeJSON(), context.asked), status: .created)
    }
    router.get("users/:user") { _, context in
      JSONResponse(try await accounts.get(try context.id("user", of: .user), context.caller))
    }
    router.put("users/:user") { request, context in
      JSONResponse(
        try await accounts.update(
          try context.id("user", of: .user), try await request.decodeJSON(), context.caller))
    }
    router.post("users/:user/disable") { _, context in
      try await accounts.disable(try context.id("user", of: .user), context.caller)
      return HTTPResponse.Status.noContent
    }
    router.delete("users/:user") { _, context in
      try await accounts.remove(try context.id("user", of: .user), context.caller)
      return HTTPResponse.Status.noContent
    }
    router.get("users/:user/export") { _, context in
      JSONResponse(try await personalData.export(try context.id("user", of: .user), context.caller))
    }
  }

  private func declareSecondFactor(on router: RouterGroup<CallerContext>) {
    router.post("users/:user/totp") { request, context in
      let id: UserID = try context.id("user", of: .user)
      return JSONResponse(
        try await accounts.enrolSecondFactor(id, try await request.decodeJSON(), context.caller), status: .created)
    }
    router.put("users/:user/totp") { request, context in
      let id: UserID = try context.id("user", of: .user)
      return JSONResponse(try await accounts.confirmSecondFactor(id, try await request.decodeJSON(), context.caller))
    }
    router.delete("users/:user/totp") { request, context in
      let id: UserID = try context.id("user", of: .user)
      try await accounts.removeSecondFactor(id, try await request.decodeJSONIfAny(), context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareAdministration(on router: RouterGroup<CallerContext>) {
    router.get("invitations") { request, context in
      try await invitations.list(context.caller).response(to: request)
    }
    router.post("invitations") { request, context in
      JSONResponse(try await invitations.add(try await request.decodeJSON(), context.caller), status: .created)
    }
    router.delete("invitations/:invitation") { _, context in
      try await invitations.remove(try context.id("invitation", of: .invitation), context.caller)
      return HTTPResponse.Status.noContent
    }
    router.get("audit") { request, context in
      try context.caller.requireAdministrator(to: "read the audit log")
      return try await audit.listing().response(to: request)
    }
  }
}
