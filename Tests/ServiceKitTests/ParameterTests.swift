import Foundation
import Models
import ServiceKit
import Testing

@Suite struct ParameterTests {
  private func refused(_ query: String, _ read: (QueryString) throws -> Void) -> String? {
    do { try read(try QueryString(query)) } catch let error as ServiceError { return error.fields.first?.field } catch {
    }
    return nil
  }

  @Test func numbersAreWholeAndInRange() throws {
    #expect(try QueryString("wait=7").integer("wait", in: 0...60) == 7)
    #expect(try QueryString("").integer("wait", in: 0...60) == nil)
    for query in [
      "wait=", "wait=x", "wait=1.5", "wait=-1", "wait=61", "wait=1e1", "wait=%201", "wait=9999999999999999999",
    ] {
      #expect(refused(query) { _ = try $0.integer("wait", in: 0...60) } == "wait", "\(query)")
    }
  }

  @Test func flagsAreTrueOrFalse() throws {
    #expect(try QueryString("cascade=true").flag("cascade"))
    #expect(try !QueryString("cascade=false").flag("cascade") && !QueryString("").flag("cascade"))
    for query in ["cascade", "cascade=", "cascade=1", "cascade=TRUE", "cascade=yes"] {
      #expect(refused(query) { _ = try $0.flag("cascade") } == "cascade", "\(query)")
    }
  }

  @Test(
    arguments: [
      ("2027-01-01T00:00:00Z", 1_798_761_600), ("2027-01-01t00:00:00z", 1_798_761_600),
      ("2027-01-01T02:00:00+02:00", 1_798_761_600), ("2026-12-31T20:30:00.5-03:30", 1_798_761_600.5),
      ("2027-01-01T00:00:00.250000Z", 1_798_761_600.25), ("2028-02-29T00:00:00Z", 1_835_395_200),
      ("2026-12-31T23:59:60Z", 1_798_761_600),
    ] as [(String, Double)])
  func timesAreReadAsRFC3339WritesThem(_ text: String, _ expected: Double) throws {
    let date = try #require(Date(rfc3339: text))
    #expect(abs(date.timeIntervalSince1970 - expected) < 0.001)
  }

  @Test(arguments: [
    "", "2027-01-01", "2027-01-01T00:00:00", "2027-01-01 00:00:00Z", "2027-02-29T00:00:00Z", "2027-04-31T00:00:00Z",
    "2027-13-01T00:00:00Z", "2027-01-01T24:00:00Z", "2027-01-01T25:00:00Z", "2027-01-01T23:60:00Z",
    "2027-01-01T23:59:61Z", "2027-01-01T00:00:00Zxyz", "2027-01-01T00:00:00+0200", "2027-1-1T00:00:00Z",
    "0000-01-01T00:00:00Z", "12027-01-01T00:00:00Z", "2027-01-01T00:00:00GMT", "2100-02-29T00:00:00Z",
  ]) func otherTextIsNoTime(_ text: String) { #expect(Date(rfc3339: text) == nil) }
}
