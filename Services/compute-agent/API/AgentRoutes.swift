import HTTPTypes
import Hummingbird
import Models
import ServiceKit

/// What an agent serves, over TLS: enrolment, and to its own installation everything else.
struct AgentRoutes {
  let lifecycle: VMLifecycle
  let enrolments: Enrolments
  let facts: HostFactsReader

  var routes: ServiceRoutes {
    ServiceRoutes(
      isReady: { _ = try await facts.read() },
      declare: { router in
        router.post("/v1/enrolment") { request, _ in
          try await enrolments.enrol(try await request.decodeJSON())
          return JSONResponse(try await facts.read())
        }
        declare(on: router.group("/v1").add(middleware: InstallationMiddleware(enrolments: enrolments)))
      })
  }

  private func declare(on router: RouterGroup<ServiceContext>) {
    router.get("report") { _, _ in JSONResponse(try await lifecycle.reportAll()) }
    router.put("vms/:vm") { request, context in
      let id: VMID = try context.id("vm", of: .vm)
      let spec = try await request.decodeJSON(VMSpec.self)
      guard spec.id == id else { throw ServiceError.invalid("id", "differs from the id in the path.") }
      return JSONResponse(try await lifecycle.apply(spec))
    }
    router.delete("vms/:vm") { request, context in
      guard let generation = request.uri.queryParameters["generation"].flatMap({ Int64($0) }) else {
        throw ServiceError.invalid("generation", "must be given.")
      }
      try await lifecycle.remove(try context.id("vm", of: .vm), generation: generation)
      return HTTPResponse.Status.noContent
    }
  }
}

/// Refuses whoever does not present the secret agreed at enrolment.
struct InstallationMiddleware: RouterMiddleware {
  let enrolments: Enrolments

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    guard let secret = request.bearerToken, await enrolments.accepts(secret) else {
      throw ServiceError(.unauthenticated, "This agent serves the installation it is enrolled in.")
    }
    return try await next(request, context)
  }
}
