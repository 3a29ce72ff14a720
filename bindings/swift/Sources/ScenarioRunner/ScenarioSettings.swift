import ResourceCache

private let kinds: [String: Kind] = ["create": .create, "update": .update, "process": .process, "delete": .delete]

private func ms(_ name: String, _ fields: inout Fields) throws -> Duration? {
    let number: Int64? = try fields.optional(name)
    return number.map { .milliseconds($0) }
}

func readSettings(_ fields: inout Fields, _ settings: inout Settings) throws {
    settings.ttl = try ms("ttl_ms", &fields)
    settings.staleAfter = try ms("stale_after_ms", &fields)
    settings.completedShown = try ms("completed_shown_ms", &fields)
    settings.errorShown = try ms("error_shown_ms", &fields)
    settings.retry = try fields.raw("retry").map(readRetry)
    settings.maxUnderWay = try fields.optional("max_under_way")
    if let given: [String: JSON] = try fields.optional("progress") {
        for (name, plan) in given {
            guard let kind = kinds[name] else { throw Ill("progress: \(name) is none") }
            settings.progress[kind] = try readPlan(plan)
        }
    }
    if let given = fields.raw("history") {
        var own = try Fields(given)
        settings.history = HistoryLimits(steps: try own.optional("steps"), bytes: try own.optional("bytes"))
        try own.finish()
    }
    settings.versionOrder = try word(
        ["opaque": .opaque, "integer": .integer, "timestamp": .timestamp], "version_order", &fields)
    settings.newItems = try word(["start": .start, "end": .end], "new_items", &fields)
    settings.onFailure = try word(["revert": .revert, "keep": .keep], "on_failure", &fields)
    settings.badItems = try word(["reject": .reject, "skip": .skip], "bad_items", &fields)
}

private func readRetry(_ json: JSON) throws -> RetryPolicy {
    var fields = try Fields(json)
    var backoff: Backoff?
    if let given: [String: [String: Int64]] = try fields.optional("backoff") {
        if let linear = given["linear"], let step = linear["step_ms"] {
            backoff = .linear(step: .milliseconds(step))
        } else if let own = given["exponential"], let base = own["base_ms"], let cap = own["cap_ms"] {
            backoff = .exponential(base: .milliseconds(base), cap: .milliseconds(cap))
        } else {
            throw Ill("backoff: \(given) is none")
        }
    }
    // Null means never.
    let given = fields.raw("max_attempts")
    var attempts: Int?
    switch given {
    case nil: attempts = nil
    case .null: attempts = 0
    case .integer(let number): attempts = Int(exactly: number)
    default: throw Ill("max_attempts: \(given?.text ?? "") is no number")
    }
    let policy = RetryPolicy(
        backoff: backoff, maxAttempts: attempts, maxAge: try ms("max_age_ms", &fields),
        attemptTimeout: try ms("attempt_timeout_ms", &fields), retryable: try fields.optional("retryable"))
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
        }, stalledAfter: try ms("stalled_after_ms", &fields))
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
        try fields.required("name"), weight: try fields.optional("weight") ?? 1,
        expected: try ms("expected_ms", &fields), message: try fields.optional("message"), end: end)
    try fields.finish()
    return stage
}
