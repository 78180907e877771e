import Models

/// How far a guest has come, in the words of the server, which may know stages that this version does not.
struct ReadinessView: Decodable, Sendable {
  struct Step: Decodable, Sendable {
    var stage: String
    var at: String?
    var evidence: String?

    /// The stage, how long ago, and by what one knows.
    var line: String {
      let age = at.map { Age.ago($0) ?? $0 }
      let words = [age, evidence.map { "(\($0))" }].compactMap(\.self).joined(separator: " ")
      let gap = String(repeating: " ", count: max(0, Self.widest - stage.count) + 2)
      return words.isEmpty ? stage : stage + gap + words
    }

    private static let widest = ReadinessStage.allCases.map(\.rawValue.count).max() ?? 0
  }

  var stage: String
  var steps: [Step]?

  var lines: [String] { (steps ?? []).isEmpty ? [stage] : (steps ?? []).map(\.line) }
}

extension VMView {
  /// The stages of which one knows that the guest reached them.
  var reached: Set<ReadinessStage> {
    let words = [readiness?.stage].compactMap(\.self) + (readiness?.steps ?? []).map(\.stage)
    return Set(words.compactMap(ReadinessStage.init))
  }
}
