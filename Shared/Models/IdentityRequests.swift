import Foundation

/// `POST /iaas/sessions`.
public struct LoginRequest: Codable, Sendable {
  public var email: String
  public var password: String
  /// The present code of the second factor, or a recovery code.
  public var otp: String?

  private enum CodingKeys: String, CodingKey, CaseIterable { case email, password, otp }

  public init(email: String, password: String, otp: String? = nil) {
    self.email = email
    self.password = password
    self.otp = otp
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    email = try fields.decode(String.self, forKey: .email)
    password = try fields.decode(String.self, forKey: .password)
    otp = try fields.decodeIfPresent(String.self, forKey: .otp)
  }
}

/// The longest password, in bytes.
public let longestPassword = 1024

private func checkedPassword(_ password: String?, field: String = "password") throws -> String? {
  guard let password else { return nil }
  guard !password.isEmpty, password.utf8.count <= longestPassword else {
    throw ServiceError.invalid(field, "must have 1 to \(longestPassword) bytes.")
  }
  return password
}

/// `POST /iaas/users`: by an administrator, or by the person themselves where the installation allows it.
public struct NewUser: Codable, Sendable {
  public var email: String
  public var password: String?
  /// Instead of a password, what another system stored of it; an administrator's alone.
  public var passwordHash: String?
  public var admin: Bool
  public var quota: Quota?
  /// The code of an invitation, for those who register themselves.
  public var invitation: String?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case email, password, passwordHash, admin, quota, invitation
  }

  public init(
    email: String, password: String?, passwordHash: String? = nil, admin: Bool = false, quota: Quota? = nil,
    invitation: String? = nil
  ) {
    self.email = email
    self.password = password
    self.passwordHash = passwordHash
    self.admin = admin
    self.quota = quota
    self.invitation = invitation
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    email = try Text.checked(fields.decode(String.self, forKey: .email), field: "email")
    passwordHash = try fields.decodeIfPresent(String.self, forKey: .passwordHash)
    password =
      passwordHash == nil
      ? try checkedPassword(fields.decode(String.self, forKey: .password))
      : try checkedPassword(fields.decodeIfPresent(String.self, forKey: .password))
    admin = try fields.decodeIfPresent(Bool.self, forKey: .admin) ?? false
    quota = try fields.decodeIfPresent(Quota.self, forKey: .quota)
    invitation = try fields.decodeIfPresent(String.self, forKey: .invitation)
    if password != nil, passwordHash != nil {
      throw ServiceError.invalid("passwordHash", "stands instead of a password.")
    }
  }
}

/// `PUT /iaas/users/{userId}`: what is not given stays as it is.
public struct UserUpdate: Codable, Sendable {
  public var email: String?
  public var password: String?
  /// Needed to change one's own e-mail or password.
  public var currentPassword: String?
  public var admin: Bool?
  public var disabled: Bool?
  /// Replaces the limits that were set.
  public var quota: Quota?

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case email, password, currentPassword, admin, disabled, quota
  }

  public init(
    email: String? = nil, password: String? = nil, currentPassword: String? = nil, admin: Bool? = nil,
    disabled: Bool? = nil, quota: Quota? = nil
  ) {
    self.email = email
    self.password = password
    self.currentPassword = currentPassword
    self.admin = admin
    self.disabled = disabled
    self.quota = quota
  }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    email = try fields.decodeIfPresent(String.self, forKey: .email).map { try Text.checked($0, field: "email") }
    password = try checkedPassword(fields.decodeIfPresent(String.self, forKey: .password))
    currentPassword = try fields.decodeIfPresent(String.self, forKey: .currentPassword)
    admin = try fields.decodeIfPresent(Bool.self, forKey: .admin)
    disabled = try fields.decodeIfPresent(Bool.self, forKey: .disabled)
    quota = try fields.decodeIfPresent(Quota.self, forKey: .quota)
  }
}

/// `POST /iaas/users/{userId}/totp`: the password, to begin with a second factor.
public struct TOTPRequest: Codable, Sendable {
  public var currentPassword: String

  private enum CodingKeys: String, CodingKey, CaseIterable { case currentPassword }

  public init(currentPassword: String) { self.currentPassword = currentPassword }

  public init(from decoder: any Decoder) throws {
    currentPassword = try decoder.strictContainer(CodingKeys.self).decode(String.self, forKey: .currentPassword)
  }
}

/// `PUT` and `DELETE /iaas/users/{userId}/totp`: the present code.
public struct TOTPProof: Codable, Sendable {
  public var otp: String

  private enum CodingKeys: String, CodingKey, CaseIterable { case otp }

  public init(otp: String) { self.otp = otp }

  public init(from decoder: any Decoder) throws {
    otp = try decoder.strictContainer(CodingKeys.self).decode(String.self, forKey: .otp)
  }
}

/// `POST /iaas/invitations`.
public struct NewInvitation: Codable, Sendable {
  /// When it ends; nil for a week from now.
  public var expiresAt: Date?

  private enum CodingKeys: String, CodingKey, CaseIterable { case expiresAt }

  public init(expiresAt: Date?) { self.expiresAt = expiresAt }

  public init(from decoder: any Decoder) throws {
    expiresAt = try decoder.strictContainer(CodingKeys.self).decodeIfPresent(Date.self, forKey: .expiresAt)
    if let expiresAt, expiresAt <= Date() { throw ServiceError.invalid("expiresAt", "must be in the future.") }
  }
}
