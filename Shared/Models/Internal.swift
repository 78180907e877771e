import Foundation

// What the services say to each other.

/// On whose behalf a service is called; the gateway has authenticated them.
public struct Caller: Sendable, Equatable {
  public var user: UserID
  public var admin: Bool

  public init(user: UserID, admin: Bool) {
    self.user = user
    self.admin = admin
  }

  /// - Parameter what: What only they do, as in "Only administrators …".
  /// - Throws: `forbidden` for everyone else.
  public func requireAdministrator(to what: String) throws {
    guard admin else { throw ServiceError(.forbidden, "Only administrators \(what).") }
  }
}

public struct IssuedToken: Codable, Sendable {
  public var token: String

  public init(token: String) { self.token = token }
}

/// What somebody is about to do, for the audit log. It holds ids and the route, and nothing of what was sent.
public struct AuditIntent: Codable, Sendable {
  /// The verb and the route.
  public var action: String
  public var resource: UUIDText?
  public var address: String?
  public var requestID: String

  public init(action: String, resource: UUIDText?, address: String?, requestID: String) {
    self.action = action
    self.resource = resource
    self.address = address
    self.requestID = requestID
  }
}

/// What came of it.
public struct AuditConclusion: Codable, Sendable {
  public var status: Int
  /// What was made, where something was.
  public var resource: UUIDText?

  public init(status: Int, resource: UUIDText?) {
    self.status = status
    self.resource = resource
  }
}

/// A token to verify, and what its bearer is about to do with it, if it changes something.
public struct Presented: Codable, Sendable {
  public var token: String
  public var intent: AuditIntent?

  public init(token: String, intent: AuditIntent?) {
    self.token = token
    self.intent = intent
  }
}

/// The answer to a token that is good.
public struct VerifiedSession: Codable, Sendable {
  public var user: User
  public var session: Session
  /// How often the user's quota was changed.
  public var quotaRevision: Int64
  /// Where what came of the intent is to be noted.
  public var audit: AuditID?

  public init(user: User, session: Session, quotaRevision: Int64 = 0, audit: AuditID? = nil) {
    self.user = user
    self.session = session
    self.quotaRevision = quotaRevision
    self.audit = audit
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    user = try fields.decode(User.self, forKey: .user)
    session = try fields.decode(Session.self, forKey: .session)
    // An auth-service of before quotas does not tell.
    quotaRevision = try fields.decodeIfPresent(Int64.self, forKey: .quotaRevision) ?? 0
    audit = try fields.decodeIfPresent(AuditID.self, forKey: .audit)
  }
}

/// A user as they are after a change; on the wire, a user with a member more.
public struct ChangedUser: Codable, Sendable {
  public var user: User
  /// How often the user's quota was changed.
  public var quotaRevision: Int64

  private enum CodingKeys: CodingKey { case quotaRevision }

  public init(user: User, quotaRevision: Int64) {
    self.user = user
    self.quotaRevision = quotaRevision
  }

  public init(from decoder: any Decoder) throws {
    user = try User(from: decoder)
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    quotaRevision = try fields.decodeIfPresent(Int64.self, forKey: .quotaRevision) ?? 0
  }

  public func encode(to encoder: any Encoder) throws {
    try user.encode(to: encoder)
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(quotaRevision, forKey: .quotaRevision)
  }
}

/// A log-in or a registration as the gateway passes it on: what was sent, and by whom.
public struct Visit<Request: Codable & Sendable>: Codable, Sendable {
  public var request: Request
  public var address: String?
  public var client: String?

  public init(_ request: Request, address: String?, client: String?) {
    self.request = request
    self.address = address
    self.client = client
  }
}

/// A resource as it is after a mutation was written, and the operation that will settle it, if anything is left to do.
public struct Accepted<Resource: Codable & Sendable>: Codable, Sendable {
  public var resource: Resource
  public var operation: Operation?
  /// The limits that are nearly reached by it.
  public var warnings: [QuotaWarning]?

  public init(resource: Resource, operation: Operation?, warnings: [QuotaWarning] = []) {
    self.resource = resource
    self.operation = operation
    self.warnings = warnings.isEmpty ? nil : warnings
  }
}

/// Asks for the users of ids and e-mails.
public struct UserLookup: Codable, Sendable {
  public var ids: [UserID]
  public var emails: [String]

  public init(ids: [UserID] = [], emails: [String] = []) {
    self.ids = ids
    self.emails = emails
  }
}

/// As much of a user as those need to know who share something with them.
public struct UserName: Codable, Sendable {
  public var id: UserID
  public var email: String

  public init(id: UserID, email: String) {
    self.id = id
    self.email = email
  }
}

/// A permission as the gateway asks for it, when it knows whose it shall be.
public struct Grant: Codable, Sendable {
  public var user: UserID
  public var role: Role
  public var expiresAt: Date?

  public init(user: UserID, role: Role, expiresAt: Date?) {
    self.user = user
    self.role = role
    self.expiresAt = expiresAt
  }
}
