import Crypto
import Foundation
import Models

/// What libvirt and the guest are to find of a VM when it is started the next time.
struct Definition: Sendable {
  let xml: DomainXML
  let seed: Seed

  init(spec: VMSpec, paths: VMPaths, shape: HostShape) {
    xml = DomainXML(spec: spec, paths: paths, shape: shape)
    seed = Seed(spec: spec)
  }

  /// SHA-256 in hexadecimal of all that the definition holds: the description without its metadata, the size of the disk,
  /// and the seed's files.
  var digest: String {
    var hash = SHA256()
    hash.update(data: Data(xml.document(nil).utf8))
    hash.update(data: Data("disk \(xml.spec.disk)\n".utf8))
    for file in seed.files {
      hash.update(data: Data("\(file.name) \(file.content.count)\n".utf8))
      hash.update(data: file.content)
    }
    return hash.finalize().hexadecimal
  }

  /// What has to be done about the domain's description.
  enum Step: Equatable {
    case make
    /// The guest is off, so that it will see the new one.
    case replace
    /// It is as it should be, or has to wait until the guest is off.
    case keep
  }

  /// - Parameters:
  ///   - power: Of the domain; nil when there is none.
  ///   - noted: The digest that its metadata has.
  static func step(power: ObservedPower?, noted: String?, wanted: String) -> Step {
    switch power {
    case nil: .make
    case .stopped: noted == wanted ? .keep : .replace
    case .running, .paused, .crashed: .keep
    }
  }
}
