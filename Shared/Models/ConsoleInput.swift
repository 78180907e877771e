/// `POST /iaas/vms/{vmId}/console`: what is typed at the guest's serial console.
public struct ConsoleInput: Codable, Sendable, Equatable {
  public var input: String

  /// The longest, in bytes.
  public static let limit = 4096

  private enum CodingKeys: String, CodingKey, CaseIterable { case input }

  public init(input: String) { self.input = input }

  public init(from decoder: any Decoder) throws {
    let fields = try decoder.strictContainer(CodingKeys.self)
    input = try fields.decode(String.self, forKey: .input)
    guard (1...Self.limit).contains(input.utf8.count) else {
      throw ServiceError.invalid("input", "must be 1 to \(Self.limit) bytes.")
    }
  }
}
