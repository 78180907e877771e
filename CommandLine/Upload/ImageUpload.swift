import Models

/// Makes an image and sends its content. An image whose content was not accepted is removed again.
struct ImageUpload: Sendable {
  let client: APIClient
  let console: any Console
  let waiter: Waiter
  let content: FileContent

  /// - Parameter interruptions: An element ends the upload until the content is accepted.
  /// - Throws: `CommandFailure`, whose last line tells what became of the image.
  func run(_ image: NewImage, interruptions: AsyncStream<Void>) async throws -> Settled<ImageView> {
    let made = try await make(image)
    let answer: APIAnswer
    do { answer = try await Interruption.guarding(interruptions) { try await send(to: made.id) } } catch {
      throw await undone(made, after: error)
    }
    return try await waiter.settle(answer, ImageView.self, by: waiter.deadline)
  }

  private func make(_ image: NewImage) async throws -> ImageView {
    var request = try APIRequest.send(.post, ImageView.collectionPath, image)
    request.headers["Prefer"] = "respond-async"
    return try client.decode(try await client.send(request)).value
  }

  private func send(to id: UUIDText) async throws -> APIAnswer {
    let line = ProgressLine(console: console)
    defer { line.end() }
    if console.terminalWidth == nil { console.tell("Sending \(content.name), \(Units.bytes(content.length)).") }
    let report = TransferReport("sending", total: content.length, line: line)
    let request = APIRequest(
      method: .put, target: "\(ImageView.path(id))/content", headers: ["Content-Type": "application/octet-stream"])
    return try await client.send(
      waiter.preferring(request, ImageView.self), FilePieces(content: content, report: report.moved))
  }

  private func undone(_ image: ImageView, after error: any Error) async -> CommandFailure {
    let cause = error as? CommandFailure ?? CommandFailure(.failed, "The upload failed: \(error)")
    return CommandFailure(cause.status, lines: cause.lines + [await removal(of: image)])
  }

  /// What became of the image.
  private func removal(of image: ImageView) async -> String {
    do {
      _ = try await client.send(.delete(ImageView.path(image.id)))
    } catch let failure as CommandFailure where failure.status == .notFound {
    } catch {
      let reason = (error as? CommandFailure)?.lines.first.map { " \($0)" } ?? ""
      return "The image \(image.label) is left without its content; run: iaas image rm \(image.id).\(reason)"
    }
    return "The image \(image.label) was removed again."
  }
}
