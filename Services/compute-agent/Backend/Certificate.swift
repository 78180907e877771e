import Crypto
import Foundation
import NIOSSL
import ServiceKit
import SwiftASN1
import X509

/// The agent's own certificate, made at the first start and pinned by the inventory.
struct AgentCertificate {
  let tls: TLSConfiguration
  /// SHA-256 of the DER form in hexadecimal.
  let fingerprint: String

  /// Reads the certificate and key from the folder, or makes them.
  /// - Throws: `SettingsError` when they are there and cannot be used.
  static func load(folder: String, hostname: String) throws -> AgentCertificate {
    let path = path(in: folder)
    if !FileManager.default.fileExists(atPath: path) { try make(path: path, hostname: hostname) }
    return try read(path)
  }

  /// The certificate of the folder; nil where none was made yet.
  /// - Throws: `SettingsError` when it cannot be used.
  static func existing(folder: String) throws -> AgentCertificate? {
    let path = path(in: folder)
    return FileManager.default.fileExists(atPath: path) ? try read(path) : nil
  }

  private static func path(in folder: String) -> String { "\(folder)/agent.pem" }

  private static func read(_ path: String) throws -> AgentCertificate {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(path)
      let key = try NIOSSLPrivateKey(file: path, format: .pem)
      guard let leaf = chain.first else { throw SettingsError("\(path) holds no certificate.") }
      var tls = TLSConfiguration.makeServerConfiguration(
        certificateChain: [.certificate(leaf)], privateKey: .privateKey(key))
      tls.minimumTLSVersion = .tlsv12
      let fingerprint = SHA256.hash(data: try leaf.toDERBytes()).map { String(format: "%02x", $0) }.joined()
      return AgentCertificate(tls: tls, fingerprint: fingerprint)
    } catch let error as NIOSSLError {
      throw SettingsError("\(path) cannot be used: \(error). Remove it to have a new one made; then enrol again.")
    }
  }

  /// Certificate and key in one file, so that they cannot fall apart; a P-256 key, good for twenty years, no authority.
  private static func make(path: String, hostname: String) throws {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let name = try DistinguishedName { CommonName(hostname) }
    let now = Date()
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
      notValidBefore: now.addingTimeInterval(-86_400), notValidAfter: now.addingTimeInterval(20 * 365 * 86_400),
      issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        SubjectAlternativeNames([.dnsName(hostname)])
      }, issuerPrivateKey: key)
    let text = try certificate.serializeAsPEM().pemString + "\n" + key.serializeAsPEM().pemString + "\n"
    try PrivateFile.write(Data(text.utf8), to: path)
  }
}
