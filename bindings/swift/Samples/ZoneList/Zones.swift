import Foundation
import Observation
import ResourceCache

/// What this app lists.
struct Zone: Codable, Sendable, Identifiable {
    var id: String
    var name: String
}

/// The list, where it is kept, and what keeps it going.
@MainActor @Observable
final class Zones {
    let list: ResourceList<Zone>
    private(set) var problem: String?

    private let store: Store
    private let cache: ResourceCache<Zone>
    private let api: API

    init(api: API, folder: URL) throws {
        store = try Store("sqlite:\(folder.path)/zones.sqlite")
        var settings = Settings()
        settings.items = "/items"
        cache = try ResourceCache(opening: store, key: "zones", settings: settings)
        list = ResourceList(cache)
        self.api = api
    }

    /// Where the list is kept. On iOS its files can be read from the first unlocking on: also in the background.
    static func folder() throws -> URL {
        var attributes: [FileAttributeKey: Any] = [:]
        #if os(iOS)
            attributes[.protectionKey] = FileProtectionType.completeUntilFirstUserAuthentication
        #endif
        let files = FileManager.default
        let support = try files.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        let folder = support.appending(path: "ZoneList")
        try files.createDirectory(at: folder, withIntermediateDirectories: true, attributes: attributes)
        return folder
    }

    /// Sends what is queued, until the task of the view ends.
    func send() async {
        let api = api
        await telling { [cache] in try await cache.sendQueued { try await api.send($0) } }
    }

    func refresh() async {
        await telling { [cache, api] in
            let fetch = try cache.beginFetch()
            try cache.merge(try await api.list(), since: fetch)
        }
    }

    func delete(_ row: Row<Zone>) {
        // Sent after a while, so that undoing it costs nothing.
        let step = Step<Zone>(.delete(row.value.id), sendAfter: .seconds(5))
        told { _ = try cache.perform("Delete \(row.value.name)", [step]) }
    }

    func undo() { told { _ = try cache.undo() } }

    /// The app goes to the background, or is back.
    func setActive(_ active: Bool) {
        told { active ? try store.reopen() : try store.close() }
    }

    private func told(_ act: () throws -> Void) {
        do { try act() } catch { problem = "\(error)" }
    }

    private func telling(_ act: () async throws -> Void) async {
        do { try await act() } catch is CancellationError {} catch { problem = "\(error)" }
    }
}
