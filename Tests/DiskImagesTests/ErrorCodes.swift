import Models

extension ErrorCode {
  /// The code of the error that the body throws; nil when it throws none. Other errors read as internal ones.
  static func thrown<Value>(by body: () throws -> Value) -> ErrorCode? {
    do {
      _ = try body()
      return nil
    } catch let error as ServiceError { return error.code } catch { return .internalError }
  }
}
