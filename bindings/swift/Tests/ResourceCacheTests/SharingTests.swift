import Foundation
import Testing

import ResourceCache

/// A store in a dictionary.
private final class Shelf: StoreEngine {
    let lists = Locked<[String: StoredList]>([:])
    let isBroken = Locked(false)

    private func use() throws { if isBroken.with({ $0 }) { throw Refused() } }

    func load(_ key: String) throws -> StoredList? {
        try use()
        return lists.with { $0[key] }
    }

    func revision(_ key: String) throws -> String? {
        try use()
        return lists.with { $0[key]?.revision }
    }

    func commit(
        _ key: String, expected: String?, revision: String, writing: [String: Data], removing: [String]
    ) throws -> Bool {
        try use()
        return lists.with { lists in
            guard lists[key]?.revision == expected else { return false }
            var list = lists[key] ?? StoredList(revision: revision, parts: [:])
            list.revision = revision
            list.parts.merge(writing) { $1 }
            removing.forEach { list.parts[$0] = nil }
            lists[key] = list
            return true
        }
    }

    func keys() throws -> [String] {
        try use()
        return lists.with { Array($0.keys) }
    }

    func delete(_ key: String) throws -> Bool {
        try use()
        return lists.with { $0.removeValue(forKey: key) != nil }
    }
}

@Suite struct SharingTests {
    @Test("a store of one's own keeps lists, and shares them") func hosting() throws {
        let shelf = Shelf()
        let first = try ResourceCache<Zone>(opening: Store(shelf), key: "zones")
        try first.merge(list)
        let operation = try #require(try first.markAsDeleting("a").operations.first)
        let second = try ResourceCache<Zone>(opening: Store(shelf), key: "zones")
        #expect(shown(second) == ["b"])
        #expect(try second.key() == "zones")
        // It takes what the other has committed first: the store has said no.
        try second.addAsCreating(Zone(id: "c"))
        try first.acknowledge(operation)
        #expect(shown(first) == ["b", "c"])
        try first.remove("c")
        try first.remove("b")
        #expect(try shown(ResourceCache<Zone>(opening: Store(shelf), key: "zones")).isEmpty)
        try second.sync()
        #expect(shown(second).isEmpty)
        #expect(try Store(shelf).keys() == ["zones"])
        #expect(try Store(shelf).delete("zones"))
        #expect(try !Store(shelf).delete("zones"))
        #expect(throws: ResourceCacheError.self) { try first.lead(as: "first", for: .seconds(1)) }
    }

    @Test("what such a store throws is told, and nothing has changed") func failing() throws {
        let shelf = Shelf()
        let cache = try ResourceCache<Zone>(opening: Store(shelf))
        try cache.merge(list)
        shelf.isBroken.with { $0 = true }
        do {
            try cache.markAsDeleting("a")
            Issue.record("it was not refused")
        } catch {
            guard case .store(_, "other", isRetryable: false, let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(problem.contains("Refused()"))
        }
        #expect(shown(cache) == ["a", "b"])
        shelf.isBroken.with { $0 = false }
        try cache.markAsDeleting("a")
        #expect(shown(cache) == ["b"])
    }

    @Test("a cache in memory has no key, and no store to ask") func memory() throws {
        let cache = try ResourceCache<Zone>()
        #expect(try cache.key() == nil)
        #expect(throws: ResourceCacheError.self) { try cache.lead(as: "a", for: .seconds(1)) }
    }

    @Test("what another commits is taken soon after, also when the store cannot tell", arguments: [true, false])
    func following(_ hosted: Bool) async throws {
        let store = hosted ? Store(Shelf()) : try Store("memory:")
        let (first, second) = (try ResourceCache<Zone>(opening: store), try ResourceCache<Zone>(opening: store))
        let task = Task { try await second.followStore(every: .milliseconds(10)) }
        try first.merge(list)
        try await eventually("it is taken") { shown(second) == ["a", "b"] }
        try store.close()
        try await Task.sleep(for: .milliseconds(50))
        try store.reopen()
        try first.remove("a")
        try await eventually("it goes on") { shown(second) == ["b"] }
        task.cancel()
        try await task.value
    }

    @Test("one of several sends; when it steps down, another does") func leading() async throws {
        let store = try Store("memory:")
        let (first, second) = (try ResourceCache<Zone>(opening: store), try ResourceCache<Zone>(opening: store))
        try first.merge(list)
        let leading = Task { try await first.keepLeading(as: "first", for: .seconds(60)) }
        try await eventually("it leads") { try !second.lead(as: "second", for: .milliseconds(1)) }
        try second.queue(.delete("a"))
        #expect(try second.pollAttempt() == nil)
        leading.cancel()
        try await leading.value
        try await eventually("the other leads") { try second.lead(as: "second", for: .seconds(60)) }
        #expect(try second.pollAttempt()?.id == "a")
        try second.stepDown(as: "second")
        #expect(try first.lead(as: "first", for: .seconds(60)))
    }
}
