import Foundation
import ScenarioRunner
import Testing

import ResourceCache

/// A server in the test's hands: what is asked of it waits until the test answers.
private final class Server: WatchTransport {
    typealias Messages = AsyncThrowingStream<WatchMessage, any Error>

    private struct State {
        var lists: [ListCall] = []
        var streams: [StreamCall] = []
        var answers: [Result<Data, HTTPFailure>] = []
        var open: Messages.Continuation?
        var closed = 0
    }
    private let state = Locked(State())

    var lists: [ListCall] { state.with { $0.lists } }
    var streams: [StreamCall] { state.with { $0.streams } }
    /// How many streams were ended by the watch.
    var closed: Int { state.with { $0.closed } }

    /// The next list call gets this; one for which there is none waits until it is cancelled.
    func answer(_ answer: Result<Data, HTTPFailure>) { state.with { $0.answers.append(answer) } }

    func tell(_ message: String, word: String? = nil) {
        let open = state.with { $0.open }
        open?.yield(WatchMessage(Data(message.utf8), word: word))
    }

    func drop(_ error: (any Error)? = nil) {
        let open = state.with { $0.open }
        open?.finish(throwing: error)
    }

    func list(_ call: ListCall) async throws -> Data {
        let answer = state.with { state -> Result<Data, HTTPFailure>? in
            state.lists.append(call)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        guard let answer else {
            try await Task.sleep(for: .seconds(60))
            throw Refused()
        }
        return try answer.get()
    }

    func open(_ call: StreamCall) async throws -> Messages {
        let (stream, continuation) = Messages.makeStream()
        continuation.onTermination = { [weak self] reason in
            if case .cancelled = reason { self?.state.with { $0.closed += 1 } }
        }
        state.with { state in
            state.streams.append(call)
            state.open = continuation
        }
        return stream
    }
}

private struct Pod: Codable, Sendable, Identifiable, Equatable {
    struct Meta: Codable, Sendable, Equatable { var name: String, resourceVersion: String }
    var metadata: Meta
    var id: String { metadata.name }
}

private func pod(_ name: String, _ version: Int) -> String {
    #"{"metadata":{"name":"\#(name)","namespace":"n","uid":"u-\#(name)","resourceVersion":"\#(version)"}}"#
}

private func pods(_ names: [String], at version: Int) -> Result<Data, HTTPFailure> {
    let items = names.map { pod($0, 1) }.joined(separator: ",")
    return .success(Data(#"{"metadata":{"resourceVersion":"\#(version)"},"items":[\#(items)]}"#.utf8))
}

private func event(_ type: String, _ name: String, _ version: Int) -> String {
    #"{"type":"\#(type)","object":\#(pod(name, version))}"#
}

@Suite struct WatchTests {
    private let clock = StandingClock(wakes: true)
    private let server = Server()
    private let cache: ResourceCache<Pod>
    private let now = Locked<Int64>(0)
    private let problems = Locked<[String]>([])

    init() throws { cache = try ResourceCache(settings: .kubernetes(), clock: clock) }

    private func watch(
        _ settings: WatchSettings = WatchSettings(), from position: WatchPosition? = nil
    ) throws -> ResourceWatch<Pod> {
        let problems = problems
        return try ResourceWatch(cache, by: server, settings: settings, position: position) { problem in
            problems.with { $0.append(problem) }
        }
    }

    /// Goes on to the end of a wait, but not to that of a list call's patience, which is a minute.
    private func step() {
        now.with { now in
            guard let next = clock.deadlines.first, next - now <= 35_000 else { return }
            now = max(now, next)
            clock.set(ms: now)
        }
    }

    private var names: [String] { cache.current.map(\.value.metadata.name) }

    /// Runs a watch around what the test does, and ends it.
    private func running(_ watch: ResourceWatch<Pod>, _ act: () async throws -> Void) async throws {
        let task = Task { try await watch.run() }
        do {
            try await act()
        } catch {
            task.cancel()
            throw error
        }
        task.cancel()
        try await task.value
    }

    @Test("it lists, then follows the stream") func following() async throws {
        server.answer(pods(["a", "b"], at: 10))
        let watch = try watch()
        #expect(!watch.status.isSynced)
        try await running(watch) {
            try await watch.synced()
            #expect(names == ["a", "b"])
            #expect(server.lists.map(\.limit) == [500])
            #expect(server.lists[0].query.contains(URLQueryItem(name: "limit", value: "500")))
            try await eventually("it watches from there") { server.streams.map(\.version) == ["10"] }
            #expect(server.streams[0].query.contains(URLQueryItem(name: "watch", value: "true")))
            server.tell(event("ADDED", "c", 11))
            server.tell(event("DELETED", "a", 12))
            server.tell("\n")
            try await eventually("it follows") { names == ["b", "c"] }
            try await eventually("it is known how far") { watch.position == WatchPosition(version: "12") }
            #expect(watch.status.activity == .watching)
        }
        try await eventually("the stream is closed with it") { server.closed == 1 }
        #expect(problems.with { $0 }.isEmpty)
    }

    @Test("a stream that breaks goes on from where it was, and a watch that ended as well") func resuming() async throws {
        server.answer(pods(["a"], at: 10))
        let watch = try watch()
        try await running(watch) {
            try await eventually("it watches") { server.streams.count == 1 }
            server.tell(event("ADDED", "b", 11))
            try await eventually("it follows") { names == ["a", "b"] }
            server.drop()
            try await eventually("it asks again") {
                step()
                return server.streams.map(\.version) == ["10", "11"]
            }
        }
        try await running(watch) {
            try await eventually("it goes on") { server.streams.map(\.version) == ["10", "11", "11"] }
        }
        #expect(server.lists.count == 1)
        let saved = try JSONDecoder().decode(WatchPosition.self, from: JSONEncoder().encode(watch.position))
        let next = try self.watch(from: saved)
        try await running(next) {
            try await eventually("another goes on") { server.streams.last?.version == "11" && server.streams.count == 4 }
        }
        #expect(server.lists.count == 1)
    }

    @Test("a refusal is told, waited for, and got over") func failing() async throws {
        let expired = #"{"kind":"Status","status":"Failure","message":"try later","reason":"TooManyRequests","code":429}"#
        server.answer(.failure(HTTPFailure(status: 429, "later", retryAfter: .seconds(7), body: Data(expired.utf8))))
        let watch = try watch()
        try await running(watch) {
            try await eventually("it has failed") { watch.status.activity == .backingOff }
            #expect(watch.status.failure == "HTTP 429: try later")
            #expect(!watch.status.isSynced)
            server.answer(.failure(HTTPFailure(status: 500, "broken")))
            try await eventually("it sleeps") { clock.deadlines == [7000] }
            step()
            try await eventually("it has failed again") { watch.status.failure == "HTTP 500: broken" }
            server.answer(pods(["a"], at: 10))
            try await eventually("it has listed") {
                step()
                return names == ["a"]
            }
            try await eventually("it is forgotten") { watch.status.failure == nil }
            server.drop(Refused())
            try await eventually("the stream has failed") { watch.status.failure == "Refused()" }
        }
    }

    @Test("a message that cannot be read is told, and leads to a list") func unreadable() async throws {
        server.answer(pods(["a"], at: 10))
        let watch = try watch()
        try await running(watch) {
            try await eventually("it watches") { server.streams.count == 1 }
            server.answer(pods(["b"], at: 20))
            server.tell("nonsense")
            try await eventually("it lists again") {
                step()
                return names == ["b"]
            }
        }
        #expect(problems.with { $0.count } == 1)
    }

    @Test("offline it asks nothing, and lists again when it is told to") func offline() async throws {
        let watch = try watch()
        try watch.setOnline(false)
        try await running(watch) {
            try await eventually("it is offline") { watch.status.activity == .offline }
            #expect(try !cache.isOnline())
            #expect(server.lists.isEmpty)
            server.answer(pods(["a"], at: 10))
            try watch.setOnline(true)
            try await eventually("it watches") { server.streams.count == 1 }
            server.answer(pods(["a", "b"], at: 20))
            watch.relist()
            try await eventually("it lists again") {
                step()
                return names == ["a", "b"]
            }
        }
    }

    @Test("it runs once at a time, and a cancelled wait ends") func once() async throws {
        let watch = try watch()
        try await running(watch) {
            try await eventually("it runs") { server.lists.count == 1 }
            await #expect(throws: ResourceCacheError.self) { try await watch.run() }
            let waiting = Task { try await watch.synced() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }

    @Test("a feed is read by its words") func feed() async throws {
        var feed = Feed(resource: "/zone")
        feed.sequence = "/n"
        feed.words = [.modified: ["set"], .ignored: ["*"]]
        var settings = WatchSettings(feed: feed)
        settings.resume = .sequence
        let cache = try ResourceCache<Zone>(clock: clock)
        let watch = try ResourceWatch(cache, by: server, settings: settings)
        let task = Task { try await watch.run() }
        defer { task.cancel() }
        server.answer(.success(list))
        try await eventually("the stream comes first, then the list") { shown(cache) == ["a", "b"] }
        server.tell(#"{"n":1,"zone":{"id":"c","name":"three"}}"#, word: "set")
        server.tell(#"{"n":2}"#, word: "unheard of")
        try await eventually("it follows") { shown(cache) == ["a", "b", "c"] }
        #expect(server.streams.count == 1)
    }

    @Test("settings out of range are refused") func refusing() throws {
        var settings = WatchSettings()
        settings.idleAfter = .seconds(-1)
        #expect(throws: ResourceCacheError.self) { try watch(settings) }
        settings = WatchSettings()
        settings.limit = -1
        #expect(throws: ResourceCacheError.self) { try watch(settings) }
    }
}
