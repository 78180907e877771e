import CLibvirt

extension LibvirtError {
  /// A libvirt error number. A number this list does not name is carried all the same.
  /// See https://libvirt.org/html/libvirt-virterror.html#virErrorNumber.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// The `virErrorNumber`.
    public let rawValue: Int32

    /// Any number, known or not.
    public init(rawValue: Int32) {
      self.rawValue = rawValue
    }

    init(_ number: virErrorNumber) {
      rawValue = Int32(truncatingIfNeeded: number.rawValue)
    }
  }
}

extension LibvirtError.Code {
  /// Something inside libvirt.
  public static let internalError = Self(VIR_ERR_INTERNAL_ERROR)
  /// The driver does not have this function.
  public static let noSupport = Self(VIR_ERR_NO_SUPPORT)
  /// The hypervisor cannot be reached.
  public static let noConnect = Self(VIR_ERR_NO_CONNECT)
  /// The connection is closed.
  public static let invalidConnection = Self(VIR_ERR_INVALID_CONN)
  /// An argument makes no sense, or the driver does not know a flag.
  public static let invalidArgument = Self(VIR_ERR_INVALID_ARG)
  /// The hypervisor failed a command; also: a name taken by another UUID.
  public static let operationFailed = Self(VIR_ERR_OPERATION_FAILED)
  /// A description is not well formed, or lacks or misuses an element.
  public static let xmlError = Self(VIR_ERR_XML_ERROR)
  /// A description lacks a name.
  public static let noName = Self(VIR_ERR_NO_NAME)
  /// A description names an operating system type that the hypervisor does not run.
  public static let operatingSystemType = Self(VIR_ERR_OS_TYPE)
  /// A domain of that name or UUID exists.
  public static let domainExists = Self(VIR_ERR_DOM_EXIST)
  /// The parser refused the text.
  public static let xmlDetail = Self(VIR_ERR_XML_DETAIL)
  /// A network of that name or UUID exists.
  public static let networkExists = Self(VIR_ERR_NETWORK_EXIST)
  /// A system call failed.
  public static let systemError = Self(VIR_ERR_SYSTEM_ERROR)
  /// The daemon's protocol failed.
  public static let rpc = Self(VIR_ERR_RPC)
  /// No such domain.
  public static let noDomain = Self(VIR_ERR_NO_DOMAIN)
  /// No such network.
  public static let noNetwork = Self(VIR_ERR_NO_NETWORK)
  /// The daemon did not let us in.
  public static let authenticationFailed = Self(VIR_ERR_AUTH_FAILED)
  /// Not possible in the present state, such as starting what runs.
  public static let operationInvalid = Self(VIR_ERR_OPERATION_INVALID)
  /// The hypervisor does not support what a description asks.
  public static let configurationUnsupported = Self(VIR_ERR_CONFIG_UNSUPPORTED)
  /// Another operation on the domain did not end in time.
  public static let operationTimeout = Self(VIR_ERR_OPERATION_TIMEOUT)
  /// A valid argument that this driver does not support.
  public static let argumentUnsupported = Self(VIR_ERR_ARGUMENT_UNSUPPORTED)
  /// The operation was cancelled.
  public static let operationAborted = Self(VIR_ERR_OPERATION_ABORTED)
  /// The domain has no metadata of that namespace.
  public static let noDomainMetadata = Self(VIR_ERR_NO_DOMAIN_METADATA)
  /// Something is larger than it may be.
  public static let overflow = Self(VIR_ERR_OVERFLOW)
  /// A job on a disk forbids it.
  public static let blockCopyActive = Self(VIR_ERR_BLOCK_COPY_ACTIVE)
  /// The operation is not supported for this object.
  public static let operationUnsupported = Self(VIR_ERR_OPERATION_UNSUPPORTED)
  /// The guest agent does not answer.
  public static let agentUnresponsive = Self(VIR_ERR_AGENT_UNRESPONSIVE)
  /// Something is in use already.
  public static let resourceBusy = Self(VIR_ERR_RESOURCE_BUSY)
  /// The daemon's policy forbids it.
  public static let accessDenied = Self(VIR_ERR_ACCESS_DENIED)
  /// A description does not follow libvirt's schema.
  public static let schemaInvalid = Self(VIR_ERR_XML_INVALID_SCHEMA)
  /// No such device.
  public static let deviceMissing = Self(VIR_ERR_DEVICE_MISSING)
  /// The guest agent answers something else than what it was asked.
  public static let agentUnsynced = Self(VIR_ERR_AGENT_UNSYNCED)
  /// The domain has no backup job.
  public static let noDomainBackup = Self(VIR_ERR_NO_DOMAIN_BACKUP)
  /// The guest agent is there, but did not answer a command in time. A newer libvirt's; an older one says
  /// ``agentUnresponsive``, and its headers do not have the number.
  public static let agentCommandTimeout = Self(rawValue: 112)
  /// The guest agent failed a command, or its answer makes no sense. A newer libvirt's; an older one's errors are
  /// translated, and its headers do not have the number.
  public static let agentCommandFailed = Self(rawValue: 113)
}

extension LibvirtError.Code: CustomStringConvertible {
  /// The name and the number, or the number alone when it has no name here.
  public var description: String {
    Self.names[self].map { "\($0) (\(rawValue))" } ?? "\(rawValue)"
  }

  private static let names: [Self: String] = [
    .internalError: "internalError", .noSupport: "noSupport", .noConnect: "noConnect",
    .invalidConnection: "invalidConnection", .invalidArgument: "invalidArgument", .operationFailed: "operationFailed",
    .xmlError: "xmlError", .noName: "noName",
    .operatingSystemType: "operatingSystemType", .domainExists: "domainExists", .xmlDetail: "xmlDetail",
    .networkExists: "networkExists",
    .systemError: "systemError", .rpc: "rpc", .noDomain: "noDomain", .noNetwork: "noNetwork",
    .authenticationFailed: "authenticationFailed", .operationInvalid: "operationInvalid",
    .configurationUnsupported: "configurationUnsupported", .operationTimeout: "operationTimeout",
    .argumentUnsupported: "argumentUnsupported", .operationAborted: "operationAborted",
    .noDomainMetadata: "noDomainMetadata", .operationUnsupported: "operationUnsupported",
    .agentUnresponsive: "agentUnresponsive", .resourceBusy: "resourceBusy", .accessDenied: "accessDenied",
    .schemaInvalid: "schemaInvalid", .deviceMissing: "deviceMissing", .overflow: "overflow",
    .blockCopyActive: "blockCopyActive", .agentUnsynced: "agentUnsynced", .noDomainBackup: "noDomainBackup",
    .agentCommandTimeout: "agentCommandTimeout", .agentCommandFailed: "agentCommandFailed",
  ]
}
