import Clients
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Models
import ServiceKit

/// Notes what came of something that the audit log knows to have begun. An entry without a status is one whose end nobody
/// could note: the gateway or auth-service ended in the middle.
struct AuditTrail {
  let auth: AuthClient
  let audit: AuditID
  let origin: CallOrigin
  let logger: Logger

  func follow(_ body: () async throws -> Response) async throws -> Response {
    do {
      let response = try await body()
      // What was made is named by where it is.
      let made = response.headers[.location].flatMap { UUIDText(($0 as NSString).lastPathComponent) }
      await conclude(response.status.code, made)
      return response
    } catch {
      await conclude(ServiceError.of(error).code.status.code, nil)
      throw error
    }
  }

  private func conclude(_ status: Int, _ resource: UUIDText?) async {
    do { try await auth.conclude(audit, AuditConclusion(status: status, resource: resource), origin) } catch {
      logger.warning("not noted in the audit log", metadata: ["audit": "\(audit)", "status": "\(status)"])
    }
  }
}
