import HTTPTypes
import Hummingbird
import Models
import ServiceKit

extension AgentRoutes {
  /// Bytes of the console that are given, and that can be asked for.
  private static let consoleBytes = 64 << 10
  /// What of the past somebody sees who begins to look.
  private static let recalledBytes = 2048
  private static let consoleLimit = Int(ConsoleLog.kept)

  func declareVMs(on router: RouterGroup<FenceContext>) {
    router.put { request, context in
      let spec = try await request.decodeJSON(VMSpec.self)
      try check(spec.id, context)
      return JSONResponse(try await lifecycle.apply(spec, context.fence))
    }
    router.delete { _, context in
      try await lifecycle.remove(try context.id("vm", of: .vm), context.fence)
      return HTTPResponse.Status.noContent
    }
    router.put("caps") { request, context in
      JSONResponse(
        try await lifecycle.cap(
          try context.id("vm", of: .vm), try await request.decodeJSON(Caps.self), context.fence))
    }
    router.post("quarantine") { request, context in
      guard let generation = try request.parameters()["generation"].flatMap({ Int64($0) }) else {
        throw ServiceError.invalid("generation", "must be given.")
      }
      let report = try await lifecycle.quarantine(try context.id("vm", of: .vm), generation: generation)
      return try report.map { try JSONResponse($0).response(from: request, context: context) }
        ?? Response(status: .noContent)
    }
    router.get("console/live") { _, context in
      let id: VMID = try context.id("vm", of: .vm)
      let earlier = try await views.console(of: id, bytes: Self.recalledBytes)
      let stream = try await consoles.follow(id)
      return Response(
        status: .ok, headers: [.contentType: "application/octet-stream", .cacheControl: "no-store"],
        body: .init { writer in
          try await writer.write(ByteBuffer(bytes: earlier))
          for await buffer in stream { try await writer.write(buffer) }
          try await writer.finish(nil)
        })
    }
    router.post("console") { request, context in
      let input = try await request.decodeJSON(ConsoleInput.self)
      try await consoles.type(input.input, to: try context.id("vm", of: .vm))
      return HTTPResponse.Status.noContent
    }
    router.get("console") { request, context in
      let text = try await views.console(
        of: try context.id("vm", of: .vm), bytes: try consoleBytes(try request.parameters()["bytes"]))
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
        body: .init(byteBuffer: ByteBuffer(bytes: text)))
    }
  }

  func check(_ id: VMID, _ context: FenceContext) throws {
    let named: VMID = try context.id("vm", of: .vm)
    guard named == id else { throw ServiceError.invalid("id", "differs from the id in the path.") }
  }

  private func consoleBytes(_ text: String?) throws -> Int {
    guard let text else { return Self.consoleBytes }
    guard let count = Int(text), (1...Self.consoleLimit).contains(count) else {
      throw ServiceError.invalid("bytes", "must be a whole number from 1 to \(Self.consoleLimit).")
    }
    return count
  }
}
