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
    var attempt: Attempt?
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
        settings.more = try readConfig(&fields)
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

let kinds: [String: Kind] = ["create": .create, "update": .update, "process": .process, "delete": .delete]

private func readConfig(_ fields: inout Fields) throws -> Config {
    var plans: [Kind: ProgressPlan]?
    if let given: [String: JSON] = try fields.optional("progress") {
        plans = [:]
        for (name, plan) in given {
            guard let kind = kinds[name] else { throw Ill("progress: \(name) is none") }
            plans?[kind] = try readPlan(plan)
        }
    }
    var history: HistoryLimits?
    if let given = fields.raw("history") {
        var own = try Fields(given)
        history = HistoryLimits(steps: try own.optional("steps"), bytes: try own.optional("bytes"))
        try own.finish()
    }
    return Config(
        ttlMs: try fields.optional("ttl_ms"), staleAfterMs: try fields.optional("stale_after_ms"),
        completedShownMs: try fields.optional("completed_shown_ms"),
        errorShownMs: try fields.optional("error_shown_ms"), retry: try fields.raw("retry").map(readRetry),
        maxUnderWay: try fields.optional("max_under_way"), progress: plans, history: history,
        versionOrder: try word(
            ["opaque": .opaque, "integer": .integer, "timestamp": .timestamp], "version_order", &fields),
        newItems: try word(["start": .start, "end": .end], "new_items", &fields),
        onFailure: try word(["revert": .revert, "keep": .keep], "on_failure", &fields),
        badItems: try word(["reject": .reject, "skip": .skip], "bad_items", &fields))
}

private func readRetry(_ json: JSON) throws -> RetryPolicy {
    var fields = try Fields(json)
    var backoff: Backoff?
    if let given: [String: [String: UInt64]] = try fields.optional("backoff") {
        if let linear = given["linear"], let step = linear["step_ms"] {
            backoff = .linear(stepMs: step)
        } else if let own = given["exponential"], let base = own["base_ms"], let cap = own["cap_ms"] {
            backoff = .exponential(baseMs: base, capMs: cap)
        } else {
            throw Ill("backoff: \(given) is none")
        }
    }
    // Null means never.
    let given = fields.raw("max_attempts")
    var attempts: UInt32?
    switch given {
    case nil: attempts = nil
    case .null: attempts = 0
    case .integer(let number): attempts = UInt32(exactly: number)
    default: throw Ill("max_attempts: \(given?.text ?? "") is no number")
    }
    let policy = RetryPolicy(
        backoff: backoff, maxAttempts: attempts, maxAgeMs: try fields.optional("max_age_ms"),
        attemptTimeoutMs: try fields.optional("attempt_timeout_ms"),
        retryable: try fields.optional("retryable"))
    try fields.finish()
    return policy
}

private func readPlan(_ json: JSON) throws -> ProgressPlan {
    var fields = try Fields(json)
    let stages: [JSON] = try fields.optional("stages") ?? []
    let rules: [JSON] = try fields.optional("rules") ?? []
    let plan = ProgressPlan(
        stages: try stages.map(readStage),
        rules: try rules.map { json in
            var rule = try Fields(json)
            let read = ProgressRule(at: try rule.required("at"), stages: try rule.required("stages"))
            try rule.finish()
            return read
        }, stalledAfterMs: try fields.optional("stalled_after_ms"))
    try fields.finish()
    return plan
}

private func readStage(_ json: JSON) throws -> Stage {
    var fields = try Fields(json)
    var end: StageEnd?
    switch fields.raw("end") {
    case nil, .null: break
    case .string("complete"): end = .complete
    case .object(let ends):
        guard case .object(let fail)? = ends["fail"] else { throw Ill("end: \(ends) is none") }
        var at: String?
        if case .string(let pointer)? = fail["error_at"] { at = pointer }
        end = .fail(errorAt: at)
    case .some(let other): throw Ill("end: \(other.text) is none")
    }
    let stage = Stage(
        name: try fields.required("name"), weight: try fields.optional("weight") ?? 1,
        expectedMs: try fields.optional("expected_ms"), message: try fields.optional("message"), end: end)
    try fields.finish()
    return stage
}
