import Foundation
import Libvirt
import Logging
import Models
import ServiceKit
import ServiceLifecycle

/// Finds out how far guests have come, about once a second as long as there is something to find out, and keeps their
/// consoles' logs short.
struct ReadinessProber: Service {
  let hypervisor: Hypervisor
  let book: ReadinessBook
  let questions: GuestQuestions
  let folders: AgentFolders
  let views: VMFolders
  let logger: Logger

  /// How many guests are looked at side by side.
  private static let lanes = 8

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await watchStarts() }
        group.addTask { await forever(every: .seconds(1), "guests not looked at") { try await lookAtAll($0) } }
        group.addTask { await forever(every: .seconds(1), "guests not asked") { _ in try await askAll() } }
        group.addTask { await forever(every: .seconds(2), "consoles not shortened") { _ in try await trimAll() } }
      }
    }
  }

  private func forever(
    every interval: Duration, _ failure: String, _ body: @escaping @Sendable (Int) async throws -> Void
  ) async {
    var turn = 0
    while !Task.isCancelled {
      do { try await body(turn) } catch {
        logger.warning("\(failure)", metadata: ["error": "\(String(reflecting: error))"])
      }
      turn += 1
      try? await Task.sleep(for: interval)
    }
  }

  // MARK: Starts

  /// Hears of every start at once, whoever it was that started.
  private func watchStarts() async {
    while !Task.isCancelled {
      do {
        for await event in try await hypervisor.libvirt.lifecycleEvents() where event.kind == .started {
          let id = VMID(event.uuid)
          if await book.started(id, at: .now) { try await views.markStart(of: id) }
        }
      } catch { logger.warning("starts not watched", metadata: ["error": "\(String(reflecting: error))"]) }
      try? await Task.sleep(for: .seconds(1))
    }
  }

  // MARK: From outside

  /// - Parameter turn: When all is known, only every fifth looks whether that is still so.
  private func lookAtAll(_ turn: Int) async throws {
    let start = Date.now
    guard await book.isRestless(at: start) || turn % 5 == 0 else { return }
    let survey = await book.survey(
      try await hypervisor.list().owned, leases: try await hypervisor.leases(), at: start)
    for id in survey.unmarked { try await views.markStart(of: id) }
    for id in survey.ended { try await views.noteEnd(of: id) }
    let now = Date.now
    let subjects = survey.subjects.filter { $0.run.wantsLook(at: now) }
    await withTaskGroup(of: Void.self) { group in
      for lane in 0..<min(Self.lanes, subjects.count) {
        group.addTask {
          let look = GuestLook(folders: folders)
          for index in stride(from: lane, to: subjects.count, by: Self.lanes) { await note(subjects[index], look) }
        }
      }
    }
  }

  private func note(_ subject: ReadinessBook.Subject, _ look: GuestLook) async {
    let findings = await look.look(at: subject)
    if let keys = findings.keys {
      try? await views.remember(KnownHostKeys(disk: subject.disk, keys: keys), of: subject.id)
    }
    await book.update(subject) { $0.note(findings, at: .now) }
  }

  // MARK: From inside

  private func askAll() async throws {
    guard await book.isRestless(at: .now) else { return }
    for subject in await book.subjects where subject.run.wantsQuestion(at: .now) {
      try Task.checkCancellation()
      await questions.ask(subject)
    }
  }

  // MARK: Consoles

  private func trimAll() async throws {
    for id in await views.longConsoles() { try await ConsoleLog(paths: folders.paths(id)).trim() }
  }
}
