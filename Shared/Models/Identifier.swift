import Foundation

/// The id of one kind of resource: a lower-case UUID, version 7 when made by us (RFC 9562, section 5.7), so that
/// ids sort by the time they were made. The type parameter keeps a VM's id from being passed for a user's.
public struct Identifier<Resource>: Hashable, Sendable, Codable, LosslessStringConvertible {
  public let uuid: UUID

  public init(_ uuid: UUID) { self.uuid = uuid }

  /// Nil unless the text is a UUID in its canonical, hyphenated form; either case is taken.
  public init?(_ description: String) {
    guard description.utf8.count == 36, let uuid = UUID(uuidString: description) else { return nil }
    self.uuid = uuid
  }

  public var description: String { uuid.uuidString.lowercased() }

  /// A new id, of the present time.
  public static func make() -> Self {
    var bytes = [UInt8](repeating: 0, count: 16)
    let milliseconds = UInt64(Date().timeIntervalSince1970 * 1000)
    for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: milliseconds >> (8 * (5 - UInt64(index)))) }
    for index in 6..<16 { bytes[index] = UInt8.random(in: .min ... .max) }
    bytes[6] = 0x70 | (bytes[6] & 0x0f)
    bytes[8] = 0x80 | (bytes[8] & 0x3f)
    return Self(bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) })
  }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let identifier = Self(text) else {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a UUID"))
    }
    self = identifier
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

public typealias UserID = Identifier<User>
public typealias HostID = Identifier<Host>
public typealias ImageID = Identifier<Image>
public typealias VMID = Identifier<VM>
public typealias SSHKeyID = Identifier<SSHKey>
public typealias OperationID = Identifier<Operation>
public typealias SessionID = Identifier<Session>

/// What has an id of its own kind.
public protocol Identified {
  associatedtype Kind
  var id: Identifier<Kind> { get }
}

extension Image: Identified {}
extension VM: Identified {}
extension SSHKey: Identified {}
