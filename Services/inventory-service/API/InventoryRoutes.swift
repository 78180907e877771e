import Clients
import HTTPTypes
import Hummingbird
import Models
import ServiceKit

/// The internal port of inventory-service.
struct InventoryRoutes {
  let hosts: Hosts
  let images: Images
  let vms: VMs
  let operations: Operations
  let credentials: ServiceCredentials

  var routes: ServiceRoutes {
    ServiceRoutes(
      isReady: { _ = try await hosts.store.installation() },
      declare: { router in
        let callers = router.group("/v1").add(middleware: ServiceCredentialMiddleware(credentials)).forCallers()
        declareHosts(on: callers)
        declareImages(on: callers)
        declareVMs(on: callers)
        declareOperations(on: callers)
      })
  }

  private func declareHosts(on router: RouterGroup<CallerContext>) {
    router.get("hosts") { _, context in JSONResponse(try await hosts.list(context.caller)) }
    router.post("hosts") { request, context in
      let host = try await hosts.add(try await request.decodeJSON(), context.origin, context.caller)
      return JSONResponse(host, status: .created)
    }
    router.get("hosts/:host") { _, context in
      JSONResponse(try await hosts.get(try context.id("host", of: .host), context.caller))
    }
    router.delete("hosts/:host") { _, context in
      try await hosts.remove(try context.id("host", of: .host), context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareImages(on router: RouterGroup<CallerContext>) {
    router.get("images") { _, context in JSONResponse(try await images.list(context.caller)) }
    router.post("images") { request, context in
      JSONResponse(
        try await images.add(try await request.decodeJSON(), context.caller, requestID: context.requestID),
        status: .accepted)
    }
    router.get("images/:image") { _, context in
      JSONResponse(try await images.get(try context.id("image", of: .image), context.caller))
    }
    router.delete("images/:image") { _, context in
      try await images.remove(try context.id("image", of: .image), context.caller)
      return HTTPResponse.Status.noContent
    }
  }

  private func declareVMs(on router: RouterGroup<CallerContext>) {
    router.get("vms") { _, context in JSONResponse(try await vms.list(context.caller)) }
    router.post("vms") { request, context in
      JSONResponse(
        try await vms.add(try await request.decodeJSON(), context.caller, requestID: context.requestID),
        status: .accepted)
    }
    router.get("vms/:vm") { _, context in
      JSONResponse(try await vms.get(try context.id("vm", of: .vm), context.caller))
    }
    router.put("vms/:vm") { request, context in
      JSONResponse(
        try await vms.update(
          try context.id("vm", of: .vm), try await request.decodeJSON(), context.caller, requestID: context.requestID))
    }
    router.delete("vms/:vm") { _, context in
      JSONResponse(
        try await vms.remove(try context.id("vm", of: .vm), context.caller, requestID: context.requestID),
        status: .accepted)
    }
  }

  private func declareOperations(on router: RouterGroup<CallerContext>) {
    router.get("operations") { _, context in JSONResponse(try await operations.list(context.caller)) }
    router.get("operations/:operation") { request, context in
      let wait = request.uri.queryParameters["wait"].flatMap { Int($0) } ?? 0
      return JSONResponse(
        try await operations.get(try context.id("operation", of: .operation), wait: wait, context.caller))
    }
    router.get("users/:user/holdings") { _, context in
      JSONResponse(try await vms.holdings(of: try context.id("user", of: .user), context.caller))
    }
  }
}

extension CallerContext {
  var origin: CallOrigin { CallOrigin(requestID: requestID, caller: caller) }
}
