import Models

/// How a change ended: the object, and whether the server has finished with it.
struct Settled<Kind: Resource>: Sendable {
  let object: Fetched<Kind>
  let isFinished: Bool
}

/// Asks for a change and waits until it is made: as long as the server cares to by itself, then by its operation.
struct Waiter: Sendable {
  /// Seconds that the server waits before it answers a change, and a question after an operation.
  private static let changeWait = 10
  private static let operationWait = 30
  /// The same where people look on.
  private static let watchedWait = 1

  let client: APIClient
  let console: any Console
  let options: WaitOptions
  /// Least time between two questions, should the server answer without waiting.
  let pause: Duration
  /// Begins to listen for what ends the waiting, and not what is waited for.
  let interruptions: @Sendable () async -> AsyncStream<Void>

  /// Makes or alters an object.
  /// - Throws: `CommandFailure`, also when the operation failed or the object is in error.
  func change<Kind: Resource>(_ request: APIRequest, _ kind: Kind.Type) async throws -> Settled<Kind> {
    let deadline = self.deadline
    return try await settle(try await client.send(preferring(request, kind)), kind, by: deadline)
  }

  /// Waits for what the server said it would do.
  /// - Throws: as `change`.
  func settle<Kind: Resource>(
    _ answer: APIAnswer, _: Kind.Type, by deadline: ContinuousClock.Instant
  ) async throws -> Settled<Kind> {
    let first: Fetched<Kind> = try client.decode(answer)
    guard answer.status == 202 else { return try usable(Settled(object: first, isFinished: true)) }
    guard let operation = try await finish(answer, by: deadline) else {
      return Settled(object: first, isFinished: false)
    }
    console.tell("\(operation.title): done")
    let last = try await client.get(Kind.self, Kind.path(first.value.id))
    return try usable(Settled(object: last, isFinished: true))
  }

  /// Removes an object, and says whether it is gone already.
  /// - Throws: as `change`.
  func remove<Kind: Resource>(_ request: APIRequest, _ kind: Kind.Type) async throws -> Bool {
    let deadline = self.deadline
    let answer = try await client.send(preferring(request, kind))
    guard answer.status == 202 else { return true }
    return try await finish(answer, by: deadline) != nil
  }

  /// The end of the waiting that begins now.
  var deadline: ContinuousClock.Instant { ContinuousClock.now + .seconds(options.limit) }

  /// The request with the time that the server shall wait for the change to settle (RFC 7240, 4.3).
  func preferring<Kind: Resource>(_ request: APIRequest, _: Kind.Type) -> APIRequest {
    var request = request
    let longest = Kind.isBulky && console.terminalWidth != nil ? Self.watchedWait : Self.changeWait
    request.held = options.noWait ? 0 : min(longest, options.limit)
    request.headers["Prefer"] = options.noWait ? "respond-async" : "wait=\(request.held)"
    return request
  }

  private func usable<Kind>(_ settled: Settled<Kind>) throws -> Settled<Kind> {
    guard !options.noWait, let trouble = settled.object.value.trouble else { return settled }
    throw CommandFailure(.failed, trouble)
  }

  /// The operation when it is done; nil when nobody waits for it.
  private func finish(_ answer: APIAnswer, by deadline: ContinuousClock.Instant) async throws -> OperationView? {
    guard let operation = Self.operation(of: answer) else {
      console.tell("The server goes on with it, and did not say how to follow.")
      return nil
    }
    guard !options.noWait else {
      console.tell(Self.goesOn(operation))
      return nil
    }
    return try Self.successful(try await follow(operation, until: deadline).value)
  }

  /// Follows an operation to its end, as what there is to see of it; an end that is none is told by `successful`.
  /// - Throws: `CommandFailure`, also when the time is over.
  func watch(_ id: UUIDText) async throws -> Fetched<OperationView> { try await follow(id, until: deadline) }

  /// The id at the end of `Operation-Location`; where else that points is not followed.
  private static func operation(of answer: APIAnswer) -> UUIDText? {
    answer.headers["operation-location"]?.split(separator: "/").last.flatMap { UUIDText(String($0)) }
  }

  private func follow(_ id: UUIDText, until deadline: ContinuousClock.Instant) async throws -> Fetched<OperationView> {
    do {
      return try await Interruption.guarding(await interruptions()) { try await pursue(id, until: deadline) }
    } catch let failure as CommandFailure where failure == Interruption.failure {
      throw CommandFailure(failure.status, lines: failure.lines + [Self.goesOn(id)])
    }
  }

  private func pursue(_ id: UUIDText, until deadline: ContinuousClock.Instant) async throws -> Fetched<OperationView> {
    let line = ProgressLine(console: console)
    defer { line.end() }
    var stage: String?
    while true {
      let asked = ContinuousClock.now
      let fetched = try await question(id, seconds: asked.seconds(to: deadline))
      let operation = fetched.value
      if operation.isSettled { return fetched }
      show(operation, on: line, unless: stage)
      stage = operation.stage
      guard ContinuousClock.now < deadline else { throw timedOut(id) }
      try await Task.sleep(until: min(asked + pause, deadline))
    }
  }

  /// Moves the bar of an operation that counts; of others, and where there is no terminal, tells each stage once.
  private func show(_ operation: OperationView, on line: ProgressLine, unless told: String?) {
    if let progress = operation.progress, line.show(operation.stage, progress) { return }
    guard operation.stage != told else { return }
    line.clear()
    console.tell(operation.line)
  }

  private func question(_ id: UUIDText, seconds: Int) async throws -> Fetched<OperationView> {
    let held = min(console.terminalWidth == nil ? Self.operationWait : Self.watchedWait, seconds)
    let path = OperationView.path(id)
    do {
      return try await client.get(OperationView.self, path, query: [("wait", "\(held)")], held: held)
    } catch let failure as CommandFailure {
      throw CommandFailure(failure.status, lines: failure.lines + [Self.goesOn(id)])
    }
  }

  /// - Throws: `CommandFailure` for an operation that ended otherwise than done.
  @discardableResult
  static func successful(_ operation: OperationView) throws -> OperationView {
    switch OperationStatus(rawValue: operation.status) {
    case .failed:
      throw CommandFailure(.failed, operation.error?.message ?? "The operation \(operation.id) failed.")
    case .cancelled:
      throw CommandFailure(.failed, operation.error?.message ?? "The operation \(operation.id) was cancelled.")
    case .pending, .running, .done, nil: return operation
    }
  }

  private func timedOut(_ id: UUIDText) -> CommandFailure {
    CommandFailure(.timedOut, "Not done after \(options.limit) s.", Self.goesOn(id))
  }

  private static func goesOn(_ id: UUIDText) -> String {
    "The server goes on with it. To go on watching: iaas operation watch \(id)"
  }
}

extension ContinuousClock.Instant {
  /// Whole seconds from now to another moment, rounded up.
  func seconds(to end: ContinuousClock.Instant) -> Int { max(0, Int(((end - self) / .seconds(1)).rounded(.up))) }
}
