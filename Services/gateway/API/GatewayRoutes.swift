import Clients
import Foundation
import HTTPTypes
import Hummingbird
import Models
import NIOCore
import ServiceKit

/// The /iaas surface.
struct GatewayRoutes {
  let auth: AuthClient
  let inventory: InventoryClient
  let proxies: [AddressRange]
  let quotas: QuotaPolicy

  var tokens: TokenMiddleware { TokenMiddleware(auth: auth, proxies: proxies, quotas: quotas) }
  var waiting: Waiting { Waiting(inventory: inventory) }

  var routes: ServiceRoutes {
    ServiceRoutes(isReady: checkPeers, scrape: { _ in [] }, declare: declare)
  }

  private func declare(on router: Router<ServiceContext>) {
    declareOpen(on: router)
    declareIdentityOpen(on: router)
    let sessions = router.forSessions(tokens)
    declareSessions(on: sessions)
    declareUsers(on: sessions)
    declareSecondFactor(on: sessions)
    declareInvitations(on: sessions)
    declareHosts(on: sessions)
    declareImages(on: sessions)
    declareVMs(on: sessions)
    declareKeys(on: sessions)
    declareShares(on: sessions)
    declareOperations(on: sessions)
  }

  /// The routes that strangers may call.
  private func declareOpen(on router: Router<ServiceContext>) {
    router.get("/iaas/health") { _, _ in JSONResponse(["status": "ok"]) }
    router.get("/iaas/ready") { _, _ in
      try await checkPeers()
      return JSONResponse(["status": "ok"])
    }
    let document = FixedDocument(PackageResources.openapi_json, type: "application/json")
    router.get("/iaas/openapi.json") { request, _ in document.response(to: request) }
    router.get("/docs") { request, _ in DocsPage.document.response(to: request) }
    router.head("/docs") { request, _ in DocsPage.document.response(to: request) }
  }

  /// - Throws: `unavailable`, naming what is away.
  @Sendable private func checkPeers() async throws {
    let origin = CallOrigin(requestID: UUIDText.make().description)
    async let authReady = auth.isReady(origin)
    async let inventoryReady = inventory.isReady(origin)
    let peers = [("auth-service", await authReady), ("inventory-service", await inventoryReady)]
    let away = peers.filter { !$0.1 }.map(\.0)
    guard away.isEmpty else {
      throw ServiceError(.unavailable, "Not ready: \(away.joined(separator: ", ")).", retryAfter: 2)
    }
  }

  private func declareHosts(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/hosts") { request, context in
      try await Lists.respond(to: request, "hosts") { try await inventory.list($0, context.origin) }
    }
    router.post("/iaas/hosts") { request, context in
      let host = try await inventory.add(try await request.decodeJSON(NewHost.self), context.origin)
      return JSONResponse(host, status: .created, headers: [.location: "/iaas/hosts/\(host.id)"])
    }
    router.get("/iaas/hosts/:host") { _, context in
      JSONResponse(try await inventory.host(try context.id("host", of: .host), context.origin))
    }
    router.put("/iaas/hosts/:host") { request, context in
      JSONResponse(
        try await inventory.update(
          try context.id("host", of: .host), try await request.decodeJSON(HostUpdate.self), context.origin))
    }
    router.delete("/iaas/hosts/:host") { request, context in
      let id: HostID = try context.id("host", of: .host)
      guard try request.parameters().flag("cascade") else {
        try await inventory.removeHost(id, context.origin)
        return Response(status: .noContent)
      }
      return try await removed(
        { try await inventory.host(id, context.origin) }, try await inventory.cascade(id, context.origin), request,
        context)
    }
  }

  private func declareImages(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/images") { request, context in
      try await Lists.respond(to: request, "images") { try await inventory.list($0, context.origin) }
    }
    router.post("/iaas/images") { request, context in
      let accepted = try await inventory.add(try await request.decodeJSON(NewImage.self), context.origin)
      return try await settled(accepted, created: true, request, context) { resource in
        try await inventory.image(resource.id, context.origin)
      }
    }
    router.get("/iaas/images/:image") { _, context in
      JSONResponse(try await inventory.image(try context.id("image", of: .image), context.origin))
    }
    router.put("/iaas/images/:image") { request, context in
      JSONResponse(
        try await inventory.update(
          try context.id("image", of: .image), try await request.decodeJSON(ImageUpdate.self), context.origin))
    }
    router.put("/iaas/images/:image/content") { request, context in
      let id: ImageID = try context.id("image", of: .image)
      let accepted = try await inventory.upload(
        id, try request.content(), length: request.headers[.contentLength].flatMap { Int64($0) }, context.origin)
      return try await settled(accepted, created: false, request, context) { _ in
        try await inventory.image(id, context.origin)
      }
    }
    router.get("/iaas/catalogue") { _, context in JSONResponse(try await inventory.wellKnownImages(context.origin)) }
    router.delete("/iaas/images/:image") { _, context in
      try await inventory.removeImage(try context.id("image", of: .image), context.origin)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareVMs(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/vms") { request, context in
      try await Lists.respond(to: request, "vms") { try await inventory.list($0, context.origin) }
    }
    router.post("/iaas/vms") { request, context in
      let accepted = try await inventory.add(try await request.decodeJSON(NewVM.self), context.origin)
      return try await settled(accepted, created: true, request, context) { resource in
        try await inventory.vm(resource.id, context.origin)
      }
    }
    router.post("/iaas/placements") { request, context in
      JSONResponse(try await inventory.explain(try await request.decodeJSON(NewVM.self), context.origin))
    }
    router.get("/iaas/vms/:vm") { request, context in
      let id: VMID = try context.id("vm", of: .vm)
      let parameters = try request.parameters()
      let wait = try parameters.integer("wait", in: Self.waits) ?? 0
      guard let readiness = parameters["readiness"] else {
        return JSONResponse(try await inventory.vm(id, context.origin))
      }
      guard let stage = ReadinessStage(rawValue: readiness) else { throw Self.unknownStage }
      return JSONResponse(try await inventory.vm(id, readyFor: stage, wait: wait, context.origin))
    }
    router.put("/iaas/vms/:vm") { request, context in
      let id: VMID = try context.id("vm", of: .vm)
      let accepted = try await inventory.update(id, try await request.decodeJSON(), context.origin)
      return try await settled(accepted, created: false, request, context) { _ in
        try await inventory.vm(id, context.origin)
      }
    }
    router.delete("/iaas/vms/:vm") { request, context in
      let id: VMID = try context.id("vm", of: .vm)
      let accepted = try await inventory.removeVM(id, context.origin)
      return try await removed({ accepted.resource }, accepted.operation, request, context)
    }
    router.post("/iaas/vms/:vm/snapshots") { request, context in
      let accepted = try await inventory.snapshot(
        try context.id("vm", of: .vm), try await request.decodeJSON(), context.origin)
      return try await settled(accepted, created: true, at: "/iaas/images", request, context) { image in
        try await inventory.image(image.id, context.origin)
      }
    }
    router.get("/iaas/vms/:vm/metrics") { request, context in
      JSONResponse(
        try await inventory.metrics(
          try context.id("vm", of: .vm), query: request.uri.query ?? "", context.origin))
    }
    router.get("/iaas/vms/:vm/console/live") { _, context in
      let answer = try await inventory.openConsole(try context.id("vm", of: .vm), context.origin)
      let headers: HTTPFields = [
        .contentType: "application/octet-stream", .xContentTypeOptions: "nosniff", .cacheControl: "no-store",
      ]
      return Response(status: .ok, headers: headers, body: .init(asyncSequence: answer.body))
    }
    router.post("/iaas/vms/:vm/console") { request, context in
      try await inventory.type(
        try await request.decodeJSON(), to: try context.id("vm", of: .vm), context.origin)
      return HTTPResponse.Status.noContent
    }
    router.get("/iaas/vms/:vm/console") { request, context in
      let bytes = try request.parameters().integer("bytes", in: 1...1 << 20) ?? 64 << 10
      let text = try await inventory.console(try context.id("vm", of: .vm), bytes: bytes, context.origin)
      // What a guest wrote is not to be taken for a page.
      let headers: HTTPFields = [.contentType: "text/plain; charset=utf-8", .xContentTypeOptions: "nosniff"]
      return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: text)))
    }
  }

  /// Seconds that may be waited for something.
  private static let waits = 0...60

  private static let unknownStage = ServiceError.invalid(
    "readiness", "must be one of \(ReadinessStage.allCases.map(\.rawValue).joined(separator: ", ")).")

  private func declareKeys(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/keys") { request, context in
      try await Lists.respond(to: request, "keys") { try await inventory.list($0, context.origin) }
    }
    router.post("/iaas/keys") { request, context in
      let key = try await inventory.add(try await request.decodeJSON(NewSSHKey.self), context.origin)
      return JSONResponse(key, status: .created, headers: [.location: "/iaas/keys/\(key.id)"])
    }
    router.get("/iaas/keys/:key") { _, context in
      JSONResponse(try await inventory.key(try context.id("key", of: .key), context.origin))
    }
    router.put("/iaas/keys/:key") { request, context in
      JSONResponse(
        try await inventory.update(
          try context.id("key", of: .key), try await request.decodeJSON(SSHKeyUpdate.self), context.origin))
    }
    router.delete("/iaas/keys/:key") { _, context in
      try await inventory.removeKey(try context.id("key", of: .key), context.origin)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareShares(on router: RouterGroup<SessionContext>) {
    declareShares(on: router.group("/iaas/images/:image/shares")) {
      "images/\(try $0.id("image", of: .image) as ImageID)"
    }
    declareShares(on: router.group("/iaas/vms/:vm/shares")) { "vms/\(try $0.id("vm", of: .vm) as VMID)" }
  }

  private func declareShares(
    on router: RouterGroup<SessionContext>, of resource: @escaping @Sendable (SessionContext) throws -> String
  ) {
    let sharing = Sharing(auth: auth, inventory: inventory)
    router.get { _, context in JSONResponse(try await sharing.list(of: try resource(context), context.origin)) }
    router.post { request, context in
      let resource = try resource(context)
      return JSONResponse(
        try await sharing.share(resource, try await request.decodeJSON(), context.origin), status: .created)
    }
    router.delete(":user") { _, context in
      try await sharing.unshare(try resource(context), try context.text("user"), context.origin)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareOperations(on router: RouterGroup<SessionContext>) {
    router.get("/iaas/operations") { request, context in
      try await Lists.respond(to: request, "operations") { try await inventory.list($0, context.origin) }
    }
    router.get("/iaas/operations/:operation") { request, context in
      let wait = try request.parameters().integer("wait", in: Self.waits) ?? 0
      return JSONResponse(
        try await inventory.operation(try context.id("operation", of: .operation), wait: wait, context.origin))
    }
  }

  /// Answers a mutation: the settled object, or as much as there is with the place where it can be watched. A VM that was
  /// started may be waited for until its guest has come as far as the client wishes.
  private func settled<Resource: Codable & Sendable & Identified>(
    _ accepted: Accepted<Resource>, created: Bool, at path: String? = nil, _ request: Request,
    _ context: SessionContext, reload: (Resource) async throws -> Resource
  ) async throws -> Response {
    let preference = try Waiting.Preference(request.headers[.prefer])
    let end = ContinuousClock.now + .seconds(preference.seconds)
    let operation = try await waiting.settle(accepted.operation, seconds: preference.seconds, context.origin)
    // What was to be made exists, with the failure in it; what was to be changed has not been changed.
    if !created, let failure = operation?.error {
      throw ServiceError(ErrorCode(wire: failure.code), failure.message)
    }
    var isSettled = operation?.status.isSettled ?? true
    var resource = operation == nil ? accepted.resource : try await reload(accepted.resource)
    if let stage = preference.readiness, isSettled, let vm = resource as? VM {
      let vm = try await waiting.ready(vm, for: stage, until: end, context.origin)
      isSettled = vm.state != .running || vm.readiness.map { $0.stage >= stage } ?? false
      if let vm = vm as? Resource { resource = vm }
    }
    let status: HTTPResponse.Status = isSettled ? (created ? .created : .ok) : .accepted
    var headers = Self.location(operation)
    if let warnings = accepted.warnings {
      headers[.quotaWarning] = warnings.map(\.description).joined(separator: ", ")
    }
    if created { headers[.location] = "\(path ?? request.uri.path)/\(resource.id)" }
    return try JSONResponse(resource, status: status, headers: headers).response(from: request, context: context)
  }

  /// Answers a removal: nothing, or what is still there with the place where its end can be watched.
  private func removed<Resource: Codable & Sendable>(
    _ resource: () async throws -> Resource, _ operation: Models.Operation?, _ request: Request,
    _ context: SessionContext
  ) async throws -> Response {
    let seconds = try Waiting.Preference(request.headers[.prefer]).seconds
    let operation = try await waiting.settle(operation, seconds: seconds, context.origin)
    if operation?.status == .done { return Response(status: .noContent) }
    if let failure = operation?.error { throw ServiceError(ErrorCode(wire: failure.code), failure.message) }
    return try JSONResponse(try await resource(), status: .accepted, headers: Self.location(operation))
      .response(from: request, context: context)
  }

  private static func location(_ operation: Models.Operation?) -> HTTPFields {
    operation.map { [.operationLocation: "/iaas/operations/\($0.id)"] } ?? [:]
  }
}
