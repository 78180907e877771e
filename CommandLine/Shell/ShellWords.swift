/// A line of the shell, taken apart: words between spaces. Quotes of either kind keep spaces together; in double quotes,
/// and outside of quotes, a backslash takes the next character as it is.
struct ShellWords: Equatable {
  struct Word: Equatable {
    var text: String
    /// Where it begins in the line.
    var start: String.Index
  }

  var words: [Word]
  /// The quote that was not closed; nil when all were.
  var open: Character?

  init(_ line: String) {
    words = []
    var word: Word?
    var index = line.startIndex
    while index < line.endIndex {
      let character = line[index]
      switch (character, open) {
      case ("\\", nil), ("\\", "\""):
        if word == nil { word = Word(text: "", start: index) }
        let next = line.index(after: index)
        if next < line.endIndex {
          word?.text.append(line[next])
          index = next
        }
      case ("\"", nil), ("'", nil):
        if word == nil { word = Word(text: "", start: index) }
        open = character
      case (_, .some(let quote)) where character == quote: open = nil
      case (_, nil) where character.isWhitespace:
        if let word { words.append(word) }
        word = nil
      default:
        if word == nil { word = Word(text: "", start: index) }
        word?.text.append(character)
      }
      index = line.index(after: index)
    }
    if let word { words.append(word) }
  }

  var texts: [String] { words.map(\.text) }
}
