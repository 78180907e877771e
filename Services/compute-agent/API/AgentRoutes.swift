import Hummingbird
import Models
import ServiceKit

/// What an agent serves, over TLS: enrolment, offered disks to who has their signed URLs, and to its own installation
/// everything else.
struct AgentRoutes: Sendable {
  let lifecycle: VMLifecycle
  let reports: Reports
  let views: VMFolders
  let captures: Captures
  let offers: Offers
  let arrivals: Arrivals
  let enrolments: Enrolments
  let fences: Fences
  let facts: HostFactsReader
  let gauges: AgentGauges
  let consoles: Consoles

  var routes: ServiceRoutes {
    ServiceRoutes(
      isReady: { _ = try await facts.read() }, scrape: { try await gauges.read(bearer: $0.bearerToken) },
      declare: { router in
        router.post("/v1/enrolment") { request, _ in
          try await enrolments.enrol(try await request.decodeJSON())
          // A host that was removed and added anew is counted anew.
          try await fences.forgetHost()
          return JSONResponse(try await facts.read())
        }
        router.get("/v1/disks/:vm") { request, context in
          let path = try await offers.path(claimed: try request.parameters(), of: try context.id("vm", of: .vm))
          return try await FileResponse.make(path, request: request, context: context)
        }
        let own = router.group("/v1").add(middleware: InstallationMiddleware(enrolments: enrolments))
          .group(context: FenceHeaderContext.self).add(middleware: FenceMiddleware(fences: fences))
          .group(context: FenceContext.self)
        own.get("report") { _, _ in JSONResponse(try await reports.host()) }
        declareVMs(on: own.group("vms/:vm"))
        declareDisks(on: own.group("vms/:vm"))
      })
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
