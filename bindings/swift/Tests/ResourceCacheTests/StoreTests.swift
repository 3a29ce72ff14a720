import Foundation
import ResourceCache
import Testing

@Suite struct StoreTests {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private var address: String { "sqlite:\(folder.path)/zones.sqlite" }

    private func open() throws -> ResourceCache<Zone> {
        try ResourceCache(opening: Store(address), key: "zones")
    }

    @Test("what was answered survives the death of the process") func reopening() async throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        // Kept, and never closed: as when the process is killed.
        let first = try open()
        try first.merge(list)
        try await first.deleting("a") {}
        let second = try open()
        #expect(shown(second) == ["b"])
        try second.merge(list)
        #expect(shown(second) == ["b"])
        #expect(try second.row("a")?.state == "deleted")
        #expect(try Store(address).keys() == ["zones"])
        #expect(shown(first) == ["b"])
    }

    @Test("a store that is closed in the background refuses, and goes on") func suspending() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let store = try Store(address)
        let cache = try ResourceCache<Zone>(opening: store)
        try cache.merge(list)
        try store.close()
        do {
            try cache.markAsDeleting("a")
            Issue.record("it was not refused")
        } catch {
            guard case .store(_, "closed", isRetryable: false, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(shown(cache) == ["a", "b"])
        try store.reopen()
        try cache.markAsDeleting("a")
        #expect(shown(cache) == ["b"])
    }

    @Test("an address of no store is refused") func refusing() throws {
        #expect(throws: ResourceCacheError.self) { try Store("zones.sqlite") }
    }
}
