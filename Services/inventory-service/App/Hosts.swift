import Clients
import Crypto
import Foundation
import Models
import Persistence
import ServiceKit

import struct Models.Host

/// Adding, seeing and removing hosts, and the way to their agents.
struct Hosts: Sendable {
  let store: HostStore
  let agents: AgentClients
  let seal: SealBox

  func list(_ caller: Caller) -> Listing<Host> { store.listing(caller) }

  func get(_ id: HostID, _ caller: Caller) async throws -> Host {
    guard let host = try await store.get(id, caller) else { throw ServiceError.notFound(.host) }
    return host
  }

  /// Enrols the agent at the address: its certificate is taken and pinned, the enrolment account is proved to it, and a
  /// secret is agreed that is needed from then on. The password is not kept.
  func add(_ request: NewHost, _ origin: RequestOrigin) async throws -> Host {
    try requireAdministrator(origin.caller)
    if let host = try await store.answered(request, origin) { return host }
    let address = try AgentAddress(request.addr)
    let certificate = try await PinnedCertificate.fetch(from: address)
    if let expected = request.fingerprint, expected != certificate.fingerprint {
      throw ServiceError(
        .hostRefused, "The agent's certificate has the fingerprint \(certificate.fingerprint), not the one given.")
    }
    // Asked before the agent takes a new secret: adding a host twice must not lock the installation out of it.
    guard try await !store.isKnown(certificate.fingerprint, addr: request.addr) else { throw HostStore.known }
    // The same for the same agent: of two who add it at once, the agent keeps the last one's secret.
    let secret = seal.derive(for: certificate.fingerprint).base64EncodedString()
    let agent = try agents.agent(at: address, certificate: certificate, secret: secret)
    let facts = try await enrol(
      agent,
      Enrolment(
        user: request.user, password: request.password, installation: try await store.installation(), secret: secret),
      CallOrigin(requestID: origin.requestID))
    return try await store.insert(
      request, certificate, sealedSecret: try seal.seal(Data(secret.utf8)), facts, origin)
  }

  private func enrol(_ agent: AgentClient, _ enrolment: Enrolment, _ origin: CallOrigin) async throws -> HostFacts {
    do { return try await agent.enrol(enrolment, origin) } catch let error as ServiceError
      where error.code == .invalidCredentials || error.code == .conflict || error.code == .tooManyRequests
    {
      throw ServiceError(.hostRefused, "The agent refused: \(error.message)")
    }
  }

  func update(_ id: HostID, _ update: HostUpdate, _ origin: RequestOrigin) async throws -> Host {
    try requireAdministrator(origin.caller)
    return try await store.update(id, update, origin)
  }

  func remove(_ id: HostID, _ caller: Caller) async throws {
    try requireAdministrator(caller)
    try await store.delete(id)
  }

  /// Removes a host and every VM on it.
  func cascade(_ id: HostID, _ origin: RequestOrigin) async throws -> Models.Operation {
    try requireAdministrator(origin.caller)
    return try await store.cascade(id, origin)
  }

  /// The agent of a host, and the host's part of the fence.
  /// - Throws: `not_found` when the host is gone.
  func agent(of id: HostID) async throws -> (agent: AgentClient, generation: Int64) {
    guard let link = try await store.link(id) else { throw ServiceError.notFound(.host) }
    return (try agent(of: link), link.generation)
  }

  func agent(of link: HostLink) throws -> AgentClient {
    try agents.agent(
      at: AgentAddress(link.addr), certificate: link.certificate,
      secret: String(decoding: try seal.open(link.sealedSecret), as: UTF8.self))
  }

  private func requireAdministrator(_ caller: Caller) throws {
    guard caller.admin else { throw ServiceError(.forbidden, "Only administrators manage hosts.") }
  }
}
