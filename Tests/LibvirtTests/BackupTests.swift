import Foundation
import Testing

@testable import Libvirt

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct BackupTests {
  let node = TestNode()
  var connection: LibvirtConnection { node.connection }

  @Test func descriptionNamesEveryDisk() {
    let xml = backupXML(disk: "vda", to: "/images/copy.qcow2", otherDisks: ["vdb", "vdc"])
    let content = "<driver type='qcow2'/><target file='/images/copy.qcow2'/>"
    let disk = "<disk name='vda' backup='yes' type='file'>\(content)</disk>"
    let others = "<disk name='vdb' backup='no'/><disk name='vdc' backup='no'/>"
    #expect(xml == "<domainbackup mode='push'><disks>\(disk)\(others)</disks></domainbackup>")
  }

  @Test(arguments: ["'/><disk name='vdq", "a & b &amp; \"c\" <d>", "tab\tline\nreturn\r", " é 🗂 ", "]]>"])
  func textIsEscaped(text: String) throws {
    let document = try XMLDocument(xmlString: backupXML(disk: text, to: text, otherDisks: [text]))
    let disks = try #require(document.rootElement()?.elements(forName: "disks").first?.elements(forName: "disk"))
    #expect(disks.map { $0.attribute(forName: "name")?.stringValue } == [text, text])
    #expect(disks[0].elements(forName: "target").first?.attribute(forName: "file")?.stringValue == text)
  }

  @Test func driverWithoutBackupsSaysSo() async throws {
    let uuid = try await connection.defineAny()
    try await connection.start(uuid)
    for call in calls(uuid) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .noSupport)
    }
  }

  @Test func unknownDomainIsAnError() async throws {
    for call in calls(UUID()) {
      let error = try #require(await #expect(throws: LibvirtError.self) { try await call(connection) })
      #expect(error.code == .noDomain)
    }
  }

  @Test func stringsWithNULAreRefused() async throws {
    let uuid = try await connection.defineAny()
    let error = try #require(
      await #expect(throws: LibvirtError.self) {
        try await connection.beginBackup(of: uuid, disk: "vda", to: "/images/\0copy", otherDisks: [])
      })
    #expect(error.code == .invalidArgument)
  }

  @Test func jobIsReadFromItsStatistics() {
    let bounded = TypedParameters(values: ["disk_processed": 3, "disk_total": 9, "operation": 9])
    #expect(DomainJob(type: 0, parameters: bounded) == .none)
    #expect(DomainJob(type: 1, parameters: bounded) == .active(processedBytes: 3, totalBytes: 9))
    #expect(DomainJob(type: 2, parameters: bounded) == .active(processedBytes: 3, totalBytes: 9))
    let all = TypedParameters(values: ["data_processed": 5, "data_total": 6, "disk_processed": 3, "disk_total": 9])
    #expect(DomainJob(type: 2, parameters: all) == .active(processedBytes: 5, totalBytes: 6))
    #expect(DomainJob(type: -1, parameters: .init(values: [:])) == .active(processedBytes: 0, totalBytes: 0))
  }

  @Test func outcomeIsReadFromItsType() {
    let outcomes = (0..<7).map { DomainJobOutcome(type: $0, message: "disk full") }
    #expect(outcomes == [nil, nil, nil, .completed, .failed(message: "disk full"), .cancelled, nil])
    #expect(DomainJobOutcome(type: -1, message: nil) == nil)
  }

  private func calls(_ uuid: UUID) -> [(LibvirtConnection) async throws -> Void] {
    [
      { try await $0.beginBackup(of: uuid, disk: "vda", to: "/images/copy.qcow2", otherDisks: []) },
      { _ = try await $0.jobStatus(of: uuid) },
      { _ = try await $0.lastJobOutcome(of: uuid) },
      { try await $0.abortJob(of: uuid) },
    ]
  }
}
