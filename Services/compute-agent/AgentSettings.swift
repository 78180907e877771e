import ServiceKit

/// Whether guests run on the CPU's extensions: found out by trial, or said by the operator.
enum VirtualisationChoice: String, CaseIterable, Sendable { case auto, kvm, emulated }

/// What the agent is told of its host and of itself, for its start and for who looks after the host.
struct AgentSettings: Sendable {
  let listen: ListenSettings
  let state: String
  /// The folder of the consoles' sockets.
  let run: String
  let libvirtURI: String
  let network: String
  let images: String
  let virtualisation: VirtualisationChoice
  let enrolmentUser: String
  let passwordFile: String

  static let defaultPort = 7443
  static let standardState = "/var/lib/iaas-agent"
  static let standardURI = "qemu:///system"
  static let standardNetwork = "default"
  static let standardImages = "/export/iaas/images"
  static let standardUser = "agent"

  /// - Throws: `SettingsError` for what is missing or cannot be used.
  init(_ settings: Settings) throws {
    listen = try ListenSettings(settings, defaultPort: Self.defaultPort)
    state = try settings.required("agent.state")
    run = settings.optional("agent.run") ?? "\(state)/run"
    libvirtURI = settings.optional("libvirt.uri") ?? Self.standardURI
    network = settings.optional("network") ?? Self.standardNetwork
    images = settings.optional("images.dir") ?? Self.standardImages
    virtualisation = try settings.choice("virtualisation", default: .auto)
    enrolmentUser = settings.optional("enrolment.user") ?? Self.standardUser
    passwordFile = try settings.required("enrolment.password.file")
  }
}
