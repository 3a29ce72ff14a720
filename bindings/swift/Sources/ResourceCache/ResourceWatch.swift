import Foundation
import ResourceCacheFFI

/// Keeps a cache right by lists and a stream of events: it decides when to list, from where to watch, and when to try
/// again, and has a ``WatchTransport`` make the calls.
///
/// ```swift
/// let watch = ResourceWatch(zones, by: transport)
/// let watching = Task { try await watch.run() }
/// try await watch.synced()
/// ```
public final class ResourceWatch<Value: Codable & Sendable & Identifiable>: Sendable
where Value.ID: LosslessStringConvertible & Sendable {
    private let cache: ResourceCache<Value>
    private let transport: any WatchTransport
    private let settings: ResourceCacheFFI.WatchSettings
    private let told: @Sendable (String) -> Void
    private let state: Locked<State>

    private struct State {
        var session: WatchSession
        /// What makes the next look at what is to be done; `nil` while it does not run.
        var beat: AsyncStream<Void>.Continuation?
        var isOnline = true
        /// The calls that are under way.
        var calls: [UInt64: Task<Void, Never>] = [:]
        var alarm: (at: Int64, task: Task<Void, Never>)?
        var status: WatchStatus
        var readers: [UUID: AsyncStream<WatchStatus>.Continuation] = [:]
    }

    /// A watch that does nothing before ``run()``.
    ///
    /// - Parameters:
    ///   - cache: What it keeps right, by the cache's settings: see ``Settings/kubernetes()``.
    ///   - transport: Makes the calls.
    ///   - settings: How it behaves.
    ///   - position: From where it goes on, as it was saved with the cache's state; otherwise it begins with a list.
    ///   - told: Is told of what cannot be read, or is refused, for a log.
    public init(
        _ cache: ResourceCache<Value>, by transport: any WatchTransport, settings: WatchSettings = WatchSettings(),
        position: WatchPosition? = nil, told: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(ResourceCacheError) {
        self.cache = cache
        self.transport = transport
        let written = try settings.core()
        self.settings = written
        self.told = told
        let session = try typed {
            try WatchSession(cache: cache.core, settings: written, position: position?.core)
        }
        state = Locked(State(session: session, status: WatchStatus(session)))
    }

    deinit { state.with { $0.readers.values.forEach { $0.finish() } } }

    /// Watches until the caller's task is cancelled. Run anew, it goes on where it stopped. It ends by itself only when
    /// the cache is broken, or it runs already; that is thrown.
    public func run() async throws(ResourceCacheError) {
        let (beats, beat) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try begin(beat)
        beat.yield()
        var problem: ResourceCacheError?
        do throws(ResourceCacheError) {
            for await _ in beats { try act() }
        } catch {
            problem = error
        }
        let calls = end()
        calls.forEach { $0.cancel() }
        for call in calls { await call.value }
        if let problem { throw problem }
    }

    /// What it is about: as it is now, then whenever that changes. A slow reader gets the newest.
    public var statuses: AsyncStream<WatchStatus> {
        let (stream, continuation) = AsyncStream.makeStream(of: WatchStatus.self, bufferingPolicy: .bufferingNewest(1))
        let id = UUID()
        continuation.onTermination = { [weak self] _ in self?.state.with { $0.readers[id] = nil } }
        state.with { state in
            state.readers[id] = continuation
            continuation.yield(state.status)
        }
        return stream
    }

    /// What it is about.
    public var status: WatchStatus { state.with { $0.status } }

    /// Waits until all that the server has told so far is in the cache.
    public func synced() async throws(CancellationError) {
        for await status in statuses where status.isSynced { return }
        throw CancellationError()
    }

    /// From where another watch could go on, with the cache as it is now; `nil` when it would have to begin with a list.
    public var position: WatchPosition? { state.with { $0.session.position() }.map(WatchPosition.init) }

    /// Whether there is a network: the watch is told, and the cache's outbox.
    public func setOnline(_ online: Bool) throws(ResourceCacheError) {
        try cache.setOnline(online)
        state.with { state in
            state.isOnline = online
            state.session.setOnline(online: online)
            state.beat?.yield()
        }
    }

    /// Lists again, as soon as the settings allow: something may have been missed.
    public func relist() {
        cache.setTime()
        state.with { state in
            state.session.relist()
            state.beat?.yield()
        }
    }

    private func begin(_ beat: AsyncStream<Void>.Continuation) throws(ResourceCacheError) {
        cache.setTime()
        try typed {
            try state.with { state in
                guard state.beat == nil else {
                    throw ResourceCacheError.badInput(subject: "watch", problem: "watch: it runs already")
                }
                // What was under way when it ended is not waited for.
                let position = state.session.position()
                state.session = try WatchSession(cache: cache.core, settings: settings, position: position)
                state.session.setOnline(online: state.isOnline)
                state.beat = beat
                tell(&state)
            }
        }
    }

    private func end() -> [Task<Void, Never>] {
        state.with { state in
            state.beat?.finish()
            state.beat = nil
            state.alarm?.task.cancel()
            state.alarm = nil
            defer { state.calls = [:] }
            return Array(state.calls.values)
        }
    }

    /// Does what the session asks for.
    private func act() throws(ResourceCacheError) {
        var problems: [String] = []
        // Not while it is locked: both run code of others.
        var closed: [Task<Void, Never>] = []
        defer {
            closed.forEach { $0.cancel() }
            problems.forEach(told)
        }
        try cache.changing { _ in
            try state.with { state in
                guard state.beat != nil else { return }
                while let action = try state.session.poll() {
                    switch action {
                    case .applied: break
                    case .refused(let problem): problems.append(problem)
                    case .listCall(let number, let limit, let token, let oldest, let query):
                        let call = ListCall(
                            limit: limit.map(Int.init), continueToken: token, notOlderThan: oldest, query: items(query))
                        state.calls[number] = Task { await self.list(number, call) }
                    case .watchCall(let number, let version, let sequence, let bookmarks, let initial, let query):
                        let call = StreamCall(
                            version: version, sequence: sequence, bookmarks: bookmarks, initialEvents: initial,
                            query: items(query))
                        state.calls[number] = Task { await self.stream(number, call) }
                    case .close(let number): closed += [state.calls.removeValue(forKey: number)].compactMap { $0 }
                    }
                }
                wait(&state)
                tell(&state)
            }
        }
    }

    /// Looks again when something is due.
    private func wait(_ state: inout State) {
        let next = state.session.pollTimeoutMs()
        guard next != state.alarm?.at else { return }
        state.alarm?.task.cancel()
        state.alarm = nil
        guard let next, let beat = state.beat else { return }
        let task = Task { [cache, state = self.state] in
            guard (try? await cache.time.sleep(next)) != nil, !Task.isCancelled else { return }
            state.with { if $0.alarm?.at == next { $0.alarm = nil } }
            beat.yield()
        }
        state.alarm = (next, task)
    }

    private func tell(_ state: inout State) {
        let status = WatchStatus(state.session)
        guard status != state.status else { return }
        state.status = status
        state.readers.values.forEach { $0.yield(status) }
    }

    private func list(_ number: UInt64, _ call: ListCall) async {
        do {
            let answer = try await transport.list(call)
            hand { $0.handleList(call: number, answer: answer) }
        } catch {
            failed(number, error)
        }
        ended(number)
    }

    private func stream(_ number: UInt64, _ call: StreamCall) async {
        do {
            let messages = try await transport.open(call)
            hand { session in
                session.handleOpened(call: number)
                return nil
            }
            state.with { _ = $0.beat?.yield() }
            for try await message in messages {
                heard(number, message)
                // At once, so that what waits to be applied does not grow.
                try act()
            }
            hand { session in
                session.handleClosed(call: number)
                return nil
            }
        } catch {
            failed(number, error)
        }
        ended(number)
    }

    private func heard(_ number: UInt64, _ message: WatchMessage) {
        hand { session in
            if message.isEmpty {
                session.handleHeard(call: number)
                return nil
            }
            return session.handleMessage(call: number, message: message.data, word: message.word)
        }
    }

    private func failed(_ number: UInt64, _ error: any Error) {
        // What was closed, or ended with the watch, has not failed.
        if Task.isCancelled { return }
        hand { session in
            guard let failure = error as? HTTPFailure, let status = UInt16(exactly: failure.status) else {
                session.handleFailed(call: number, failure: WatchFailure(problem: "\(error)"))
                return nil
            }
            let wait = failure.retryAfter.flatMap { try? $0.ms("retryAfter") }
            if let body = failure.body {
                session.handleStatus(call: number, status: status, body: body, retryAfterMs: wait)
            } else {
                let problem = failure.description
                session.handleFailed(
                    call: number, failure: WatchFailure(status: status, problem: problem, retryAfterMs: wait))
            }
            return nil
        }
    }

    /// Hands something in, by the time of now; tells what is wrong with it.
    private func hand(_ act: (WatchSession) -> String?) {
        cache.setTime()
        if let problem = act(state.with { $0.session }) { told(problem) }
    }

    private func ended(_ number: UInt64) {
        state.with { state in
            state.calls[number] = nil
            state.beat?.yield()
        }
    }
}

private func items(_ query: [QueryParameter]) -> [URLQueryItem] {
    query.map { URLQueryItem(name: $0.name, value: $0.value) }
}
