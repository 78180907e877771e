import Foundation

/// A person who may log in.
public struct User: Codable, Sendable, Equatable {
  public var id: UserID
  public var email: String
  public var admin: Bool
  /// A disabled account cannot log in, and has no sessions.
  public var disabled: Bool
  /// Whether a second factor is asked for.
  public var totp: Bool
  /// The limits set for this person; what is absent is the installation's default.
  public var quota: Quota
  public var createdAt: Date
  public var lastLoginAt: Date?

  public init(
    id: UserID, email: String, admin: Bool, disabled: Bool = false, totp: Bool = false, quota: Quota = Quota(),
    createdAt: Date, lastLoginAt: Date?
  ) {
    self.id = id
    self.email = email
    self.admin = admin
    self.disabled = disabled
    self.totp = totp
    self.quota = quota
    self.createdAt = createdAt
    self.lastLoginAt = lastLoginAt
  }
}

/// A log-in that has not ended.
public struct Session: Codable, Sendable, Equatable {
  public var id: SessionID
  public var createdAt: Date
  public var lastUsedAt: Date
  /// When it ends however much it is used.
  public var expiresAt: Date
  /// From where it was opened, and by what program.
  public var address: String?
  public var client: String?
  /// Whether it is the one that asks.
  public var current: Bool

  public init(
    id: SessionID, createdAt: Date, lastUsedAt: Date, expiresAt: Date, address: String?, client: String?,
    current: Bool = false
  ) {
    self.id = id
    self.createdAt = createdAt
    self.lastUsedAt = lastUsedAt
    self.expiresAt = expiresAt
    self.address = address
    self.client = client
    self.current = current
  }
}

/// A second factor that waits to be confirmed (RFC 6238).
public struct TOTPEnrolment: Codable, Sendable, Equatable {
  public var id: UserID
  /// The secret in base32, to be typed where the URL cannot be scanned.
  public var secret: String
  /// `otpauth://totp/…`, for authenticator apps.
  public var url: String

  public init(id: UserID, secret: String, url: String) {
    self.id = id
    self.secret = secret
    self.url = url
  }
}

/// Codes that stand in for the second factor, each once; they are not shown again.
public struct RecoveryCodes: Codable, Sendable, Equatable {
  public var id: UserID
  public var recoveryCodes: [String]

  public init(id: UserID, recoveryCodes: [String]) {
    self.id = id
    self.recoveryCodes = recoveryCodes
  }
}

/// Leave to make an account, once.
public struct Invitation: Codable, Sendable, Equatable {
  public var id: InvitationID
  /// Only in the answer to the request that made it.
  public var code: String?
  public var createdBy: UserID
  public var createdAt: Date
  public var expiresAt: Date

  public init(id: InvitationID, code: String?, createdBy: UserID, createdAt: Date, expiresAt: Date) {
    self.id = id
    self.code = code
    self.createdBy = createdBy
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }
}

public typealias InvitationID = Identifier<Invitation>

/// Who did what, when, from where, and what came of it.
public struct AuditEntry: Codable, Sendable, Equatable {
  public var id: AuditID
  public var createdAt: Date
  /// Nil for those who had not logged in. The id of someone who was removed stands for them.
  public var actor: UserID?
  /// The verb and the route, such as `PUT /iaas/vms/{vm}`.
  public var action: String
  /// The ids in the path, and that of what was made.
  public var resource: UUIDText?
  public var address: String?
  /// The status of the answer; nil when none was given, as when a service ended in the middle.
  public var status: Int?
  public var requestId: String?

  public init(
    id: AuditID, createdAt: Date, actor: UserID?, action: String, resource: UUIDText?, address: String?, status: Int?,
    requestId: String?
  ) {
    self.id = id
    self.createdAt = createdAt
    self.actor = actor
    self.action = action
    self.resource = resource
    self.address = address
    self.status = status
    self.requestId = requestId
  }
}

public typealias AuditID = Identifier<AuditEntry>
