import Foundation
import ScenarioRunner
import Testing

import ResourceCache

/// What was sent, in order.
typealias Sent = Locked<[Attempt<Zone>]>

@Suite struct OutboxTests {
    let clock = StandingClock(wakes: true)
    let sent = Sent([])

    private func open(_ change: (inout Settings) -> Void = { _ in }) throws -> ResourceCache<Zone> {
        var settings = Settings()
        settings.retry = RetryPolicy(backoff: .linear(step: .seconds(1)))
        settings.seed = 1
        change(&settings)
        let cache = try ResourceCache<Zone>(settings: settings, clock: clock)
        try cache.merge(list)
        return cache
    }

    private var numbers: [Int] { sent.with { $0.map(\.number) } }

    /// Lets time pass to the next deadline, which must be this.
    private func pass(to ms: Int64) async throws {
        try await eventually("it sleeps until \(ms), not \(clock.deadlines)") { clock.deadlines == [ms] }
        clock.set(ms: ms)
    }

    @Test("what is queued is sent, tried again by its status, and has one key") func retrying() async throws {
        let cache = try open()
        let sender = Task { [sent] in
            try await cache.sendQueued { attempt in
                sent.with { $0.append(attempt) }
                if attempt.number < 3 { throw HTTPFailure(status: 503, "busy") }
                return nil
            }
        }
        try cache.queue(.update("a", ["name": "new"]))
        try await eventually("the first attempt failed") { try cache.row("a")?.status == .retrying }
        #expect(cache.current[0].value.name == "new")
        #expect(numbers == [1])
        try await pass(to: 1000)
        try await eventually("the second") { numbers == [1, 2] }
        try await pass(to: 3000)
        try await eventually("it was sent") { try cache.row("a")?.state == "updated" }
        #expect(numbers == [1, 2, 3])
        let all = sent.with { $0 }
        #expect(Set(all.map(\.key)).count == 1)
        #expect(all[0].kind == .update)
        #expect(all[0].value == Zone(id: "a", name: "new"))
        #expect(all[0].patch == Data(#"{"name":"new"}"#.utf8))
        #expect(try cache.queued() == 0)
        sender.cancel()
        try await sender.value
    }

    @Test("a status that is no use to try again fails, anything else backs off") func failing() async throws {
        let cache = try open()
        let outcomes = Task {
            var errors: [String: String?] = [:]
            for await changes in cache.changes {
                for outcome in changes.outcomes { errors[outcome.id] = outcome.error }
                if errors.count == 2 { break }
            }
            return errors
        }
        // So that the stream is there before what it is to tell.
        try await eventually("somebody follows") { cache.followerCount == 1 }
        let sender = Task { [sent] in
            try await cache.sendQueued { attempt in
                sent.with { $0.append(attempt) }
                if attempt.id == "a" { throw HTTPFailure(status: 409, "conflict") }
                throw Refused()
            }
        }
        try cache.queue(.delete("a"))
        try cache.queue(.delete("b"))
        try await eventually("both were sent") { numbers == [1, 1] }
        try await pass(to: 1000)
        try await eventually("one was sent again") { numbers == [1, 1, 2] }
        try await pass(to: 3000)
        #expect(await outcomes.value == ["a": "conflict", "b": "Refused()"])
        #expect(sent.with { $0.filter { $0.id == "a" }.count } == 1)
        sender.cancel()
        try await sender.value
    }

    @Test("offline nothing is sent; what was held is sent when the network is back") func offline() async throws {
        let cache = try open()
        let (network, says) = AsyncStream.makeStream(of: Bool.self)
        says.yield(false)
        let follower = Task { try await cache.followConnectivity(network) }
        try await eventually("it is offline") { try !cache.isOnline() }
        let sender = Task { [sent] in
            try await cache.sendQueued { attempt in
                sent.with { $0.append(attempt) }
                return nil
            }
        }
        try cache.queue(.delete("a"))
        try cache.queue(.create(Zone(id: "c")))
        #expect(shown(cache) == ["b", "c"])
        clock.set(ms: 100_000_000)
        try cache.handleTimeout()
        #expect(try cache.pollAttempt()?.id == nil)
        #expect(try cache.queued() == 2)
        #expect(numbers == [])
        says.yield(true)
        try await eventually("both were sent") { try cache.queued() == 0 }
        #expect(numbers == [1, 1])
        says.finish()
        try await follower.value
        #expect(try cache.isOnline())
        sender.cancel()
        try await sender.value
    }

    @Test("an attempt that is cut off counts as lost, and is sent again with its key") func cancelling() async throws {
        let cache = try open { $0.retry?.attemptTimeout = .seconds(5) }
        let first = Task { [sent] in
            try await cache.sendQueued { attempt in
                sent.with { $0.append(attempt) }
                try await Task.sleep(for: .seconds(60))
                return nil
            }
        }
        try cache.queue(.delete("a"))
        try cache.queue(.delete("b"))
        try await eventually("they are sent side by side") { numbers == [1, 1] }
        first.cancel()
        try await first.value
        #expect(try cache.queued() == 2)
        #expect(try cache.attempt(of: try #require(sent.with { $0.first }).operation)?.number == 1)
        let second = Task { [sent] in
            try await cache.sendQueued { attempt in
                sent.with { $0.append(attempt) }
                return Data()
            }
        }
        try await pass(to: 5000)
        try await pass(to: 6000)
        try await eventually("both were sent again") { try cache.queued() == 0 }
        let keys = sent.with { $0.map(\.key) }
        #expect(Set(keys[..<2]) == Set(keys[2...]) && keys.count == 4)
        second.cancel()
        try await second.value
    }

    @Test("an answer that the cache refuses ends the sending, and loses nothing") func refusing() async throws {
        let cache = try open()
        try cache.queue(.update("a", ["name": "new"]))
        await #expect(throws: ResourceCacheError.self) {
            try await cache.sendQueued { _ in Data("<html>".utf8) }
        }
        #expect(try cache.queued() == 1)
    }

    @Test("a sender that was cancelled lets the cache go") func lifetime() async throws {
        var held: ResourceCache<Zone>? = try open()
        let sender = Task { [held] in try await held?.sendQueued { _ in nil } }
        sender.cancel()
        try await sender.value
        weak var weakly = held
        held = nil
        try await eventually("it is gone") { weakly == nil }
    }

    @Test("what is wrong is refused by name") func negative() throws {
        func refused(_ change: (inout Settings) -> Void) -> String? {
            do {
                _ = try open(change)
                return nil
            } catch {
                guard case .badInput(let subject, _) = error as? ResourceCacheError else { return nil }
                return subject
            }
        }
        #expect(refused { $0.ttl = .seconds(-1) } == "ttl")
        #expect(refused { $0.maxUnderWay = -1 } == "maxUnderWay")
        #expect(refused { $0.retry?.retryable = [70_000] } == "status")
        #expect(refused { $0.retry?.backoff = .exponential(base: .seconds(1), cap: .seconds(-1)) } == "cap")
        #expect(refused { $0.progress[.process] = ProgressPlan(stages: [Stage("x", weight: -1)]) } == "weight")
        let cache = try open()
        #expect(throws: ResourceCacheError.self) { try cache.queue(.delete("a"), sendAfter: .seconds(-1)) }
        #expect(throws: ResourceCacheError.self) { try cache.markAsDeleting("a", minTTL: .seconds(-1)) }
        #expect(shown(cache) == ["a", "b"])
    }
}
