import Foundation
import Logging
import Models
import NIOCore
import NIOPosix

/// The serial consoles of guests that somebody looks at. QEMU speaks with one at a time, so all who look share one
/// connection to its socket; it is made for the first, and let go some time after the last.
actor Consoles {
  private let folders: AgentFolders
  private let logger: Logger
  private var sessions: [VMID: Session] = [:]

  /// How long a connection is kept for nobody, and between two signs of life to who looks.
  private static let linger: Duration = .seconds(10)
  private static let heartbeat: Duration = .seconds(15)
  /// Pieces that are kept for who is slow; the oldest are lost then.
  private static let kept = 1024

  /// A connection, and who is told what comes by it.
  private struct Session {
    let number: UUID
    let input: AsyncStream<ByteBuffer>.Continuation
    let work: Task<Void, Never>
    var followers: [UUID: AsyncStream<ByteBuffer>.Continuation] = [:]
  }

  init(folders: AgentFolders, logger: Logger) {
    self.folders = folders
    self.logger = logger
  }

  /// What the guest writes from now on, until it is off or nobody reads. A NUL that comes now and then is a sign of life,
  /// and not the guest's.
  /// - Throws: `invalid_state` when the VM is off.
  func follow(_ id: VMID) throws -> AsyncStream<ByteBuffer> {
    try open(id)
    let key = UUID()
    let (stream, continuation) = AsyncStream.makeStream(
      of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(Self.kept))
    continuation.onTermination = { _ in Task { await self.leave(id, key) } }
    sessions[id]?.followers[key] = continuation
    return stream
  }

  /// Types for the guest.
  /// - Throws: `invalid_state` when the VM is off.
  func type(_ text: String, to id: VMID) throws {
    try open(id)
    sessions[id]?.input.yield(ByteBuffer(string: text))
  }

  private func open(_ id: VMID) throws {
    guard sessions[id] == nil else { return }
    let socket = folders.paths(id).consoleSocket
    guard access(socket, F_OK) == 0 else {
      throw ServiceError(.invalidState, "The VM is off; it has a console while it runs.")
    }
    let number = UUID()
    let (typed, input) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(Self.kept))
    let work = Task {
      do { try await self.connect(id, number, socket, typed) } catch {
        self.logger.notice("console closed", metadata: ["vm": "\(id)", "error": "\(String(reflecting: error))"])
      }
      self.close(id, number)
    }
    sessions[id] = Session(number: number, input: input, work: work)
    Task { await self.lingering(id, number) }
  }

  private nonisolated func connect(
    _ id: VMID, _ number: UUID, _ socket: String, _ typed: AsyncStream<ByteBuffer>
  ) async throws {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.seconds(5))
      .connect(unixDomainSocketPath: socket) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    try await channel.executeThenClose { inbound, outbound in
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask { for try await buffer in inbound { await self.tell(id, number, buffer) } }
        group.addTask { for await buffer in typed { try await outbound.write(buffer) } }
        group.addTask {
          while true {
            try await Task.sleep(for: Self.heartbeat)
            await self.tell(id, number, ByteBuffer(bytes: [0]))
          }
        }
        // The first that ends, ends all: QEMU is gone, or nobody looks any more.
        try await group.next()
      }
    }
  }

  private func tell(_ id: VMID, _ number: UUID, _ buffer: ByteBuffer) {
    guard let session = sessions[id], session.number == number else { return }
    for follower in session.followers.values { follower.yield(buffer) }
  }

  private func leave(_ id: VMID, _ key: UUID) async {
    guard let session = sessions[id], session.followers[key] != nil else { return }
    sessions[id]?.followers[key] = nil
    await lingering(id, session.number)
  }

  /// Lets a connection go that nobody has looked at for a while.
  private func lingering(_ id: VMID, _ number: UUID) async {
    try? await Task.sleep(for: Self.linger)
    guard let session = sessions[id], session.number == number, session.followers.isEmpty else { return }
    session.work.cancel()
  }

  private func close(_ id: VMID, _ number: UUID) {
    guard let session = sessions[id], session.number == number else { return }
    sessions[id] = nil
    session.input.finish()
    for follower in session.followers.values { follower.finish() }
  }
}
