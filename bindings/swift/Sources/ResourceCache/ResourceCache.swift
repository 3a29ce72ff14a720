import Foundation
import ResourceCacheFFI

/// One list of resources that stays right while the server catches up.
///
/// It keeps what the server last said and what this client has asked for apart, and computes what to show. Give it
/// what list calls answer by ``merge(_:since:coverage:)``; wrap what changes the server in ``deleting(_:minTTL:isolation:_:)``
/// and its like. It may be used from any task; every call locks once, and none waits.
///
/// Deadlines, such as how long an error is shown, are kept by a task of its own, which ends with it.
public final class ResourceCache<Value: Codable & Sendable & Identifiable>: Sendable
where Value.ID: LosslessStringConvertible & Sendable {
    package let core: JsonCache
    let hands: ManualClock
    let time: Time
    private let decoder: JSONDecoder
    private let encoder: JSONEncoder
    private let state = Locked(State())
    private let subscription = Locked<UInt64?>(nil)

    private struct State {
        var mirror = Mirror<Value>()
        /// Whether the mirror was filled once.
        var isFollowing = false
        var readers: [UUID: AsyncStream<[Row<Value>]>.Continuation] = [:]
        var followers: [UUID: AsyncStream<Changes>.Continuation] = [:]
        /// Who is told that something was done.
        var pulses: [UUID: AsyncStream<Void>.Continuation] = [:]
        var waiting: (until: Int64, task: Task<Void, Never>)?
    }

    /// An empty collection: nothing is known of the server yet.
    ///
    /// - Parameters:
    ///   - settings: Where the server's answers keep things, and how long what lasts.
    ///   - clock: Measures time; the default counts sleep, and does not step back.
    ///   - decoder: Reads values.
    ///   - encoder: Writes values.
    public convenience init(
        settings: Settings = Settings(),
        clock: some Clock<Duration> = ContinuousClock(),
        decoder: JSONDecoder = JSONDecoder(),
        encoder: JSONEncoder = JSONEncoder()
    ) throws(ResourceCacheError) {
        try self.init(settings, clock, decoder, encoder) { hands throws(ResourceCacheError) in
            let config = try settings.config()
            return try typed { try JsonCache(config: config, schema: settings.schema, clock: hands) }
        }
    }

    /// A collection as ``save()`` wrote it, with the same settings. What has become due since is done.
    public convenience init(
        restoring saved: Data,
        settings: Settings = Settings(),
        clock: some Clock<Duration> = ContinuousClock(),
        decoder: JSONDecoder = JSONDecoder(),
        encoder: JSONEncoder = JSONEncoder()
    ) throws(ResourceCacheError) {
        try self.init(settings, clock, decoder, encoder) { hands throws(ResourceCacheError) in
            let config = try settings.config()
            return try typed {
                try JsonCache.restore(saved: saved, config: config, schema: settings.schema, clock: hands)
            }
        }
    }

    /// Opens a list of a store by its key, a new one where there is none; what has become due since is done. Every call
    /// that changes something commits it before it returns, so that it survives the death of the process. Give the same
    /// settings each time.
    public convenience init(
        opening store: Store,
        key: String = "default",
        settings: Settings = Settings(),
        clock: some Clock<Duration> = ContinuousClock(),
        decoder: JSONDecoder = JSONDecoder(),
        encoder: JSONEncoder = JSONEncoder()
    ) throws(ResourceCacheError) {
        try self.init(settings, clock, decoder, encoder) { hands throws(ResourceCacheError) in
            let config = try settings.config()
            return try typed {
                try JsonCache.open(
                    store: store.core, key: key, config: config, schema: settings.schema, clock: hands)
            }
        }
    }

    private init(
        _ settings: Settings, _ clock: some Clock<Duration>, _ decoder: JSONDecoder,
        _ encoder: JSONEncoder, make: (ManualClock) throws(ResourceCacheError) -> JsonCache
    ) throws(ResourceCacheError) {
        let time = Time(clock, epoch: settings.epoch ?? Date())
        let hands = ManualClock(nowMs: time.now())
        self.time = time
        self.hands = hands
        self.decoder = decoder
        self.encoder = encoder
        core = try make(hands)
        catchUp()
        let observer = Observer { [weak self] in self?.catchUp() }
        let number = core.subscribe(observer: observer)
        subscription.with { $0 = number }
    }

    deinit {
        if let number = subscription.with({ $0 }) { _ = core.unsubscribe(subscription: number) }
        state.with { state in
            state.waiting?.task.cancel()
            state.readers.values.forEach { $0.finish() }
            state.followers.values.forEach { $0.finish() }
            state.pulses.values.forEach { $0.finish() }
        }
    }

    /// Changes something by the clock's time. A poll of the outbox is no news to who polls.
    @discardableResult
    package func change(
        isPoll: Bool = false, _ call: (JsonCache) throws -> Applied
    ) throws(ResourceCacheError) -> Changes {
        try changing(isPoll: isPoll) { try Changes(call($0)) }
    }

    /// The same for what answers something else.
    func changing<R>(isPoll: Bool = false, _ call: (JsonCache) throws -> R) throws(ResourceCacheError) -> R {
        setTime()
        let answer = try typed { try call(core) }
        state.with { state in
            // The observer is told of what shows alone; what is to be sent has deadlines as well.
            wait(&state)
            if !isPoll { state.pulses.values.forEach { $0.yield() } }
        }
        return answer
    }

    /// Beats once now, then after what was done since the last beat was taken.
    func pulse() -> (AsyncStream<Void>, AsyncStream<Void>.Continuation) {
        let (stream, beat) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = UUID()
        beat.onTermination = { [weak self] _ in self?.state.with { $0.pulses[id] = nil } }
        state.with { $0.pulses[id] = beat }
        beat.yield()
        return (stream, beat)
    }

    /// Gives the library the clock's time.
    func setTime() { hands.setMs(nowMs: time.now()) }

    func ask<R>(_ call: (JsonCache) throws -> R) throws(ResourceCacheError) -> R {
        try typed { try call(core) }
    }

    func encode(_ value: some Encodable) throws(ResourceCacheError) -> Data {
        try typed { try encoder.encode(value) }
    }

    func decode<R: Decodable>(_: R.Type, _ text: String) throws -> R { try decode(R.self, Data(text.utf8)) }

    func decode<R: Decodable>(_: R.Type, _ text: Data) throws -> R { try decoder.decode(R.self, from: text) }
}

// MARK: - What is shown

extension ResourceCache {
    /// The visible rows, in order.
    public var current: [Row<Value>] { state.with { $0.mirror.rows } }

    /// Every visible row's key, also of those that cannot be decoded.
    package var currentKeys: [UInt64] { state.with { $0.mirror.keys } }

    /// Why the values of some resources cannot be decoded, by their ids. They are not among the rows.
    public var unreadable: [String: String] { state.with { $0.mirror.unreadable } }

    /// The visible rows: as they are now, then after every change. A slow reader gets the newest.
    public var rows: AsyncStream<[Row<Value>]> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: [Row<Value>].self, bufferingPolicy: .bufferingNewest(1))
        let id = UUID()
        continuation.onTermination = { [weak self] _ in self?.state.with { $0.readers[id] = nil } }
        state.with { state in
            state.readers[id] = continuation
            continuation.yield(state.mirror.rows)
        }
        return stream
    }

    /// What changes from now on; every change is told once, in order.
    public var changes: AsyncStream<Changes> {
        let (stream, continuation) = AsyncStream.makeStream(of: Changes.self)
        let id = UUID()
        continuation.onTermination = { [weak self] _ in self?.state.with { $0.followers[id] = nil } }
        state.with { $0.followers[id] = continuation }
        return stream
    }

    /// How many follow the changes.
    package var followerCount: Int { state.with { $0.followers.count } }

    /// Takes what has changed since the last time, and sets the next deadline.
    private func catchUp() {
        state.with { state in
            let before = state.mirror.revision
            do {
                if state.isFollowing, let applied = try core.changesSince(revision: before) {
                    try state.mirror.take(applied, decoder: decoder)
                    if applied.revision > before {
                        let changes = try Changes(applied)
                        state.followers.values.forEach { $0.yield(changes) }
                    }
                } else {
                    state.isFollowing = true
                    let revision = try core.revision()
                    try state.mirror.take(visible: try core.visible(), revision: revision, decoder: decoder)
                }
            } catch {
                // A broken cache: every call says so; what was shown last stays.
                return
            }
            if state.mirror.revision != before, !state.readers.isEmpty {
                let rows = state.mirror.rows
                state.readers.values.forEach { $0.yield(rows) }
            }
            wait(&state)
        }
    }

    /// Sleeps until the next deadline.
    private func wait(_ state: inout State) {
        let next = try? core.pollTimeoutMs()
        guard next != state.waiting?.until else { return }
        state.waiting?.task.cancel()
        state.waiting = nil
        guard let next else { return }
        let task = Task { [weak self, time] in
            guard (try? await time.sleep(next)) != nil, !Task.isCancelled else { return }
            self?.isDue(next)
        }
        state.waiting = (next, task)
    }

    private func isDue(_ deadline: Int64) {
        state.with { if $0.waiting?.until == deadline { $0.waiting = nil } }
        _ = try? handleTimeout()
        state.with { wait(&$0) }
    }
}

/// Tells of changes. The cache holds it, so that it must not hold the cache.
private final class Observer: ChangeObserver {
    private let tell: @Sendable () -> Void

    init(_ tell: @escaping @Sendable () -> Void) { self.tell = tell }

    func changed(revision: UInt64) { tell() }
}
