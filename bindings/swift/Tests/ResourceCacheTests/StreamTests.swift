import Foundation
import ScenarioRunner
import Testing

import ResourceCache

/// Waits for something, for ten seconds at most.
func eventually(
    _ what: Comment, isolation: isolated (any Actor)? = #isolation, _ holds: () throws -> Bool
) async throws {
    for _ in 0..<2000 {
        if try holds() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what)
}

@Suite struct StreamTests {
    @Test("rows come as they are, then after every change") func rows() async throws {
        let cache = try ResourceCache<Zone>()
        try cache.merge(list)
        var rows = cache.rows.makeAsyncIterator()
        #expect(await rows.next()?.map(\.value.name) == ["one", "two"])
        try cache.markAsDeleting("a")
        #expect(await rows.next()?.map(\.resourceID) == ["b"])
    }

    @Test("a slow reader gets the newest rows") func slow() async throws {
        let cache = try ResourceCache<Zone>()
        let stream = cache.rows
        for number in 0..<100 { try cache.merge(Data(#"[{"id":"a","name":"\#(number)"}]"#.utf8)) }
        var rows = stream.makeAsyncIterator()
        #expect(await rows.next()?.first?.value.name == "99")
    }

    @Test("every change is told once, in order") func changes() async throws {
        let cache = try ResourceCache<Zone>()
        var changes = cache.changes.makeAsyncIterator()
        try cache.merge(list)
        let operation = try #require(try cache.markAsDeleting("a").operations.first)
        try cache.acknowledge(operation)
        try cache.merge(Data(#"[{"id":"b","name":"two"}]"#.utf8))
        let first = try #require(await changes.next())
        #expect(first.upserted == 2)
        let second = try #require(await changes.next())
        #expect(second.removed.count == 1)
        #expect(second.revision > first.revision)
        var outcomes: [Outcome.Settlement] = []
        while outcomes.isEmpty, let next = await changes.next() { outcomes = next.outcomes.map(\.settlement) }
        #expect(outcomes == [.confirmed])
    }

    @Test("T4: deadlines are kept by the clock that was given") func deadlines() async throws {
        let clock = StandingClock(wakes: true)
        let cache = try ResourceCache<Zone>(clock: clock)
        try cache.merge(list)
        await #expect(throws: Refused.self) { try await cache.updating("a", ["name": "x"]) { () -> Void in throw Refused() } }
        #expect(cache.current[0].metadata?.error != nil)
        try await eventually("it sleeps until the error was shown") { clock.deadlines == [5000] }
        clock.set(ms: 4999)
        #expect(cache.current[0].metadata?.error != nil)
        clock.set(ms: 5000)
        try await eventually("the error was shown") { cache.current[0].metadata == nil }
    }

    @Test("time goes on by the default clock") func system() async throws {
        var settings = Settings()
        settings.errorShown = .milliseconds(30)
        let cache = try ResourceCache<Zone>(settings: settings)
        try cache.merge(list)
        await #expect(throws: Refused.self) { try await cache.deleting("a") { throw Refused() } }
        try await eventually("the error was shown") { cache.current[0].metadata == nil }
    }

    @Test("the model for views follows, and lets go") @MainActor func model() async throws {
        let cache = try ResourceCache<Zone>()
        try cache.merge(list)
        var model: ResourceList? = ResourceList(cache)
        #expect(model?.rows.map(\.resourceID) == ["a", "b"])
        try cache.markAsDeleting("b")
        try await eventually("it follows") { model?.rows.map(\.resourceID) == ["a"] }
        weak var weakly = model
        model = nil
        try await eventually("it is gone") { weakly == nil }
    }

    @Test("a cache ends its streams and its task when it goes") func lifetime() async throws {
        let clock = StandingClock(wakes: true)
        var cache: ResourceCache<Zone>? = try ResourceCache(clock: clock)
        try cache?.merge(list)
        try cache?.markAsDeleting("a")
        let stream = try #require(cache).rows
        try await eventually("it sleeps") { clock.deadlines.count == 1 }
        weak var weakly = cache
        cache = nil
        #expect(weakly == nil)
        for await _ in stream {}
        try await eventually("its task has ended") { clock.deadlines.isEmpty }
    }

    @Test("many tasks at once lose nothing") func stress() async throws {
        let cache = try ResourceCache<Zone>()
        let ids = (0..<200).map { "z\($0)" }
        let all = try JSONEncoder().encode(ids.map { Zone(id: $0, name: "old") })
        try cache.merge(all)
        await withTaskGroup(of: Void.self) { group in
            for id in ids {
                group.addTask {
                    _ = try? await cache.updating(id, ["name": "new"]) { await Task.yield() }
                }
            }
            group.addTask { for _ in 0..<20 { _ = try? cache.merge(all) } }
        }
        #expect(cache.current.map(\.value.name) == Array(repeating: "new", count: 200))
        #expect(cache.current.map(\.resourceID) == ids)
    }
}
