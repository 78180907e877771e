import Foundation
import Models
import ServiceKit
import Testing

@testable import Gateway

/// What the page at `/docs` and other readers of the OpenAPI document rely on.
@Suite struct DocumentTests {
  private struct Document: Decodable {
    struct Tag: Decodable {
      let name: String
      let description: String
    }
    struct Operation: Decodable {
      let operationId: String
      let summary: String
      let tags: [String]
      let responses: [String: Response]
    }
    struct Response: Decodable {}
    struct Code: Decodable {
      let status: Int
      let description: String
      let operations: [String]?
    }
    let tags: [Tag]
    let paths: [String: [String: Operation]]
    let errorCodes: [String: Code]

    var operations: [Operation] { paths.values.flatMap(\.values) }

    enum CodingKeys: String, CodingKey {
      case tags, paths
      case errorCodes = "x-error-codes"
    }
  }

  private let data = Data(PackageResources.openapi_json)

  @Test func everyOperationHasANameASummaryAndATagThatIsDescribed() throws {
    let document = try JSONDecoder().decode(Document.self, from: data)
    let names = document.operations.map(\.operationId)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z][A-Za-z]+/) != nil })
    // Read in a list, one beside the other.
    let summaries = document.operations.map(\.summary)
    #expect(Set(summaries).count == summaries.count)
    #expect(summaries.allSatisfy { !$0.isEmpty && $0.count <= 60 && !$0.hasSuffix(".") })
    let tags = Set(document.tags.map(\.name))
    #expect(document.operations.allSatisfy { $0.tags.count == 1 })
    #expect(Set(document.operations.flatMap(\.tags)) == tags)
    #expect(document.tags.allSatisfy { !$0.description.isEmpty })
  }

  @Test func everyErrorCodeIsDescribedWithItsStatus() throws {
    let document = try JSONDecoder().decode(Document.self, from: data)
    #expect(Set(document.errorCodes.keys) == Set(ErrorCode.allCases.map(\.rawValue)))
    let operations = Dictionary(uniqueKeysWithValues: document.operations.map { ($0.operationId, $0) })
    for (name, code) in document.errorCodes {
      #expect(code.status == ErrorCode(wire: name).status.code, "\(name)")
      #expect(!code.description.isEmpty, "\(name)")
      for id in code.operations ?? [] { #expect(operations[id]?.responses["\(code.status)"] != nil, "\(name), \(id)") }
    }
  }

  /// The first example of each schema, as the page offers it to be sent.
  private func example(of schema: String) throws -> Data {
    let whole = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let components = try #require(whole["components"] as? [String: Any])
    let schemas = try #require(components["schemas"] as? [String: [String: Any]])
    let examples = try #require(schemas[schema]?["examples"] as? [Any], "\(schema)")
    return try JSONSerialization.data(withJSONObject: try #require(examples.first))
  }

  private func reads<Value: Decodable>(_: Value.Type, _ schema: String) throws {
    #expect(throws: Never.self, "\(schema)") { try JSON.decoder.decode(Value.self, from: try example(of: schema)) }
  }

  @Test func theExamplesOfRequestsAreTaken() throws {
    try reads(LoginRequest.self, "Login")
    try reads(NewUser.self, "NewUser")
    try reads(UserUpdate.self, "UserUpdate")
    try reads(NewHost.self, "NewHost")
    try reads(HostUpdate.self, "HostUpdate")
    try reads(NewImage.self, "NewImage")
    try reads(ImageUpdate.self, "ImageUpdate")
    try reads(NewVM.self, "NewVM")
    try reads(VMUpdate.self, "VMUpdate")
    try reads(NewShare.self, "NewShare")
    try reads(NewSnapshot.self, "NewSnapshot")
    try reads(NewSSHKey.self, "NewSSHKey")
    try reads(SSHKeyUpdate.self, "SSHKeyUpdate")
  }

  @Test func theExamplesOfAnswersAreSuchAnswers() throws {
    try reads(VM.self, "VM")
    try reads(Image.self, "Image")
    try reads(Host.self, "Host")
    try reads(User.self, "User")
    try reads(Account.self, "Account")
    try reads(Models.Operation.self, "Operation")
    try reads(Permission.self, "Permission")
    try reads(Session.self, "Session")
    try reads(SSHKey.self, "SSHKey")
    try reads(VMMetrics.self, "VMMetrics")
    try reads(Usage.self, "Usage")
    try reads(AuditEntry.self, "AuditEntry")
  }
}
