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
  let credentials: ServiceCredentials

  private struct Presented: Decodable { let token: String }

  var routes: ServiceRoutes {
    ServiceRoutes(
      isReady: { try await accounts.checkDatabase() },
      declare: { router in
        let services = router.group("/v1").add(middleware: ServiceCredentialMiddleware(credentials))
        services.post("sessions") { request, _ in
          JSONResponse(try await authentication.logIn(try await request.decodeJSON()), status: .created)
        }
        services.post("sessions/verify") { request, _ in
          JSONResponse(try await authentication.verify(try await request.decodeJSON(Presented.self).token))
        }
        declareUsers(on: services.forCallers())
      })
  }

  private func declareUsers(on router: RouterGroup<CallerContext>) {
    router.delete("sessions/:session") { _, context in
      try await authentication.logOut(try context.id("session", of: .session), of: context.caller)
      return HTTPResponse.Status.noContent
    }
    router.get("users") { request, context in try await accounts.list(context.caller).response(to: request) }
    router.post("users/lookup") { request, _ in JSONResponse(try await accounts.names(try await request.decodeJSON())) }
    router.get("users/:user/removable") { _, context in
      try await accounts.requireRemovable(try context.id("user", of: .user), context.caller)
      return HTTPResponse.Status.noContent
    }
    router.post("users") { request, context in
      JSONResponse(try await accounts.add(try await request.decodeJSON(), context.caller), status: .created)
    }
    router.get("users/:user") { _, context in
      JSONResponse(try await accounts.get(try context.id("user", of: .user), context.caller))
    }
    router.delete("users/:user") { _, context in
      try await accounts.remove(try context.id("user", of: .user), context.caller)
      return HTTPResponse.Status.noContent
    }
  }
}
