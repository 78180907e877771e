import AsyncHTTPClient
import Foundation
import NIOCore
import NIOSSL

/// Carries requests over a network.
struct HTTPTransport: Transport {
  /// Longest answer that is read, in bytes.
  static let largestAnswer = 64 << 20
  /// Seconds a server may take to begin an answer, and to end it, beyond those it was asked to hold it back. A file
  /// may take as long as it needs, if never that long passes between two pieces or after the last one.
  private static let patience = 30
  private static let wholePatience = 120
  /// Seconds of silence after a request that is sent.
  private static let readPatience = 90

  private let client: HTTPClient

  /// Runs `body` with a transport that is closed afterwards. Redirects are not followed: they could take the token
  /// somewhere else.
  /// - Parameter ca: A file with certificates that are trusted beside the machine's own.
  static func withTransport(ca: String?, _ body: (HTTPTransport) async throws -> Void) async throws {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout = .init(connect: .seconds(10), read: .seconds(Int64(readPatience)))
    configuration.networkFrameworkWaitForConnectivity = false
    configuration.connectionPool.retryConnectionEstablishment = false
    if let ca {
      var tls = TLSConfiguration.makeClientConfiguration()
      do { tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(ca))] } catch {
        throw CommandFailure(.usage, "Cannot read certificates from the file \(ca).")
      }
      configuration.tlsConfiguration = tls
    }
    try await HTTPClient.withHTTPClient(configuration: configuration) { try await body(HTTPTransport(client: $0)) }
  }

  func send(_ request: APIRequest, to server: ServerAddress) async throws -> APIAnswer {
    let limit = Self.wholePatience + request.held
    let seconds = Self.patience + request.held
    var message = Self.message(request, server)
    message.body = request.body.map { .bytes(ByteBuffer(bytes: $0)) }
    let late = CommandFailure(.timedOut, "\(server) did not finish its answer within \(limit) seconds.")
    return try await Stall(.seconds(limit), late).limiting { [message] in
      try await answer(to: message, server, seconds: seconds)
    }
  }

  func stream(
    _ request: APIRequest, to server: ServerAddress, _ receive: @Sendable (Data) throws -> Void
  ) async throws -> APIAnswer {
    let response: HTTPClientResponse
    do {
      response = try await client.execute(
        Self.message(request, server), deadline: .now() + .seconds(Int64(Self.patience)))
    } catch { throw Self.unreachable(server, error, seconds: Self.patience) }
    let status = Int(response.status.code)
    guard (200..<300).contains(status) else {
      return APIAnswer(
        status: status, headers: Self.headers(of: response), body: try await Self.body(of: response, from: server))
    }
    do { for try await buffer in response.body { try receive(Data(buffer.readableBytesView)) } } catch let failure
      as CommandFailure
    {
      throw failure
    } catch is CancellationError { throw CancellationError() } catch {
      throw CommandFailure(.failed, "The connection to \(server) was lost.")
    }
    return APIAnswer(status: status, headers: Self.headers(of: response), body: Data())
  }

  func send(_ request: APIRequest, _ body: FilePieces, to server: ServerAddress) async throws -> APIAnswer {
    let limit = Self.wholePatience + request.held
    let late = CommandFailure(.timedOut, "\(server) took nothing, and did not answer, for \(limit) seconds.")
    let stall = Stall(.seconds(limit), late)
    let pieces = body.map { piece in
      stall.postpone()
      return ByteBuffer(bytes: piece)
    }
    var message = Self.message(request, server)
    message.body = .stream(pieces, length: .known(body.content.length))
    return try await stall.limiting { [message] in try await answer(to: message, server, seconds: nil) }
  }

  /// Sends, and reads the answer, which must begin within that many seconds if there is a number.
  private func answer(to message: HTTPClientRequest, _ server: ServerAddress, seconds: Int?) async throws -> APIAnswer {
    let deadline = seconds.map { NIODeadline.now() + .seconds(Int64($0)) } ?? .distantFuture
    let response: HTTPClientResponse
    do { response = try await client.execute(message, deadline: deadline) } catch {
      throw Self.unreachable(server, error, seconds: seconds)
    }
    return APIAnswer(
      status: Int(response.status.code), headers: Self.headers(of: response),
      body: try await Self.body(of: response, from: server))
  }

  private static func message(_ request: APIRequest, _ server: ServerAddress) -> HTTPClientRequest {
    var message = HTTPClientRequest(url: server.description + request.target)
    message.method = .init(rawValue: request.method.rawValue)
    message.headers = .init(request.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    return message
  }

  private static func headers(of response: HTTPClientResponse) -> [String: String] {
    Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
  }

  private static func body(of response: HTTPClientResponse, from server: ServerAddress) async throws -> Data {
    do {
      return Data(try await response.body.collect(upTo: largestAnswer).readableBytesView)
    } catch is NIOTooManyBytesError {
      throw CommandFailure(.failed, "The answer of \(server) is larger than \(Units.bytes(Int64(largestAnswer))).")
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(.failed, "The answer of \(server) ended before it was whole.")
    }
  }

  /// What the reading of a file threw is passed on.
  private static func unreachable(_ server: ServerAddress, _ error: any Error, seconds: Int?) -> CommandFailure {
    if let failure = error as? CommandFailure { return failure }
    let known = error as? HTTPClientError
    if known == .deadlineExceeded || known == .readTimeout {
      return CommandFailure(.timedOut, "\(server) did not answer within \(seconds ?? readPatience) seconds.")
    }
    if known == .remoteConnectionClosed || error is IOError {
      return CommandFailure(.failed, "\(server) closed the connection without an answer.")
    }
    let doubt = server.isEncrypted ? "is its certificate one this machine trusts" : "is this its URL"
    return CommandFailure(.failed, "Cannot reach \(server). Is the server running, and \(doubt)?")
  }
}
