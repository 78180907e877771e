import Foundation

extension LibvirtConnection {
  /// A file of the guest, read by its agent; nil when the guest has no such file, or says so.
  ///
  /// Throws what ``guestAgentCommand(_:of:timeoutSeconds:)`` does; besides ``LibvirtError/Code/overflow`` when the file is
  /// larger than the limit, and ``LibvirtError/Code/operationUnsupported`` when the agent opens no files: because it is
  /// configured so, or the guest's file systems are frozen.
  /// - Parameters:
  ///   - path: The file's path in the guest.
  ///   - limit: The most bytes to take. Every 256 KiB begun are one command, besides those that open and close.
  ///   - timeoutSeconds: How long to wait for the answer to each command, at least 1.
  public func guestFile(
    _ path: String, of uuid: UUID, limit: Int, timeoutSeconds: Int32
  ) throws(LibvirtError) -> Data? {
    try readGuestFile(path, limit: limit) { (command) throws(LibvirtError) in
      try guestAgentCommand(command, of: uuid, timeoutSeconds: timeoutSeconds)
    }
  }
}

/// Reads a file through the guest agent's commands; the number of commands is bounded whatever the guest answers.
/// - Parameter ask: Has the agent carry out a command and gives its answer.
func readGuestFile(
  _ path: String, limit: Int, ask: (String) throws(LibvirtError) -> String
) throws(LibvirtError) -> Data? {
  guard limit >= 0 else { throw .refused(.invalidArgument, "a negative limit") }
  guard let handle = try openGuestFile(try refusingNUL(path), ask) else { return nil }
  defer { _ = try? ask(try AgentCommand.closeFile(handle)) }
  var contents = Data()
  while true {
    // One more than the limit allows tells a file that is too large.
    let wanted = min(largestRead - 1, limit - contents.count) + 1
    let chunk = try AgentAnswer<AgentFileChunk>.value(of: ask(AgentCommand.readFile(handle, count: wanted)))
    contents += try chunk.bytes(atMost: wanted)
    guard contents.count <= limit else { throw .refused(.overflow, "the guest's file is larger than \(limit) bytes") }
    // Only at its end does a file give less than asked; some agents say so only at the next read.
    if chunk.isLast || chunk.count < wanted { return contents }
  }
}

/// Well below the 4 MiB that fit into an answer between libvirt's daemon and us.
private let largestRead = 256 << 10

/// Opens a file, nil when the agent refuses to. It says why in words only, so ask whether it would open any.
private func openGuestFile(
  _ path: String, _ ask: (String) throws(LibvirtError) -> String
) throws(LibvirtError) -> Int64? {
  let answer: String
  do throws(LibvirtError) {
    answer = try ask(AgentCommand.openFile(path))
  } catch {
    guard error.code == .agentCommandFailed else { throw error }
    let info = try AgentAnswer<AgentInfo>.value(of: ask(AgentCommand.info))
    guard info.allows("guest-file-open") else {
      throw .refused(.operationUnsupported, "the guest agent does not open files")
    }
    return nil
  }
  return try AgentAnswer<Int64>.value(of: answer)
}
