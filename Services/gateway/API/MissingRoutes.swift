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
    missing(.post, "/iaas/vms/:vm/snapshots", "Saving a VM as an image")
  }
}

extension Request {
  /// The body as content of an image.
  /// - Throws: `unsupported_media_type` for a form, an encoding, or text.
  func content() throws -> RequestBody {
    let type = headers[.contentType]?.lowercased() ?? "application/octet-stream"
    let isText = ["application/json", "application/x-www-form-urlencoded"].contains { type.hasPrefix($0) }
    guard headers[.contentEncoding] == nil, type.hasPrefix("application/"), !isText else {
      throw ServiceError(.unsupportedMediaType, "Send the image itself, as application/octet-stream.")
    }
    return body
  }

  /// - Throws: `not_implemented`: a key that is not honoured must not be taken for one that is.
  func refuseIdempotencyKey() throws {
    guard headers[.idempotencyKey] == nil else { throw ServiceError.notImplemented("Idempotency-Key") }
  }
}
