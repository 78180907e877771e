import Foundation
import Models

/// Which passwords are taken (NIST SP 800-63B, 5.1.1.2): long ones that nobody would guess first. There are no rules about
/// digits and capitals, which make passwords worse.
struct PasswordPolicy: Sendable {
  /// Characters at least; 1 takes every password, for installations whose clients know no other.
  let minimum: Int
  private let common: Set<String>

  init(minimum: Int) {
    self.minimum = minimum
    let list = String(decoding: PackageResources.common_passwords_txt, as: UTF8.self)
    common = Set(
      list.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }.map { Self.core(of: String($0)) })
  }

  /// - Throws: `invalid_field`, saying what to do.
  func check(_ password: String, email: String) throws {
    guard minimum > 1 else { return }
    guard password.count >= minimum else {
      throw ServiceError.invalid("password", "must have at least \(minimum) characters; several words do well.")
    }
    guard !isCommon(password), !repeats(password), !isMostly(email, password) else {
      throw ServiceError.invalid("password", "is one that is guessed first; choose another, such as several words.")
    }
  }

  /// A common word stays one with a year or an exclamation mark behind it, with capitals, and with digits for letters.
  private func isCommon(_ password: String) -> Bool {
    let core = Self.core(of: password)
    if common.contains(core) || common.contains(password.lowercased()) { return true }
    // The same twice.
    let half = core.prefix(core.count / 2)
    return core.count >= 6 && core == half + half && common.contains(String(half))
  }

  /// What stands before the digits and signs at the end, with the letters for which digits and signs stand in it.
  private static func core(of text: String) -> String {
    let lowercased = text.lowercased()
    guard let end = lowercased.lastIndex(where: \.isLetter) else { return "" }
    return String(lowercased[...end].map { substitutes[$0] ?? $0 })
  }

  private static let substitutes: [Character: Character] = [
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "l",
  ]

  /// One character again and again, a short piece again and again, or a row of the keyboard or the alphabet.
  private func repeats(_ password: String) -> Bool {
    let characters = Array(password.lowercased())
    for period in 1...4 where characters.count >= period * 3 {
      if zip(characters, characters.dropFirst(period)).allSatisfy({ $0 == $1 }) { return true }
    }
    let text = String(characters)
    return Self.rows.contains { row in
      let twice = row + row
      return twice.contains(text) || String(twice.reversed()).contains(text)
    }
  }

  private static let rows = [
    "01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "1q2w3e4r5t6y7u8i9o0p",
  ]

  private func isMostly(_ email: String, _ password: String) -> Bool {
    let name = email.lowercased().split(separator: "@").first.map(String.init) ?? ""
    return name.count >= 4 && password.lowercased().replacing(name, with: "").filter(\.isLetter).count < 4
  }
}
