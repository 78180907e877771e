/// The version of the command line.
enum Version {
  static let current = "0.1.0"
}
