import Foundation
import Models
import Testing

@testable import CommandLineTool

@Suite struct UploadTests {
  private static let content = "/iaas/images/\(Sample.image)/content"
  private static let removed = "The image debian (\(Sample.image)) was removed again."

  /// A server that takes a file, and the file, which has `pieces` and a half.
  private func bench(width: Int? = nil, pieces: Int = 2) throws -> (bench: Bench, file: String) {
    let bench = try Bench(width: width)
    let text = String(
      repeating: "0123456789abcdef", count: (FileContent.pieceSize * pieces + FileContent.pieceSize / 2) / 16)
    let file = try bench.folder.write(text, to: "debian-12.qcow2")
    bench.transport.answer("POST /iaas/images", 201, Sample.imageJSON(state: "importing"))
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 204, "")
    return (bench, file)
  }

  @Test func theImageIsMadeAndItsContentSent() async throws {
    let (bench, file) = try bench()
    bench.transport.answer("PUT \(Self.content)", Sample.imageJSON())
    #expect(await bench.run("image", "upload", file, "-o", "name") == .done)
    #expect(bench.transport.targets == ["POST /iaas/images", "PUT \(Self.content)"])
    #expect(bench.body(0) == #"{"desc":"","name":"debian-12"}"#)
    #expect(bench.transport.requests[0].headers["Prefer"] == "respond-async")
    let upload = bench.transport.requests[1]
    #expect(upload.headers["Content-Type"] == "application/octet-stream")
    #expect(upload.headers["Authorization"] == "Bearer secret")
    #expect(upload.headers["Prefer"] == "wait=10")
    #expect(upload.body == nil)
    #expect(
      bench.transport.pieces.map(\.count) == [FileContent.pieceSize, FileContent.pieceSize, FileContent.pieceSize / 2])
    #expect(bench.transport.pieces.reduce(Data(), +) == (try Data(contentsOf: URL(fileURLWithPath: file))))
    #expect(bench.console.out == "debian\n")
    #expect(bench.console.err == ["Sending debian-12.qcow2, 640 KiB."])
  }

  @Test func nameDescriptionAndChecksum() async throws {
    let (bench, file) = try bench()
    bench.transport.answer("PUT \(Self.content)", Sample.imageJSON())
    #expect(await bench.run("image", "upload", file, "mine", "D 12", "--sha256", "00") == .done)
    #expect(bench.body(0) == #"{"desc":"D 12","name":"mine","sha256":"00"}"#)
  }

  @Test func theOperationIsFollowedAfterwards() async throws {
    let (bench, file) = try bench()
    bench.transport.answer(
      "PUT \(Self.content)", 202, Sample.imageJSON(state: "importing"), headers: Sample.operationLocation)
    bench.transport.answer("GET /iaas/operations/\(Sample.operation)?wait=30", Sample.operationJSON("done"))
    bench.transport.answer("GET /iaas/images/\(Sample.image)", Sample.imageJSON())
    #expect(await bench.run("image", "upload", file, "-o", "json") == .done)
    #expect(bench.console.out == Sample.imageJSON() + "\n")
  }

  @Test func contentThatWasAcceptedIsNotRemoved() async throws {
    let (bench, file) = try bench()
    bench.transport.answer(
      "PUT \(Self.content)", 202, Sample.imageJSON(state: "importing"), headers: Sample.operationLocation)
    bench.transport.answer(
      "GET /iaas/operations/\(Sample.operation)?wait=30", Sample.operationJSON("failed", error: "No qcow2."))
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.console.err.last == "iaas: No qcow2.")
    #expect(!bench.transport.targets.contains { $0.hasPrefix("DELETE") })
  }

  @Test func nobodyNeedsToWait() async throws {
    let (bench, file) = try bench()
    bench.transport.answer(
      "PUT \(Self.content)", 202, Sample.imageJSON(state: "importing"), headers: Sample.operationLocation)
    #expect(await bench.run("image", "upload", file, "--no-wait") == .done)
    #expect(bench.transport.requests.last?.headers["Prefer"] == "respond-async")
    #expect(bench.transport.pieces.count == 3)
  }

  @Test(arguments: [(413, "too_large", "Too large."), (507, "no_space", "No space."), (401, "unauthenticated", "Who?")])
  func aRefusalEndsTheSending(http: Int, code: String, detail: String) async throws {
    let (bench, file) = try bench()
    bench.transport.refuse(afterPieces: 1)
    bench.transport.answer(
      "PUT \(Self.content)", http, #"{"detail":"\#(detail)","code":"\#(code)"}"#, type: "application/problem+json")
    #expect(await bench.run("image", "upload", file) == (http == 401 ? .refused : .failed))
    #expect(bench.transport.pieces.count == 1)
    #expect(bench.transport.targets.last == "DELETE /iaas/images/\(Sample.image)")
    #expect(bench.console.err.suffix(2) == ["iaas: \(detail)", Self.removed])
    #expect(bench.console.out.isEmpty)
  }

  @Test func aSuccessBeforeTheEndIsNone() async throws {
    let (bench, file) = try bench()
    bench.transport.refuse(afterPieces: 1)
    bench.transport.answer("PUT \(Self.content)", Sample.imageJSON())
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.console.err.last == Self.removed)
  }

  @Test func aConnectionThatBreaksRemovesTheImage() async throws {
    let (bench, file) = try bench()
    bench.transport.onPiece { if $0 == 1 { throw CommandFailure(.timedOut, "Broken.") } }
    #expect(await bench.run("image", "upload", file) == .timedOut)
    #expect(bench.console.err.suffix(2) == ["iaas: Broken.", Self.removed])
  }

  @Test(arguments: [0, 1, FileContent.pieceSize + 1, FileContent.pieceSize * 2, 1 << 20])
  func aFileThatChangesItsLengthIsAnError(length: Int) async throws {
    let (bench, file) = try bench()
    bench.transport.answer("PUT \(Self.content)", Sample.imageJSON())
    bench.transport.onPiece { if $0 == 0 { #expect(truncate(file, off_t(length)) == 0) } }
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.console.err.suffix(2) == ["iaas: \(file) changed its length while it was sent.", Self.removed])
    #expect(bench.transport.pieces.count == 1)
  }

  @Test func controlCRemovesTheImage() async throws {
    let (bench, file) = try bench()
    bench.transport.onPiece { [interruptions = bench.interruptions] number in
      if number == 1 { interruptions.continuation.yield() }
      if number > 0 { try await Task.sleep(for: .seconds(60)) }
    }
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.transport.targets == ["POST /iaas/images", "DELETE /iaas/images/\(Sample.image)"])
    #expect(bench.console.err.suffix(2) == ["iaas: Interrupted.", Self.removed])
  }

  @Test func controlCWhileTheImageIsMadeCountsToo() async throws {
    let (bench, file) = try bench()
    bench.interruptions.continuation.yield()
    bench.transport.onPiece { _ in try await Task.sleep(for: .seconds(60)) }
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.console.err.suffix(2) == ["iaas: Interrupted.", Self.removed])
  }

  @Test func anImageThatIsGoneAlreadyNeedsNoRemoval() async throws {
    let bench = try Bench()
    let file = try bench.folder.write("x", to: "x")
    bench.transport.answer("POST /iaas/images", 201, Sample.imageJSON(state: "importing"))
    bench.transport.answer("PUT \(Self.content)", 404, "{}")
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 404, "{}")
    #expect(await bench.run("image", "upload", file) == .notFound)
    #expect(bench.console.err.last == Self.removed)
  }

  @Test func anImageThatCannotBeRemovedIsNamed() async throws {
    let bench = try Bench()
    let file = try bench.folder.write("x", to: "x")
    bench.transport.answer("POST /iaas/images", 201, Sample.imageJSON(state: "importing"))
    bench.transport.answer("PUT \(Self.content)", 503, #"{"detail":"Later."}"#)
    bench.transport.answer("DELETE /iaas/images/\(Sample.image)", 503, #"{"detail":"Down."}"#)
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.console.err.suffix(2).first == "iaas: Later.")
    #expect(bench.console.err.last?.hasSuffix("run: iaas image rm \(Sample.image). Down.") == true)
  }

  @Test func anImageThatIsNotMadeNeedsNoContent() async throws {
    let bench = try Bench()
    let file = try bench.folder.write("x", to: "x")
    bench.transport.answer("POST /iaas/images", 403, #"{"detail":"Full.","code":"quota_exceeded"}"#)
    #expect(await bench.run("image", "upload", file) == .quotaExceeded)
    #expect(bench.transport.targets == ["POST /iaas/images"])
    #expect(bench.transport.pieces.isEmpty)
  }

  @Test(arguments: ["missing", "empty", "folder", "file/within", "pipe", ".qcow2"])
  func whatCannotBeSentIsRefusedBefore(name: String) async throws {
    let bench = try Bench()
    for (file, text) in [("empty", ""), ("file", "x"), (".qcow2", "x")] { _ = try bench.folder.write(text, to: file) }
    #expect(mkdir("\(bench.folder.path)/folder", 0o700) == 0)
    #expect(mkfifo("\(bench.folder.path)/pipe", 0o600) == 0)
    #expect(await bench.run("image", "upload", "\(bench.folder.path)/\(name)") == .usage)
    #expect(bench.transport.requests.isEmpty)
    #expect(bench.console.err.count == 1)
  }

  @Test func onATerminalOneLineIsDrawnAndTakenAway() async throws {
    let (bench, file) = try bench(width: 60)
    bench.transport.answer("PUT \(Self.content)", Sample.imageJSON())
    #expect(await bench.run("image", "upload", file) == .done)
    #expect(bench.console.frames.first?.hasPrefix("sending  [#########") == true)
    #expect(bench.console.frames.first?.hasSuffix("]   40%  256/640 KiB") == true)
    #expect(bench.console.frames.last == "")
    #expect(!bench.console.isDrawnOver)
    #expect(bench.console.err.isEmpty)
  }

  @Test func aRefusalIsNotDrawnOver() async throws {
    let (bench, file) = try bench(width: 60)
    bench.transport.refuse(afterPieces: 1)
    bench.transport.answer("PUT \(Self.content)", 413, #"{"detail":"Too large."}"#)
    #expect(await bench.run("image", "upload", file) == .failed)
    #expect(bench.console.frames.count == 2 && !bench.console.isDrawnOver)
  }
}
