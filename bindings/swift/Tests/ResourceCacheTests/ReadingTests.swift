import Foundation
import ScenarioRunner
import Testing

import ResourceCache

@Suite struct ReadingTests {
    let clock = StandingClock(wakes: false)
    let cache: ResourceCache<Zone>

    init() throws {
        var settings = Settings()
        settings.epoch = Date(timeIntervalSince1970: 1000)
        settings.progress = [
            .process: ProgressPlan(
                stages: [Stage("signing", expected: .seconds(40)), Stage("done", weight: 0, end: .complete)],
                stalledAfter: .seconds(20))
        ]
        cache = try ResourceCache(settings: settings, clock: clock)
        try cache.merge(list)
    }

    private func begun(_ changes: Changes) throws -> OperationID { try #require(changes.operations.first) }

    @Test("hidden rows are among all, and visible ones counted") func hidden() throws {
        let operation = try begun(cache.markAsDeleting("a"))
        #expect(try cache.all().map(\.resourceID) == ["a", "b"])
        #expect(try cache.rows(with: .deleting).map(\.resourceID) == ["a"])
        for status in ResourceStatus.allCases where status != .deleting {
            #expect(try cache.rows(with: status).isEmpty)
        }
        #expect(try (cache.visibleCount(), cache.rowCount()) == (1, 2))
        #expect(try (cache.isVisible("a"), cache.isVisible("b")) == (false, true))
        #expect(try (cache.isProcessing("a"), cache.isProcessing("b")) == (true, false))
        #expect(try (cache.state("a"), cache.state("none")) == ("deleting", nil))
        let info = try #require(try cache.operations("a").first)
        #expect((info.id, info.kind, info.state) == (operation, .delete, "deleting"))
        let key = try #require(try cache.row("a")?.id)
        #expect(try cache.row(key: key)?.resourceID == "a")
        #expect(try cache.row(key: 999) == nil)
    }

    @Test("each status finds its rows") func statuses() throws {
        try cache.markAsUpdating("a", ["name": "x"])
        #expect(try cache.rows(with: .updating).map(\.resourceID) == ["a"])
        try cache.markAsProcessing("b")
        #expect(try cache.rows(with: .processing).map(\.resourceID) == ["b"])
        let operation = try begun(cache.addAsCreating(Zone(id: "c")))
        #expect(try cache.rows(with: .creating).map(\.resourceID) == ["c"])
        try cache.fail(operation, "no", retry: .afterBackoff)
        #expect(try cache.rows(with: .retrying).map(\.resourceID) == ["c"])
    }

    @Test("an explanation has its parts, and says them") func explaining() throws {
        let operation = try begun(cache.markAsDeleting("a"))
        let why = try cache.explain("a")
        #expect((why.id, why.state, why.visible, why.operation) == ("a", "deleting", false, operation))
        #expect(why.rule != nil && !why.why.isEmpty)
        #expect("\(why)".contains(why.why))
        #expect(try cache.explain("none").state == nil)
    }

    @Test("times are dates of the cache's clock") func times() throws {
        #expect(try cache.nextPoll() == nil)
        let operation = try begun(cache.markAsDeleting("a"))
        try cache.fail(operation, "no", retry: .after(.seconds(3)))
        let deadlines = try cache.deadlines()
        #expect(deadlines.first?.operation == operation)
        #expect(deadlines.first?.id == "a")
        #expect(deadlines.contains { $0.reason == "retry" && $0.at == Date(timeIntervalSince1970: 1003) })
        #expect(try cache.nextDeadline() == deadlines.first?.at)
        #expect(try cache.nextPoll() != nil)
        clock.set(ms: 1000)
        try cache.cancel(operation)
        let outcome = try #require(try cache.outcomes().first)
        #expect((outcome.operation, outcome.id, outcome.kind, outcome.settlement) == (operation, "a", .delete, .cancelled))
        #expect(outcome.at == Date(timeIntervalSince1970: 1001))
    }

    @Test("progress says when it is expected to be done, and that it has stalled") func progress() throws {
        try cache.markAsProcessing("a")
        try cache.updateMetadata("a", ["stage": "signing"])
        let expected = Date(timeIntervalSince1970: 1040)
        #expect(cache.current[0].progress?.expectedAt == expected)
        #expect(cache.current[0].metadata?.expectedAt == expected)
        let asked = try #require(try cache.progress("a"))
        #expect(asked == cache.current[0].progress)
        #expect(!asked.stalled)
        #expect(try cache.badge("a") == cache.current[0].badge)
        #expect(try cache.badge("b") == nil)
        #expect(try cache.progress("b") == nil)
        clock.set(ms: 30_000)
        try cache.handleTimeout()
        #expect(try cache.progress("a")?.stalled == true)
        #expect(cache.current[0].metadata?.stalled == true)
    }

    @Test("a decoder of the user's own reads progress as well") func converting() throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        var settings = Settings()
        settings.epoch = Date(timeIntervalSince1970: 1000)
        settings.progress = [.process: ProgressPlan(stages: [Stage("signing", expected: .seconds(40))])]
        let cache = try ResourceCache<Zone>(settings: settings, clock: clock, decoder: decoder)
        try cache.merge(list)
        try cache.markAsProcessing("a")
        try cache.updateMetadata("a", ["stage": "signing"])
        #expect(cache.current[0].progress?.expectedAt == Date(timeIntervalSince1970: 1040))
    }

    @Test("badges are the same by row and by id") func badges() throws {
        for fail in [false, true] {
            let operation = try begun(cache.markAsUpdating("a", ["name": "x"]))
            #expect(try cache.badge("a") == cache.current[0].badge)
            #expect(try cache.badge("a")?.icon == .spinner)
            if fail { try cache.fail(operation, "no") } else { try cache.acknowledge(operation) }
            #expect(try cache.badge("a") == cache.current[0].badge)
            try cache.revert("a")
        }
    }

    @Test("changes since a revision, and a count, are answers of their own") func since() throws {
        let revision = try cache.revision()
        try cache.markAsDeleting("a")
        #expect(try cache.changes(since: revision)?.removed.count == 1)
        #expect(try cache.changes(since: cache.revision())?.removed.isEmpty == true)
        #expect(try cache.count(list) == 2)
        #expect(throws: ResourceCacheError.self) { try cache.count(Data("[{}]".utf8)) }
        let config = try JSONSerialization.jsonObject(with: cache.config()) as? [String: Any]
        #expect(config?.isEmpty == false)
    }

    @Test("K1: what is stale is given up by age") func stale() throws {
        try cache.markAsProcessing("a")
        clock.set(ms: 100_000)
        try cache.cleanupStaleOperations(olderThan: .seconds(110))
        #expect(try cache.isProcessing("a"))
        try cache.cleanupStaleOperations(olderThan: .seconds(90))
        #expect(try !cache.isProcessing("a"))
    }

    @Test("answers by temporary id, and of some fields") func answers() throws {
        try cache.addAsCreating(Zone(id: "tmp", name: "three"))
        let key = cache.current.last?.id
        try cache.replaceCreated("tmp", answer: Data(#"{"id":"c","name":"three"}"#.utf8))
        #expect(cache.current.last?.resourceID == "c")
        #expect(cache.current.last?.id == key)
        try cache.updateInPlace("a", answer: Data(#"{"name":"new"}"#.utf8))
        #expect(cache.current[0].value.name == "new")
        try cache.markAsProcessing("b")
        try cache.complete("b")
        #expect(try cache.state("b") == "processed")
    }

    @Test("a batch is done whole or not at all") func batches() throws {
        let changes = try cache.batchMarkAsProcessing(["a", "b"], .update, minTTL: .seconds(1))
        #expect(changes.operations.count == 2)
        #expect(try cache.operations("b").map(\.kind) == [.update])
        try cache.batchRemove(["a", "b"])
        #expect(shown(cache).isEmpty)
        try cache.merge(list)
        do {
            try cache.batchMarkAsProcessing(["a", ""])
            Issue.record("it was not refused")
        } catch {
            guard case .batch(let refusals, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(refusals.map(\.kind) == ["bad_input"])
        }
        #expect(try !cache.isProcessing("a"))
    }

    @Test("a stream tells of what is gone, and of what has failed") func told() throws {
        try cache.observeDeleted("b")
        #expect(shown(cache) == ["a"])
        try cache.markAsProcessing("a")
        try cache.observeFailed(.id("a"), "out of order")
        #expect(cache.current[0].metadata?.error == "out of order")
        try cache.observeFailed(.key("nobody's"), "out of order")
    }

    @Test("a list of version 1.0 comes in and goes out") func version1() throws {
        try cache.markAsDeleting("a")
        let other = try ResourceCache<Zone>(clock: clock)
        try other.importV1(cache.listV1())
        #expect(shown(other) == ["b"])
        #expect(try other.state("a") == "deleting")
    }

    @Test("a journal, played again, leads to the same state") func journal() throws {
        func make() throws -> ResourceCache<Zone> {
            var settings = Settings()
            (settings.seed, settings.epoch) = (7, Date(timeIntervalSince1970: 1000))
            return try ResourceCache(settings: settings, clock: StandingClock(wakes: false))
        }
        let (first, second) = (try make(), try make())
        try first.keepJournal()
        try first.merge(list)
        try first.markAsDeleting("a")
        let journal = try first.takeJournal()
        try second.replay(journal)
        #expect(try second.save() == first.save())
        #expect(shown(second) == ["b"])
        try first.keepJournal(false)
        try first.revert("a")
        #expect(try first.takeJournal().isEmpty)
        try second.apply(event: Data(#"{"remove":{"id":"b"}}"#.utf8))
        #expect(shown(second).isEmpty)
    }
}
