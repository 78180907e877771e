import HTTPTypes
import Hummingbird
import Models
import ServiceKit

extension AgentRoutes {
  /// Copies of disks for images, and disks on their way to other hosts.
  func declareDisks(on router: RouterGroup<FenceContext>) {
    router.put("captures/:image") { _, context in
      JSONResponse(
        try await captures.capture(
          try context.id("vm", of: .vm), for: try context.id("image", of: .image), context.fence))
    }
    router.get("captures/:image") { request, context in
      let path = try captures.path(of: try context.id("vm", of: .vm), for: try context.id("image", of: .image))
      return try await FileResponse.make(path, request: request, context: context)
    }
    router.delete("captures/:image") { _, context in
      // The VM may have changed since the copy was made: only the host's part of the fence counts.
      try await captures.remove(try context.id("vm", of: .vm), for: try context.id("image", of: .image))
      return HTTPResponse.Status.noContent
    }
    router.post("offer") { _, context in
      JSONResponse(try await offers.offer(try context.id("vm", of: .vm), context.fence))
    }
    router.put("arrival") { request, context in
      let arrival = try await request.decodeJSON(Arrival.self)
      try check(arrival.spec.id, context)
      return JSONResponse(try await arrivals.receive(arrival, context.fence))
    }
  }
}
