import CLibpq
import Foundation

/// The rows of one answer, in PostgreSQL's binary format; the memory is libpq's and is freed with this value.
public struct PostgresResult: ~Copyable {
  private let handle: OpaquePointer

  init(handle: OpaquePointer) { self.handle = handle }
  deinit { PQclear(handle) }

  public var count: Int { Int(PQntuples(handle)) }

  /// Rows changed by an INSERT, UPDATE or DELETE.
  public var affected: Int { PQcmdTuples(handle).flatMap { Int(String(cString: $0)) } ?? 0 }

  /// Decodes every row.
  public func map<Value>(_ decode: (PostgresRow) throws -> Value) rethrows -> [Value] {
    try (0..<PQntuples(handle)).map { try decode(PostgresRow(handle: handle, row: $0)) }
  }

  /// Decodes the first row; nil if there is none.
  public func first<Value>(_ decode: (PostgresRow) throws -> Value) rethrows -> Value? {
    count == 0 ? nil : try decode(PostgresRow(handle: handle, row: 0))
  }
}

/// One row; valid only inside the closure that was given it.
public struct PostgresRow {
  let handle: OpaquePointer
  let row: Int32

  /// The value of a column that is not NULL.
  /// - Throws: `PostgresDecodingError` when the column is absent, NULL or of another type.
  public func callAsFunction<Value: PostgresDecodable>(_ column: String, as: Value.Type = Value.self) throws -> Value {
    guard let value: Value = try decode(column) else { throw PostgresDecodingError(column: column, reason: "is NULL") }
    return value
  }

  /// The value of a column, nil for NULL.
  public func optional<Value: PostgresDecodable>(_ column: String, as: Value.Type = Value.self) throws -> Value? {
    try decode(column)
  }

  private func decode<Value: PostgresDecodable>(_ column: String) throws -> Value? {
    let index = PQfnumber(handle, column)
    guard index >= 0 else { throw PostgresDecodingError(column: column, reason: "is not in the result") }
    guard PQgetisnull(handle, row, index) == 0, let start = PQgetvalue(handle, row, index) else { return nil }
    // Safe: libpq owns `length` bytes at `start` until PQclear, and they are copied out by the decoder.
    let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(handle, row, index)))
    guard let value = Value(postgresBinary: bytes, type: PQftype(handle, index)) else {
      throw PostgresDecodingError(column: column, reason: "is not a \(Value.self)")
    }
    return value
  }
}

/// A result that does not have the shape that the code expects: a defect of ours.
public struct PostgresDecodingError: Error, Sendable {
  public let column: String
  public let reason: String

  public init(column: String, reason: String) {
    self.column = column
    self.reason = reason
  }
}

/// What a column can be decoded to, from PostgreSQL's binary format of the type with that object id.
public protocol PostgresDecodable {
  init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32)
}

/// Object ids of built-in types (`pg_type.dat`).
private enum TypeID {
  static let bool: UInt32 = 16, bytea: UInt32 = 17, int8: UInt32 = 20, int2: UInt32 = 21, int4: UInt32 = 23
  static let float8: UInt32 = 701, timestamptz: UInt32 = 1184, uuid: UInt32 = 2950, jsonb: UInt32 = 3802
}

private func integer<Value: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as: Value.Type) -> Value? {
  bytes.count == MemoryLayout<Value>.size ? Value(bigEndian: bytes.loadUnaligned(as: Value.self)) : nil
}

extension Int64: PostgresDecodable {
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    let value: Int64? =
      switch type {
      case TypeID.int8: integer(bytes, as: Int64.self)
      case TypeID.int4: integer(bytes, as: Int32.self).map(Int64.init)
      case TypeID.int2: integer(bytes, as: Int16.self).map(Int64.init)
      default: nil
      }
    guard let value else { return nil }
    self = value
  }
}

extension Int: PostgresDecodable {
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    guard let value = Int64(postgresBinary: bytes, type: type) else { return nil }
    self = Int(value)
  }
}

extension Bool: PostgresDecodable {
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    guard type == TypeID.bool, bytes.count == 1 else { return nil }
    self = bytes[0] != 0
  }
}

extension Double: PostgresDecodable {
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    guard type == TypeID.float8, let bits = integer(bytes, as: UInt64.self) else { return nil }
    self = Double(bitPattern: bits)
  }
}

extension String: PostgresDecodable {
  /// Text, and JSON as its text; the version byte that starts binary jsonb is left out.
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    self = String(decoding: type == TypeID.jsonb ? bytes[1...] : bytes[...], as: UTF8.self)
  }
}

extension Data: PostgresDecodable {
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    guard type == TypeID.bytea else { return nil }
    self = Data(bytes)
  }
}

extension UUID: PostgresDecodable {
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    guard type == TypeID.uuid, bytes.count == 16 else { return nil }
    self = UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }
}

extension Date: PostgresDecodable {
  /// Binary timestamptz counts microseconds from 2000-01-01 00:00 UTC.
  public init?(postgresBinary bytes: UnsafeRawBufferPointer, type: UInt32) {
    guard type == TypeID.timestamptz, let microseconds = integer(bytes, as: Int64.self) else { return nil }
    self = Date(timeIntervalSince1970: 946_684_800 + Double(microseconds) / 1_000_000)
  }
}
