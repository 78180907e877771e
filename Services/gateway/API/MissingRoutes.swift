import HTTPTypes
import Hummingbird
import Models
import ServiceKit

extension GatewayRoutes {
  /// Routes of the contract that this version does not carry out: they say so, to those who have logged in.
  func declareMissing(on router: RouterGroup<SessionContext>) {
    func missing(_ method: HTTPRequest.Method, _ path: RouterPath, _ what: String) {
      router.on(path, method: method) { _, _ -> Response in throw ServiceError.notImplemented(what) }
    }
    missing(.put, "/iaas/hosts/:host", "Changing a host")
    missing(.put, "/iaas/users/:user", "Changing a user")
    missing(.put, "/iaas/images/:image", "Changing an image")
    for (path, kind) in [("/iaas/images/:image", "images"), ("/iaas/vms/:vm", "VMs")] {
      missing(.get, "\(path)/shares", "Sharing \(kind)")
      missing(.post, "\(path)/shares", "Sharing \(kind)")
      missing(.delete, "\(path)/shares/:user", "Sharing \(kind)")
    }
    missing(.post, "/iaas/vms/:vm/snapshots", "Saving a VM as an image")
  }
}

extension Request {
  /// - Throws: `not_implemented` for a condition, which would otherwise be ignored in silence; an empty one means all.
  func refuseQuery() throws {
    guard uri.queryParameters["query"].map({ $0.allSatisfy(\.isWhitespace) }) ?? true else {
      throw ServiceError.notImplemented("Selecting by 'query'")
    }
    for name in ["limit", "after", "sort"] where uri.queryParameters[Substring(name)] != nil {
      throw ServiceError.notImplemented("Paging and sorting lists ('\(name)')")
    }
  }

  /// - Throws: `not_implemented`: a key that is not honoured must not be taken for one that is.
  func refuseIdempotencyKey() throws {
    guard headers[.idempotencyKey] == nil else { throw ServiceError.notImplemented("Idempotency-Key") }
  }
}
