import Clients
import HTTPTypes
import Hummingbird
import Models
import NIOFoundationCompat
import Persistence
import ServiceKit

/// The internal port of inventory-service.
struct InventoryRoutes {
  let hosts: Hosts
  let images: Images
  let vms: VMs
  let shares: Shares
  let keys: SSHKeys
  let personalData: PersonalData
  let quotas: Quotas
  let operations: Operations
  let gauges: GaugeStore
  let upload: ImageUpload
  let content: ImageContent
  let credentials: ServiceCredentials

  var routes: ServiceRoutes {
    ServiceRoutes(
      isReady: { _ = try await hosts.store.installation() }, scrape: { _ in try await gauges.read() },
      declare: { router in
        let callers = router.group("/v1").add(middleware: ServiceCredentialMiddleware(credentials)).forCallers()
        declareHosts(on: callers)
        declareImages(on: callers)
        declareVMs(on: callers)
        declareKeys(on: callers)
        declareShares(on: callers)
        declareOperations(on: callers)
        declareContent(on: router)
      })
  }

  private func declareHosts(on router: RouterGroup<CallerContext>) {
    router.get("hosts") { request, context in try await hosts.list(context.caller).response(to: request) }
    router.post("hosts") { request, context in
      JSONResponse(try await hosts.add(try await request.decodeJSON(), context.asked), status: .created)
    }
    router.get("hosts/:host") { _, context in
      JSONResponse(try await hosts.get(try context.id("host", of: .host), context.caller))
    }
    router.put("hosts/:host") { request, context in
      JSONResponse(
        try await hosts.update(
          try context.id("host", of: .host), try await request.decodeJSON(), context.asked))
    }
    router.delete("hosts/:host/cascade") { _, context in
      JSONResponse(try await hosts.cascade(try context.id("host", of: .host), context.asked), status: .accepted)
    }
    router.delete("hosts/:host") { _, context in
      try await hosts.remove(try context.id("host", of: .host), context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareImages(on router: RouterGroup<CallerContext>) {
    router.get("images") { request, context in try await images.list(context.caller).response(to: request) }
    router.post("images") { request, context in
      JSONResponse(
        try await images.add(try await request.decodeJSON(), context.asked), status: .accepted)
    }
    router.get("images/:image") { _, context in
      JSONResponse(try await images.get(try context.id("image", of: .image), context.caller))
    }
    router.put("images/:image") { request, context in
      JSONResponse(
        try await images.update(
          try context.id("image", of: .image), try await request.decodeJSON(), context.caller))
    }
    router.put("images/:image/content") { request, context in
      JSONResponse(
        try await upload.receive(
          try context.id("image", of: .image), request.body,
          length: request.headers[.contentLength].flatMap { Int64($0) }, context.asked),
        status: .accepted)
    }
    router.get("catalogue") { _, _ in JSONResponse(images.catalogue.images) }
    router.delete("images/:image") { _, context in
      try await images.remove(try context.id("image", of: .image), context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareVMs(on router: RouterGroup<CallerContext>) {
    router.get("vms") { request, context in try await vms.list(context.caller).response(to: request) }
    router.post("vms") { request, context in
      JSONResponse(try await vms.add(try await request.decodeJSON(), context.asked), status: .accepted)
    }
    router.post("placements") { request, context in
      JSONResponse(try await vms.explain(try await request.decodeJSON(), context.asked))
    }
    router.get("vms/:vm") { request, context in
      let id: VMID = try context.id("vm", of: .vm)
      let parameters = try request.parameters()
      guard let stage = parameters["readiness"] else { return JSONResponse(try await vms.get(id, context.caller)) }
      guard let stage = ReadinessStage(rawValue: stage) else { throw ReadinessStage.unknown }
      let wait = parameters["wait"].flatMap { Int($0) } ?? 0
      return JSONResponse(try await vms.get(id, readyFor: stage, wait: wait, context.caller))
    }
    router.put("vms/:vm") { request, context in
      JSONResponse(
        try await vms.update(try context.id("vm", of: .vm), try await request.decodeJSON(), context.asked))
    }
    router.delete("vms/:vm") { _, context in
      JSONResponse(try await vms.remove(try context.id("vm", of: .vm), context.asked), status: .accepted)
    }
    router.post("vms/:vm/snapshots") { request, context in
      JSONResponse(
        try await vms.snapshot(try context.id("vm", of: .vm), try await request.decodeJSON(), context.asked),
        status: .accepted)
    }
    router.get("vms/:vm/metrics") { request, context in
      let parameters = try request.parameters()
      return JSONResponse(
        try await vms.metrics(
          try context.id("vm", of: .vm), since: parameters["since"], step: parameters["step"], context.caller))
    }
    router.get("vms/:vm/console/live") { _, context in
      let answer = try await vms.openConsole(try context.id("vm", of: .vm), context.asked)
      return Response(
        status: .ok, headers: [.contentType: "application/octet-stream"], body: .init(asyncSequence: answer.body))
    }
    router.post("vms/:vm/console") { request, context in
      try await vms.type(try await request.decodeJSON(), to: try context.id("vm", of: .vm), context.asked)
      return HTTPResponse.Status.noContent
    }
    router.get("vms/:vm/console") { request, context in
      let bytes = try request.parameters()["bytes"].flatMap { Int($0) } ?? 64 << 10
      let text = try await vms.console(try context.id("vm", of: .vm), bytes: bytes, context.asked)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: .init(byteBuffer: .init(data: text)))
    }
  }

  private func declareKeys(on router: RouterGroup<CallerContext>) {
    router.get("keys") { request, context in try await keys.list(context.caller).response(to: request) }
    router.post("keys") { request, context in
      JSONResponse(try await keys.add(try await request.decodeJSON(), context.asked), status: .created)
    }
    router.get("keys/:key") { _, context in
      JSONResponse(try await keys.get(try context.id("key", of: .key), context.caller))
    }
    router.put("keys/:key") { request, context in
      JSONResponse(
        try await keys.update(try context.id("key", of: .key), try await request.decodeJSON(), context.caller))
    }
    router.delete("keys/:key") { _, context in
      try await keys.remove(try context.id("key", of: .key), context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareOperations(on router: RouterGroup<CallerContext>) {
    router.get("operations") { request, context in try await operations.list(context.caller).response(to: request) }
    router.get("operations/:operation") { request, context in
      let wait = request.uri.queryParameters["wait"].flatMap { Int($0) } ?? 0
      return JSONResponse(
        try await operations.get(try context.id("operation", of: .operation), wait: wait, context.caller))
    }
  }

  private func declareShares(on router: RouterGroup<CallerContext>) {
    declareShares(on: router.group("images/:image/shares")) { .image(try $0.id("image", of: .image)) }
    declareShares(on: router.group("vms/:vm/shares")) { .vm(try $0.id("vm", of: .vm)) }
    router.delete("users/:user") { _, context in
      try await shares.forget(try context.id("user", of: .user), context.asked)
      return HTTPResponse.Status.noContent
    }
    router.get("users/:user/usage") { request, context in
      JSONResponse(
        try await quotas.usage(of: try context.id("user", of: .user), in: try request.month(), context.caller))
    }
    router.get("usage") { request, context in
      JSONResponse(try await quotas.usages(in: try request.month(), context.caller))
    }
    router.get("users/:user/events") { _, context in
      JSONResponse(try await quotas.events(of: try context.id("user", of: .user), context.caller))
    }
    router.get("usage/events") { _, context in JSONResponse(try await quotas.events(context.caller)) }
    router.put("users/:user/limits") { request, context in
      try await quotas.limit(
        try context.id("user", of: .user), try await request.decodeJSON(), context.caller)
      return HTTPResponse.Status.noContent
    }
    router.get("users/:user/export") { _, context in
      JSONResponse(try await personalData.export(try context.id("user", of: .user), context.caller))
    }
  }

  private func declareShares(
    on router: RouterGroup<CallerContext>, of resource: @escaping @Sendable (CallerContext) throws -> SharedResource
  ) {
    router.get { _, context in JSONResponse(try await shares.list(on: try resource(context), context.caller)) }
    router.post { request, context in
      JSONResponse(
        try await shares.grant(try await request.decodeJSON(), on: try resource(context), context.asked),
        status: .created)
    }
    router.delete(":user") { _, context in
      try await shares.revoke(try context.id("user", of: .user), on: try resource(context), context.asked)
      return HTTPResponse.Status.noContent
    }
  }
}

extension InventoryRoutes {
  /// What agents fetch by the signed URLs that they are given; the signature is the credential.
  private func declareContent(on router: Router<ServiceContext>) {
    router.get("/v1/content/:image") { request, context in
      let image: ImageID = try context.id("image", of: .image)
      let path = try await content.path(of: image, try request.parameters())
      return try await FileResponse.make(path, request: request, context: context)
    }
  }
}

extension ReadinessStage {
  static var unknown: ServiceError {
    .invalid("readiness", "must be one of \(allCases.map(\.rawValue).joined(separator: ", ")).")
  }
}
