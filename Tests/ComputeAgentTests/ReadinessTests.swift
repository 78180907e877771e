import Foundation
import Libvirt
import Models
import Testing

@testable import ComputeAgent

@Suite struct ReadinessTests {
  private let start = Date(timeIntervalSince1970: 1_800_000_000)
  private let id = Samples.id

  private func at(_ seconds: TimeInterval) -> Date { start + seconds }

  private func look(
    _ book: ReadinessBook, _ state: DomainState, _ seconds: TimeInterval, leases: [DHCPLease] = []
  ) async -> ReadinessBook.Survey {
    await book.survey([Samples.owned(state)], leases: [id.mac: leases], at: at(seconds))
  }

  private func stages(_ book: ReadinessBook) async -> [ReadinessStage] {
    await book.steps(of: id, at: at(0)).map(\.stage)
  }

  @Test func stepsAreOfOneRun() async throws {
    let book = ReadinessBook()
    await book.define(id, at: at(0))
    await book.announce(id, leases: [], at: at(1))
    #expect(await !book.started(id, at: at(1)))
    let subject = try #require(await look(book, .running, 2).subjects.first)
    var findings = GuestLook.Findings()
    findings.writes = true
    findings.answer = .greeting("SSH-2.0-x")
    findings.address = "192.0.2.5"
    await book.update(subject) { [findings, time = at(3)] in $0.note(findings, at: time) }
    #expect(await stages(book) == [.defined, .booted, .network, .ssh])
    #expect(await book.steps(of: id, at: at(9)).map(\.at) == [at(0), at(3), at(3), at(3)])
    // Off, and what was found out of the run before comes too late.
    _ = await look(book, .shutoff, 4)
    #expect(await stages(book) == [.defined])
    await book.update(subject) { [time = at(5)] in $0.reach(.cloudInit, "", at: time) }
    #expect(await stages(book) == [.defined])
  }

  @Test func aStartBetweenTwoSurveysIsANewRun() async throws {
    let book = ReadinessBook()
    let subject = try #require(await look(book, .running, 1).subjects.first)
    await book.update(subject) { [time = at(2)] in $0.reach(.booted, "", at: time) }
    // libvirt tells of it, and nobody announced it.
    #expect(await book.started(id, at: at(3)))
    #expect(await stages(book) == [.defined])
    await book.announce(id, leases: [], at: at(4))
    #expect(await !book.started(id, at: at(5)))
    // One announcement is for one start.
    #expect(await book.started(id, at: at(6)))
  }

  @Test func theConsoleIsMarkedWhenSomebodyElseStartsAVM() async {
    let book = ReadinessBook()
    // What runs when the agent starts was started at a time that is not known.
    #expect(await look(book, .running, 1).unmarked.isEmpty)
    #expect(await look(book, .shutoff, 2).unmarked.isEmpty)
    #expect(await look(book, .running, 3).unmarked == [id])
    #expect(await look(book, .running, 4).unmarked.isEmpty)
  }

  @Test func whatLibvirtSaidBeforeAStartIsNotTakenForNow() async {
    let book = ReadinessBook()
    await book.define(id, at: at(1))
    await book.announce(id, leases: [], at: at(3))
    _ = await book.started(id, at: at(3))
    let survey = await book.survey([Samples.owned(.shutoff, reason: 1)], leases: [:], at: at(2))
    #expect(survey.ended.isEmpty)
    #expect(await book.isRestless(at: at(3)))
  }

  @Test func aGuestThatShutItselfDownIsNoticed() async {
    let book = ReadinessBook()
    #expect(await look(book, .shutoff, 1).ended.isEmpty)
    #expect(await book.survey([Samples.owned(.shutoff, reason: 1)], leases: [:], at: at(2)).ended == [id])
    #expect(await book.survey([Samples.owned(.shutoff, reason: 2)], leases: [:], at: at(3)).ended.isEmpty)
  }

  @Test func onlyALeaseOfThisRunIsEvidence() async {
    let book = ReadinessBook()
    let old = Samples.lease("192.0.2.5", until: at(3600))
    _ = await look(book, .shutoff, 1, leases: [old])
    #expect(await look(book, .running, 2, leases: [old]).subjects.first?.addresses == ["192.0.2.5"])
    #expect(await stages(book) == [.defined])
    _ = await look(book, .running, 9, leases: [Samples.lease("192.0.2.5\u{1b}[2J", until: at(3609))])
    let steps = await book.steps(of: id, at: at(9))
    #expect(steps.map(\.stage) == [.defined, .network] && steps[1].evidence == "Lease 192.0.2.5[2J.")
    // The same when the agent itself starts the VM: leases outlive the host's own restart.
    let another = ReadinessBook()
    await another.announce(id, leases: [old], at: at(1))
    _ = await look(another, .running, 2, leases: [old])
    #expect(await stages(another) == [.defined])
  }

  @Test func aPausedGuestIsNotLookedAt() async {
    let book = ReadinessBook()
    #expect(await look(book, .running, 1).subjects.count == 1)
    #expect(await look(book, .paused, 2).subjects.isEmpty)
    #expect(await book.subjects.isEmpty)
  }

  @Test func whatMayNeverComeIsWaitedForHalfAnHour() {
    var run = GuestRun(began: at(0), earlierExpiry: nil)
    #expect(run.wantsLook(at: at(0)) && run.wantsQuestion(at: at(0)) && !run.isSettled(at: at(0)))
    for stage in [ReadinessStage.booted, .network, .ssh] { run.reach(stage, "", at: at(1)) }
    #expect(run.wantsLook(at: at(2)) && !run.isSettled(at: at(2)))
    #expect(run.isSettled(at: at(1801)) && !run.wantsLook(at: at(1801)) && !run.wantsQuestion(at: at(1801)))
    run.reach(.cloudInit, "", at: at(2))
    run.hasKeys = true
    #expect(run.isSettled(at: at(3)) && !run.wantsLook(at: at(3)) && !run.wantsQuestion(at: at(3)))
  }

  @Test func aSlowGuestIsAskedLessOften() {
    var run = GuestRun(began: at(0), earlierExpiry: nil)
    run.asked(at: at(10), answered: false, took: 7)
    #expect(!run.wantsQuestion(at: at(60)) && run.wantsQuestion(at: at(71)))
    run.looked(at: at(10))
    #expect(!run.wantsLook(at: at(10)) && run.wantsLook(at: at(11)))
  }

  @Test func whatGuestsSayOfCloudInitIsBelievedOnlyInItsForm() {
    func evidence(_ text: String) -> String? { GuestQuestions.evidence(inResult: Data(text.utf8)) }
    #expect(evidence(#"{"v1":{"datasource":"x","errors":[]}}"#) == "cloud-init has ended.")
    #expect(evidence(#"{"v1":{"errors":["\u001b[2J","b"]}}"#) == "cloud-init has ended with 2 errors.")
    for text in ["", "{", "[]", #"{"v1":1}"#, #"{"v2":{}}"#, "null"] { #expect(evidence(text) == nil) }
  }
}
