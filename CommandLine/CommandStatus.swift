import Models

/// How `iaas` ended, for scripts.
enum CommandStatus: Int32, Sendable {
  case done = 0
  case failed = 1
  case usage = 2
  case notFound = 3
  /// Not logged in, or not allowed.
  case refused = 4
  case conflict = 5
  case quotaExceeded = 6
  case noCapacity = 7
  case timedOut = 8

  /// What an answer that is not a success means; the code goes before the HTTP status.
  init(httpStatus: Int, code: String?) {
    switch (httpStatus, code) {
    case (403, "quota_exceeded"): self = .quotaExceeded
    case (507, "no_capacity"): self = .noCapacity
    case (401, _), (403, _): self = .refused
    case (404, _): self = .notFound
    case (409, _): self = .conflict
    default: self = .failed
    }
  }
}

/// Why a command did not do what was asked: the lines for standard error, and the exit status.
struct CommandFailure: Error, Equatable {
  let status: CommandStatus
  let lines: [String]
  /// The API's word for it; nil for what the API did not say.
  let code: String?

  init(_ status: CommandStatus, _ lines: String...) {
    self.init(status, lines: lines)
  }

  init(_ status: CommandStatus, lines: [String], code: String? = nil) {
    self.status = status
    self.lines = lines
    self.code = code
  }

  func isRefusal(_ code: ErrorCode) -> Bool { self.code == code.rawValue }
}
