import Models

/// Something slow that was asked for.
struct OperationView: Resource {
  static let noun = "operation"
  static let collection = "operations"
  static let handleField: String? = nil
  static let exampleQuery = "status = 'running'"
  static let columns: [Column<Self>] = [
    Column("id") { "\($0.id)" }, Column("kind") { $0.kind }, Column("status") { $0.status },
    Column("step") { $0.step }, Column("progress") { $0.progressText }, Column("resource") { $0.resource },
    Column("created") { $0.createdAt }, Column("ended") { $0.endedAt },
  ]
  static var fields: [Column<Self>] {
    columns + [Column("error") { $0.error?.message }, Column("request id") { $0.requestId }]
  }

  var id: UUIDText
  var kind: String?
  var resource: String?
  var status: String
  var step: String?
  var progress: OperationProgress?
  var error: Failure?
  var requestId: String?
  var createdAt: String?
  var endedAt: String?

  var handle: String? { nil }

  var title: String { kind ?? "operation" }

  var stage: String { step ?? status }

  /// How far it is, as one line.
  var line: String { "\(title): " + [stage, progressText].compactMap(\.self).joined(separator: " ") }

  private var progressText: String? { progress.map { Units.progress(done: $0.done, total: $0.total) } }
}

extension OperationView {
  /// Whether nothing will change any more.
  var isSettled: Bool { OperationStatus(rawValue: status)?.isSettled ?? false }
}
