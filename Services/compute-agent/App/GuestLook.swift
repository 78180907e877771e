import Blocking
import Foundation
import Models

/// Looks at guests from outside: at what they write to the console, and whether they greet on the network. Each blocks
/// a thread of its own.
actor GuestLook {
  private nonisolated let executor = QueueExecutor(label: "guest-look")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let folders: AgentFolders

  init(folders: AgentFolders) { self.folders = folders }

  struct Findings: Sendable {
    /// Whether the console was written to since the start.
    var writes = false
    /// New keys, and up to where the console was searched for them.
    var keys: [String]?
    var searched: Int64 = 0
    /// What the first address says that says anything.
    var answer = SSHProbe.Answer.silence
    var address = ""
  }

  func look(at subject: ReadinessBook.Subject) -> Findings {
    let run = subject.run
    var findings = Findings(searched: run.searched)
    let console = ConsoleLog(paths: folders.paths(subject.id))
    let (start, size) = (console.start, console.size)
    findings.writes = size > start
    if !run.hasKeys, size != run.searched {
      // Again over what may be the beginning of a block.
      let overlap = Int64(HostKeys.blockLimit + 128)
      let from = size > run.searched ? max(0, run.searched - overlap) : 0
      findings.keys = (try? console.sinceStart(from: from, atMost: ConsoleLog.limit)).flatMap(HostKeys.inConsole)
      findings.searched = size
    }
    guard run.lacks(.ssh) else { return findings }
    for address in subject.addresses.prefix(4) {
      findings.answer = SSHProbe.ask(address)
      findings.address = address
      if findings.answer != .silence { break }
    }
    return findings
  }
}

extension GuestRun {
  /// Draws the conclusions.
  mutating func note(_ findings: GuestLook.Findings, at now: Date) {
    if findings.writes { reach(.booted, "The guest writes to its console.", at: now) }
    if findings.keys != nil { hasKeys = true }
    searched = findings.searched
    switch findings.answer {
    case .silence: break
    case .refusal: reach(.network, "\(findings.address) answers.", at: now)
    case .greeting(let line):
      reach(.network, "\(findings.address) answers.", at: now)
      reach(.ssh, "\(findings.address) says \(line).", at: now)
    }
    looked(at: now)
  }
}
