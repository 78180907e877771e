import Foundation

/// Commands for the guest agent, as JSON. See https://www.qemu.org/docs/master/interop/qemu-ga-ref.html.
enum AgentCommand {
  static let ping = #"{"execute":"guest-ping"}"#
  static let info = #"{"execute":"guest-info"}"#

  static func openFile(_ path: String) throws(LibvirtError) -> String {
    try encode("guest-file-open", OpenArguments(path: path, mode: "r"))
  }

  static func readFile(_ handle: Int64, count: Int) throws(LibvirtError) -> String {
    try encode("guest-file-read", ReadArguments(handle: handle, count: count))
  }

  static func closeFile(_ handle: Int64) throws(LibvirtError) -> String {
    try encode("guest-file-close", CloseArguments(handle: handle))
  }

  private struct OpenArguments: Encodable {
    let path: String
    let mode: String
  }

  private struct ReadArguments: Encodable {
    let handle: Int64
    let count: Int
  }

  private struct CloseArguments: Encodable {
    let handle: Int64
  }

  private struct Command<Arguments: Encodable>: Encodable {
    let execute: String
    let arguments: Arguments
  }

  private static func encode(_ name: String, _ arguments: some Encodable) throws(LibvirtError) -> String {
    do {
      return String(decoding: try JSONEncoder().encode(Command(execute: name, arguments: arguments)), as: UTF8.self)
    } catch {
      throw .refused(.invalidArgument, "the command cannot be written as JSON: \(error)")
    }
  }
}
