import ArgumentParser
import Foundation
import Models

struct UserQuota: Verb {
  static let configuration = CommandConfiguration(
    commandName: "quota", abstract: "Show or set what a person may hold and consume.",
    discussion: """
      What can be limited at a time: images, imageBytes, vms, vcpus, mem (MiB), disk (GiB). In a calendar month: \
      cpuSeconds, memMiBHours, diskReadBytes, diskWrittenBytes, netRxBytes, netTxBytes. Sizes may have a unit, such \
      as 4G. Other limits of the person stay as they are. group=NAME gives the limits that the installation's \
      configuration has under that name, where the person has none of their own. VMs that the person makes from then on \
      are capped by cpuShare (percent), diskBytesPerSecond, diskOperationsPerSecond and netBytesPerSecond.

      Example: iaas user quota ana@example.org vms=5 mem=16G imageBytes=unlimited disk=default
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "Id, beginning of the id, or e-mail address of the person.")
  var user: String

  @Argument(help: ArgumentHelp("A limit: a number, unlimited, or default; or group=NAME.", valueName: "resource=limit"))
  var assignments: [String] = []

  func run(in context: CommandContext) async throws {
    let change = try QuotaChange(assignments)
    let person = try await context.resolver.object(user, of: UserView.self)
    let present = try quota(of: person, context)
    guard !change.isEmpty else { return try show(present, context) }
    let update = QuotaUpdate(quota: present.changed(by: change))
    let answer = try await context.client.send(.send(.put, UserView.path(person.id), update))
    let updated: Fetched<UserView> = try context.client.decode(answer)
    try show(quota(of: updated.value, context), context)
  }

  /// Without the present one, setting a limit would take the others away.
  private func quota(of person: UserView, _ context: CommandContext) throws -> QuotaView {
    guard let quota = person.quota else {
      throw CommandFailure(.failed, "\(context.client.server) does not say what the quota of \(person.label) is.")
    }
    return quota
  }

  private func show(_ quota: QuotaView, _ context: CommandContext) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    try output(context).list(Fetched(value: quota.rows, json: try encoder.encode(quota)))
    if let caps = quota.caps { context.console.tell("New VMs: \(CapAssignment.lines(caps).joined(separator: ", ")).") }
  }
}
