import Foundation
import ResourceCache
import ResourceCacheFFI

/// A resource of any shape; the cache has its id.
struct Anything: Codable, Sendable, Identifiable {
    let json: JSON
    var id: String { "" }

    init(from decoder: any Decoder) throws { json = try JSON(from: decoder) }
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// A row as the cache writes it.
struct RawRow: Decodable {
    let key: UInt64
    let id: String
    let meta: [String: JSON]?
    let body: JSON

    static func list(_ text: String) throws -> [RawRow] {
        let parts = text.utf8.split(separator: 0x1e)
        return try parts.map { try JSONDecoder().decode(RawRow.self, from: Data($0)) }
    }
}

/// What an accepted call answers beside its rows.
struct Told: Decodable {
    struct Removed: Decodable { let id: String }
    struct Conflict: Decodable {
        let id: String
        let reason: JSON
    }
    struct Outcome: Decodable {
        let id: String
        let settlement: String
    }
    var removed: [Removed] = []
    var outcomes: [Outcome] = []
    var warnings: [JSON] = []
    var conflicts: [Conflict] = []
    var upserted: [String] = []

    private enum CodingKeys: CodingKey { case removed, outcomes, warnings, conflicts }

    init() {}

    init(_ applied: Applied) throws {
        let rest = Data(applied.text.utf8.prefix { $0 != 0x1e })
        if !rest.isEmpty { self = try JSONDecoder().decode(Told.self, from: rest) }
        upserted = try RawRow.list(String(applied.text.utf8.dropFirst(rest.count)) ?? "").map(\.id)
    }

    var isEmpty: Bool { removed.isEmpty && outcomes.isEmpty && warnings.isEmpty && upserted.isEmpty }
}

/// 2025-01-19T00:00:00Z, from which the times of a scenario count.
let epochMs: Int64 = 1_737_244_800_000

/// The cache under test, and what the scenario has named or seen so far.
final class World {
    private(set) var cache: ResourceCache<Anything>
    private let settings: Settings
    let clock = StandingClock(wakes: false)
    var operations: [String: UInt64] = [:]
    var fetches: [String: FetchToken] = [:]
    var last = Told()
    var attempt: ResourceCacheFFI.Attempt?
    var conflicts: [Told.Conflict] = []
    var outcomes: [Told.Outcome] = []
    var seen: [String: UInt64] = [:]
    var firstSeen: [String: UInt64] = [:]
    var seenAtExpectation: [String: UInt64] = [:]

    init(_ config: JSON) throws {
        var fields = try Fields(config)
        var settings = Settings()
        settings.epoch = Date(timeIntervalSince1970: Double(epochMs) / 1000)
        settings.id = try fields.optional("id")
        settings.uid = try fields.optional("uid")
        settings.version = try fields.optional("version")
        settings.token = try fields.optional("token")
        settings.items = "/items"
        settings.listVersion = "/list_version"
        // How a list carries its own version is the runner's business: merge names it.
        _ = fields.raw("list_version")
        try readSettings(&fields, &settings)
        try fields.finish()
        self.settings = settings
        do {
            cache = try ResourceCache(settings: settings, clock: clock)
        } catch {
            throw Ill("config: \(error)")
        }
    }

    var core: JsonCache { cache.core }

    /// Saves the state, drops the cache and loads it again.
    func reload() throws {
        let told = try outcomesSoFar().count
        // The clock goes on: the new cache counts from what it shows.
        var settings = settings
        settings.epoch = Date(timeIntervalSince1970: Double(epochMs + clock.now.ms) / 1000)
        cache = try ResourceCache(restoring: cache.save(), settings: settings, clock: clock)
        outcomes += try outcomesSoFar().dropFirst(told)
        last = Told()
    }

    private func outcomesSoFar() throws -> [Told.Outcome] {
        try JSONDecoder().decode([Told.Outcome].self, from: Data(core.outcomes().utf8))
    }

    /// Takes what an action changed, and sees that who follows the changes has the list that there is.
    func accept(_ applied: Applied) throws {
        let told = try Told(applied)
        let visible = try RawRow.list(core.visible()).map(\.key)
        let followed = cache.currentKeys
        if followed != visible {
            throw Ill("expected: the changes lead to the new list \(visible)\n    got: \(followed)")
        }
        for row in try RawRow.list(core.all()) {
            if firstSeen[row.id] == nil { firstSeen[row.id] = row.key }
            seen[row.id] = row.key
        }
        outcomes += told.outcomes
        last = told
    }

    func row(_ id: String) throws -> RawRow? {
        try core.getOne(id: id).map { try JSONDecoder().decode(RawRow.self, from: Data($0.utf8)) }
    }
}

/// A word of an enum.
func word<T>(_ words: [String: T], _ name: String, _ fields: inout Fields) throws -> T? {
    guard let text: String = try fields.optional(name) else { return nil }
    guard let value = words[text] else { throw Ill("\(name): \(text) is none") }
    return value
}

