import Foundation
import Testing

import ResourceCache

struct Zone: Codable, Sendable, Identifiable, Equatable {
    var id: String
    var name: String?
}

let list = Data(#"[{"id":"a","name":"one"},{"id":"b","name":"two"}]"#.utf8)

struct Refused: Error {}

func shown(_ cache: ResourceCache<Zone>) -> [String] { cache.current.map(\.resourceID) }

@Suite struct CallTests {
    let cache: ResourceCache<Zone>

    init() throws {
        cache = try ResourceCache()
        try cache.merge(list)
    }

    @Test("D1: a deleted row stays hidden while lists still have it") func deleting() async throws {
        let answer = try await cache.deleting("a") {
            #expect(shown(cache) == ["b"])
            return 7
        }
        #expect(answer == 7)
        try cache.merge(list)
        #expect(shown(cache) == ["b"])
        #expect(try cache.row("a")?.state == "deleted")
        #expect(try cache.explain("a").description.contains("a"))
    }

    @Test("V2: a failed deletion shows again, with its error") func failing() async throws {
        await #expect(throws: Refused.self) {
            try await cache.deleting("a") { throw Refused() }
        }
        #expect(shown(cache) == ["a", "b"])
        #expect(cache.current[0].metadata?.error == "Refused()")
        #expect(cache.current[0].badge?.icon == .cross)
    }

    @Test("V4, U2: an edit shows at once, and stays when lists lag") func updating() async throws {
        try await cache.updating("a", ["name": "new"]) {
            #expect(cache.current[0].value.name == "new")
            #expect(cache.current[0].status == .updating)
            return Data(#"{"id":"a","name":"new"}"#.utf8)
        }
        try cache.merge(list)
        #expect(cache.current[0].value.name == "new")
        #expect(cache.current[0].status == nil)
    }

    @Test("V6: a new row keeps its key when it gets its real id") func creating() async throws {
        var key: UInt64?
        try await cache.creating(Zone(id: "tmp", name: "three")) {
            key = cache.current.last?.id
            #expect(cache.current.last?.resourceID == "tmp")
            return Data(#"{"id":"c","name":"three"}"#.utf8)
        }
        #expect(shown(cache) == ["a", "b", "c"])
        #expect(cache.current.last?.id == key)
    }

    @Test("progress is shown as it is reported") func processing() async throws {
        try await cache.processing("a") { progress in
            try progress.report(percent: 40, stage: "signing", message: "Signing")
            #expect(cache.current[0].progress?.percent == 40)
            #expect(cache.current[0].metadata?.stage == "signing")
            try progress.report(percent: 60)
            #expect(cache.current[0].metadata?.message == "Signing")
            #expect(throws: ResourceCacheError.self) { try progress.report(percent: 101) }
        }
        #expect(try cache.row("a")?.state == "processed")
    }

    @Test("a refusal is typed, and changes nothing") func refusing() throws {
        try cache.markAsDeleting("a")
        let before = try cache.save()
        do {
            try cache.markAsUpdating("a", ["name": "x"])
            Issue.record("accepted")
        } catch {
            guard case .transition(id: "a", state: "deleting", _, let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(error.description == problem)
        }
        #expect(throws: ResourceCacheError.self) { try cache.merge(Data("[{}]".utf8)) }
        #expect(try cache.save() == before)
    }

    @Test("a saved state is restored") func restoring() throws {
        try cache.markAsDeleting("a")
        let again = try ResourceCache<Zone>(restoring: try cache.save())
        #expect(shown(again) == ["b"])
    }

    @Test("a value that cannot be decoded is left out, and named") func unreadable() throws {
        try cache.merge(Data(#"[{"id":"a","name":7},{"id":"b","name":"two"},{"id":"c"}]"#.utf8))
        #expect(shown(cache) == ["b", "c"])
        #expect(Array(cache.unreadable.keys) == ["a"])
        try cache.merge(list)
        #expect(shown(cache) == ["a", "b"])
        #expect(cache.unreadable.isEmpty)
    }

    enum Verb: CaseIterable { case deleting, updating, creating, processing }

    @Test("a cancelled task takes its operation back", arguments: Verb.allCases)
    func cancelling(_ verb: Verb) async throws {
        let (begun, signal) = AsyncStream.makeStream(of: Void.self)
        let cache = cache
        let task = Task {
            let sleep: @Sendable () async throws -> Data = {
                signal.yield()
                try await Task.sleep(for: .seconds(60))
                return Data()
            }
            switch verb {
            case .deleting: _ = try await cache.deleting("a", sleep)
            case .updating: try await cache.updating("a", ["name": "new"], sleep)
            case .creating: try await cache.creating(Zone(id: "tmp"), sleep)
            case .processing: _ = try await cache.processing("a") { _ in try await sleep() }
            }
        }
        for await _ in begun { break }
        #expect(try cache.shouldPoll())
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(shown(cache) == ["a", "b"])
        #expect(cache.current[0].value.name == "one")
        #expect(cache.current[0].metadata == nil)
        #expect(try !cache.shouldPoll())
    }
}
