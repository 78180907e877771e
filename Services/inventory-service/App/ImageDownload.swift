import AsyncHTTPClient
import Clients
import Foundation
import Models
import NIOCore
import NIOHTTP1
import ServiceKit

/// How patient downloads are.
struct DownloadPatience: Sendable {
  /// Seconds without a byte, or with too few, before a source counts as stalled.
  var stallSeconds: Int64 = 30
  /// Bytes a second that a source must send on average over that time.
  var minimumRate: Int64 = 1024
  /// How often a download that was cut is begun or resumed in all.
  var attempts = 5
  /// The pause before the second attempt; it doubles with each.
  var pause: Duration = .milliseconds(500)
}

/// Fetches a URL by addresses that the policy permits and no others.
struct ImageDownload: Sendable {
  let policy: AddressPolicy
  var patience = DownloadPatience()

  typealias ProgressHandler = @Sendable (OperationProgress) async throws -> Void

  /// Fetches a file; one that is cut is resumed where it stopped, if the source can do that, or begun again.
  /// - Parameter onProgress: Called now and then with the bytes so far and in all.
  /// - Throws: `url_forbidden`, `source_failed`, `timeout`, `too_large` or `no_space`.
  func fetch(_ source: String, to writer: StagingWriter, onProgress: @escaping ProgressHandler) async throws {
    var validator: String?
    var pause = patience.pause
    for attempt in 1... {
      do { return try await fetchOnce(source, to: writer, validator: &validator, onProgress) } catch let error
        as Interruption
      {
        guard error.mayPass, attempt < patience.attempts else { throw error.final }
        try await Task.sleep(for: pause)
        pause *= 2
      }
    }
  }

  /// Fetches a short text, such as a list of checksums.
  /// - Throws: As `fetch`.
  func text(_ source: String, limit: Int) async throws -> String {
    do {
      return try await HTTPFetch(policy: policy, patience: patience).withResponse(to: source, headers: [:]) {
        response in
        guard response.status == .ok else { throw Self.refused(response.status).final }
        let buffer = try await response.body.collect(upTo: limit)
        return String(decoding: buffer.readableBytesView, as: UTF8.self)
      }
    } catch let error as Interruption { throw error.final } catch is NIOTooManyBytesError {
      throw ServiceError(.tooLarge, "The list of checksums is larger than \(limit >> 10) KiB.")
    }
  }

  private func fetchOnce(
    _ source: String, to writer: StagingWriter, validator: inout String?, _ onProgress: @escaping ProgressHandler
  ) async throws {
    let offset = await writer.count
    var headers = HTTPHeaders()
    if offset > 0, let validator {
      headers.add(name: "Range", value: "bytes=\(offset)-")
      headers.add(name: "If-Range", value: validator)
    }
    let known = try await HTTPFetch(policy: policy, patience: patience).withResponse(to: source, headers: headers) {
      response in
      let validator = Self.validator(of: response.headers)
      switch response.status {
      case .partialContent where Self.start(of: response.headers) == offset: break
      case .ok: if offset > 0 { try await writer.startOver() }
      case .partialContent, .rangeNotSatisfiable:
        try await writer.startOver()
        throw Self.refused(response.status)
      default: throw Self.refused(response.status)
      }
      do { try await copy(response, to: writer, onProgress) } catch let error as Interruption {
        return (validator, error as Interruption?)
      }
      return (validator, nil)
    }
    validator = known.0
    if let interruption = known.1 { throw interruption }
  }

  private func copy(
    _ response: HTTPClientResponse, to writer: StagingWriter, _ onProgress: ProgressHandler
  ) async throws {
    let offset = await writer.count
    let length = response.headers.first(name: "Content-Length").flatMap { Int64($0) }
    let total = length.map { $0 + offset }
    if let length { try await writer.expect(length) }
    var meter = RateMeter(start: offset, patience: patience)
    var iterator = response.body.makeAsyncIterator()
    while let buffer = try await Interruption.catching({ try await iterator.next() }) {
      try await writer.write(buffer)
      let count = await writer.count
      if let rate = try meter.note(count) { try await onProgress(.init(done: count, total: total, rate: rate)) }
    }
    let count = await writer.count
    try await onProgress(OperationProgress(done: count, total: count))
  }

  /// What names this version of the file for a later request (RFC 9110, 13.1.5): a strong tag, or a date.
  private static func validator(of headers: HTTPHeaders) -> String? {
    if let tag = headers.first(name: "ETag"), !tag.hasPrefix("W/") { return tag }
    return headers.first(name: "Last-Modified")
  }

  /// The first byte of a partial answer (RFC 9110, 14.4).
  private static func start(of headers: HTTPHeaders) -> Int64? {
    headers.first(name: "Content-Range").flatMap { $0.firstMatch(of: /^bytes (\d{1,18})-/) }.flatMap { Int64($0.1) }
  }

  private static func refused(_ status: HTTPResponseStatus) -> Interruption {
    let error = ServiceError(.sourceFailed, "The source answered \(status.code).")
    let mayPass: Set<UInt> = [408, 416, 206, 429, 500, 502, 503, 504]
    return Interruption(final: error, mayPass: mayPass.contains(status.code))
  }
}

/// What ended a download early, and what it means when trying again has not helped.
struct Interruption: Error {
  let final: ServiceError
  var mayPass = true

  /// Tells what the source is at fault for from what we are.
  static func catching<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let error as HTTPClientError where error == .readTimeout {
      throw Interruption(
        final: ServiceError(.timeout, "The source sent nothing for too long.", detail: String(reflecting: error)))
    } catch let error as HTTPClientError where error == .connectTimeout {
      throw Interruption(
        final: ServiceError(.timeout, "The source does not answer.", detail: String(reflecting: error)))
    } catch is CancellationError { throw CancellationError() } catch let error as ServiceError { throw error } catch {
      throw Interruption(
        final: ServiceError(.sourceFailed, "The download was cut off.", detail: String(reflecting: error)))
    }
  }
}

/// How fast bytes come, and whether that is fast enough.
private struct RateMeter {
  private let patience: DownloadPatience
  private var told: (at: ContinuousClock.Instant, count: Int64)
  private var window: (at: ContinuousClock.Instant, count: Int64)
  private var rate: Double?

  init(start: Int64, patience: DownloadPatience) {
    self.patience = patience
    told = (.now, start)
    window = (.now, start)
  }

  /// - Returns: The rate in bytes a second, when it is time to tell it.
  /// - Throws: `timeout` for a source that is too slow.
  mutating func note(_ count: Int64) throws -> Int64? {
    let now = ContinuousClock.now
    if now - window.at > .seconds(patience.stallSeconds) {
      let seconds = (now - window.at).seconds
      guard Double(count - window.count) >= seconds * Double(patience.minimumRate) else {
        throw ServiceError(.timeout, "The source sends less than \(patience.minimumRate) bytes a second.")
      }
      window = (now, count)
    }
    guard now - told.at > .seconds(1) else { return nil }
    let latest = Double(count - told.count) / (now - told.at).seconds
    // Smoothed, so that what people see does not jump.
    rate = rate.map { 0.7 * $0 + 0.3 * latest } ?? latest
    told = (now, count)
    return rate.map { Int64($0) }
  }
}
