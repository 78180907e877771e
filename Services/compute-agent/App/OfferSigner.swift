import Crypto
import Foundation
import Models
import ServiceKit

/// Signs the URLs under which another agent may fetch a disk: for one disk, as its file is now, and for a while.
struct OfferSigner: Sendable {
  private let key: SymmetricKey

  /// Seconds for which an offer holds.
  static let life: TimeInterval = 3600

  init(key: SymmetricKey) {
    self.key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: key, info: Data("swift-iaas disk offer".utf8), outputByteCount: 32)
  }

  /// What is offered.
  struct Subject: Equatable, Sendable {
    let vm: VMID
    let disk: Int64
    /// SHA-256 of the file, in hexadecimal.
    let digest: String
  }

  /// The path and query of the offer.
  func url(of subject: Subject, stamp: FileStamp, at now: Date) -> String {
    let expires = String(Int64((now.timeIntervalSince1970 + Self.life).rounded()))
    let code = HMAC<SHA256>.authenticationCode(for: text(subject, stamp, expires), using: key)
    let query = QueryString.encoded([
      ("expires", expires), ("disk", String(subject.disk)), ("digest", subject.digest),
      ("signature", Array(code).hexadecimal),
    ])
    return "/v1/disks/\(subject.vm)?\(query)"
  }

  /// What a URL claims; nothing of it is known to be true yet.
  struct Claim: Sendable {
    let subject: Subject
    fileprivate let expires: String
    fileprivate let signature: String

    /// Nil when something is lacking.
    init?(vm: VMID, query: QueryString) {
      guard let disk = query["disk"].flatMap({ Int64($0) }), let digest = query["digest"],
        let expires = query["expires"], let signature = query["signature"]
      else { return nil }
      subject = Subject(vm: vm, disk: disk, digest: digest)
      self.expires = expires
      self.signature = signature
    }
  }

  /// Whether we offered this, it still holds, and the file is the same.
  func holds(_ claim: Claim, stamp: FileStamp, at now: Date) -> Bool {
    guard let expires = Int64(claim.expires), Double(expires) > now.timeIntervalSince1970,
      let signature = Self.bytes(claim.signature)
    else { return false }
    return HMAC<SHA256>.isValidAuthenticationCode(
      signature, authenticating: text(claim.subject, stamp, claim.expires), using: key)
  }

  private func text(_ subject: Subject, _ stamp: FileStamp, _ expires: String) -> Data {
    Data("\(subject.vm)\n\(subject.disk)\n\(subject.digest)\n\(stamp)\n\(expires)".utf8)
  }

  private static func bytes(_ hexadecimal: String) -> [UInt8]? {
    let digits = Array(hexadecimal.utf8)
    guard digits.count == 64 else { return nil }
    let bytes = stride(from: 0, to: 64, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
    return bytes.count == 32 ? bytes : nil
  }
}
