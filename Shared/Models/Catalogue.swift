import Foundation

public enum ImageState: String, Codable, Sendable, CaseIterable { case importing, available, error }

/// A disk image that VMs are made from.
public struct Image: Codable, Sendable, Equatable {
  public var id: ImageID
  public var name: String
  public var desc: String
  /// Where it was imported from; nil for one that was uploaded.
  public var url: String?
  public var state: ImageState
  /// Why the import failed: a code and a sentence.
  public var error: Failure?
  /// How far the import is, while there is one.
  public var progress: OperationProgress?
  /// The format of the stored file.
  public var format: String?
  /// Bytes of the stored file, and of the disk a guest sees.
  public var size: Int64?
  public var virtualSize: Int64?
  public var sha256: String?
  /// The processor architecture that it runs on, as libvirt names it.
  public var arch: String
  /// The VM that it was saved from, and in what condition the disk was then.
  public var vm: VMID?
  public var consistency: Consistency?
  public var owner: UserID
  public var createdAt: Date

  public init(
    id: ImageID, name: String, desc: String, url: String?, state: ImageState, error: Failure?,
    progress: OperationProgress?, format: String?, size: Int64?, virtualSize: Int64?, sha256: String?,
    arch: String = Architecture.standard, vm: VMID? = nil, consistency: Consistency? = nil, owner: UserID,
    createdAt: Date
  ) {
    self.id = id
    self.name = name
    self.desc = desc
    self.url = url
    self.state = state
    self.error = error
    self.progress = progress
    self.format = format
    self.size = size
    self.virtualSize = virtualSize
    self.sha256 = sha256
    self.arch = arch
    self.vm = vm
    self.consistency = consistency
    self.owner = owner
    self.createdAt = createdAt
  }
}

/// In what condition a VM's disk was when it was saved.
public enum Consistency: String, Codable, Sendable, CaseIterable {
  /// The guest had written everything and held still.
  case frozen
  /// The guest had shut down.
  case stopped
  /// As after a power cut.
  case crash
}

/// Processor architectures, as libvirt names them.
public enum Architecture {
  public static let standard = "x86_64"
  public static let known = ["x86_64", "aarch64"]
}

/// How an import or an operation failed: a stable code, and a sentence to act on.
public struct Failure: Codable, Sendable, Equatable {
  public var code: String
  public var message: String

  public init(code: String, message: String) {
    self.code = code
    self.message = message
  }
}

public enum OperationKind: String, Codable, Sendable, CaseIterable {
  case imageImport = "image_import"
  case imageUpload = "image_upload"
  /// Saves a VM as an image; its resource is the image.
  case imageSnapshot = "image_snapshot"
  case vmCreate = "vm_create"
  case vmStart = "vm_start"
  case vmStop = "vm_stop"
  case vmReboot = "vm_reboot"
  case vmReset = "vm_reset"
  case vmPause = "vm_pause"
  case vmResume = "vm_resume"
  case vmResize = "vm_resize"
  case vmRebuild = "vm_rebuild"
  /// The part of a snapshot for which nothing else may be done to the VM.
  case vmCapture = "vm_capture"
  case vmMove = "vm_move"
  case vmCap = "vm_cap"
  case vmDelete = "vm_delete"
  /// Removes a host after its VMs.
  case hostDelete = "host_delete"
}

public enum OperationStatus: String, Codable, Sendable, CaseIterable {
  case pending, running, done, failed, cancelled

  /// Whether nothing will change any more.
  public var isSettled: Bool { self == .done || self == .failed || self == .cancelled }
}

/// Something slow that was asked for, and how far it is.
public struct Operation: Codable, Sendable, Equatable {
  public var id: OperationID
  public var kind: OperationKind
  public var resource: UUIDText
  public var status: OperationStatus
  public var step: String?
  public var progress: OperationProgress?
  public var error: Failure?
  public var requestId: String?
  public var createdAt: Date
  public var endedAt: Date?

  public init(
    id: OperationID, kind: OperationKind, resource: UUIDText, status: OperationStatus, step: String?,
    progress: OperationProgress?, error: Failure?, requestId: String?, createdAt: Date, endedAt: Date?
  ) {
    self.id = id
    self.kind = kind
    self.resource = resource
    self.status = status
    self.step = step
    self.progress = progress
    self.error = error
    self.requestId = requestId
    self.createdAt = createdAt
    self.endedAt = endedAt
  }
}

/// The id of a resource whose kind the operation's own kind tells.
public typealias UUIDText = Identifier<Never>

/// Bytes moved, and the number in all where that is known.
public struct OperationProgress: Codable, Sendable, Equatable {
  public var done: Int64
  public var total: Int64?
  /// Bytes a second, over the last few seconds.
  public var rate: Int64?

  public init(done: Int64, total: Int64?, rate: Int64? = nil) {
    self.done = done
    self.total = total
    self.rate = rate
  }
}

/// What a user may do with an image or a VM: everything, use it, or see it.
public enum Role: String, Codable, Sendable, CaseIterable {
  case owner
  case `operator`
  case viewer
}

/// What a person may do with one image or VM.
public struct Permission: Codable, Sendable, Equatable {
  /// The user's id: under it the permission can be taken back.
  public var id: UserID
  public var user: UserID
  public var email: String?
  public var resource: UUIDText
  public var type: ResourceKind
  public var role: Role
  public var createdAt: Date
  /// The moment from which it no longer holds; nil for never.
  public var expiresAt: Date?

  public init(
    user: UserID, email: String?, resource: UUIDText, type: ResourceKind, role: Role, createdAt: Date, expiresAt: Date?
  ) {
    id = user
    self.user = user
    self.email = email
    self.resource = resource
    self.type = type
    self.role = role
    self.createdAt = createdAt
    self.expiresAt = expiresAt
  }
}

/// A public image that this installation knows how to fetch by name.
public struct WellKnownImage: Codable, Sendable, Equatable {
  /// The name is its id.
  public var id: String
  public var name: String
  public var desc: String
  public var url: String
  /// The publisher's list of checksums.
  public var checksums: String

  public init(name: String, desc: String, url: String, checksums: String) {
    id = name
    self.name = name
    self.desc = desc
    self.url = url
    self.checksums = checksums
  }

  private enum CodingKeys: String, CodingKey { case id, name, desc, url, checksums }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try fields.decode(String.self, forKey: .name), desc: try fields.decode(String.self, forKey: .desc),
      url: try fields.decode(String.self, forKey: .url), checksums: try fields.decode(String.self, forKey: .checksums))
  }
}
