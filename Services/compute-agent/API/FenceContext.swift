import HTTPTypes
import Hummingbird
import Models
import ServiceKit

/// The context of a command whose fence is known, and is not of a time before the host was given up.
struct FenceContext: TracedContext, ChildRequestContext {
  var coreContext: CoreRequestContextStorage
  let requestID: String
  let fence: Fence

  /// - Throws: `malformed_request` unless the request bears a fence.
  init(context: FenceHeaderContext) throws {
    coreContext = context.coreContext
    requestID = context.requestID
    guard let fence = context.fence else {
      throw ServiceError(.malformedRequest, "\(Fence.header) must be three numbers with dots between them.")
    }
    self.fence = fence
  }
}

/// The context between the check of the installation's secret and that of the fence.
struct FenceHeaderContext: TracedContext, ChildRequestContext {
  var coreContext: CoreRequestContextStorage
  let requestID: String
  var fence: Fence?

  init(context: ServiceContext) {
    coreContext = context.coreContext
    requestID = context.requestID
  }
}

extension HTTPField.Name {
  static let fence = HTTPField.Name(Fence.header)!
}

/// Takes the fence from its header, and refuses what was overtaken by the giving up of the host.
struct FenceMiddleware: RouterMiddleware {
  let fences: Fences

  func handle(
    _ request: Request, context: FenceHeaderContext, next: (Request, FenceHeaderContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.fence = request.headers[.fence].flatMap { Fence($0) }
    if let fence = context.fence { try await fences.accept(host: fence.host) }
    return try await next(request, context)
  }
}
