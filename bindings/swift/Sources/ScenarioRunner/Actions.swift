import Foundation
import ResourceCache
import ResourceCacheFFI

private let operationKinds: [String: ResourceCacheFFI.Kind] = [
    "creating": .create, "updating": .update, "processing": .process, "deleting": .delete,
]

extension World {
    /// Applies a call by the scenario's clock.
    private func apply(_ call: (JsonCache) throws -> Applied) throws -> Applied {
        var answer: Applied?
        _ = try cache.change { core in
            let applied = try call(core)
            answer = applied
            return applied
        }
        guard let answer else { throw Ill("the call answered nothing") }
        return answer
    }

    /// Runs an action; answers what it changed, or nothing for a reload.
    func run(_ action: String, _ fields: inout Fields) throws -> Applied? {
        switch action {
        case "reload":
            try fields.finish()
            try reload()
            return nil
        case "begin_fetch":
            let name: String = try fields.required("as")
            try fields.finish()
            return try apply { core in
                let started = try core.beginFetch()
                fetches[name] = started.token
                return started.applied
            }
        case "poll_attempt":
            try fields.finish()
            return try apply { core in
                let polled = try core.pollAttempt()
                attempt = polled.attempt
                return polled.applied
            }
        case "perform": return try perform(&fields)
        case "undo", "redo": return try undoOrRedo(action, &fields)
        case "mark_as_deleting", "mark_as_processing", "mark_as_updating", "add_as_creating":
            let name: String? = try fields.optional("as")
            let step = try readStep(action, &fields)
            let applied = try apply { try begin(step, $0) }
            if let name {
                guard let operation = applied.operations.first else {
                    throw Ill("the action answered no operation to name")
                }
                operations[name] = operation
            }
            return applied
        case "merge": return try merge(&fields)
        case "observe": return try observe(&fields)
        case "acknowledge", "fail", "attempt", "cancel": return try verbOfOperation(action, &fields)
        default: return try verbOfIDs(action, &fields)
        }
    }

    private func begin(_ step: ResourceCacheFFI.Step, _ core: JsonCache) throws -> Applied {
        if let after = step.sendAfterMs { return try core.queue(step: step, sendAfterMs: after) }
        switch step.begin {
        case .create(let resource): return try core.addAsCreating(resource: Data(resource.utf8))
        case .update(let id, let patch):
            return try core.markAsUpdating(id: id, patch: Data(patch.utf8), minTtlMs: step.minTtlMs)
        case .delete(let id): return try core.markAsDeleting(id: id, minTtlMs: step.minTtlMs)
        case .process(let id, let kind): return try core.markAsProcessing(id: id, operation: kind)
        }
    }

    private func readStep(_ action: String, _ fields: inout Fields) throws -> ResourceCacheFFI.Step {
        let after: UInt64? = try fields.optional("send_after_ms")
        let begin: ResourceCacheFFI.Begin
        var ttl: UInt64?
        if action == "add_as_creating" {
            begin = .create(resource: try fields.required("item", JSON.self).text)
        } else {
            let id: String = try fields.required("id")
            ttl = try fields.optional("min_ttl_ms")
            switch action {
            case "mark_as_deleting": begin = .delete(id: id)
            case "mark_as_updating": begin = .update(id: id, patch: try fields.required("patch", JSON.self).text)
            case "mark_as_processing": begin = .process(id: id, kind: try readKind(&fields))
            default: throw Ill("do: \(action) begins no operation")
            }
        }
        try fields.finish()
        return ResourceCacheFFI.Step(begin: begin, minTtlMs: ttl, sendAfterMs: after)
    }

    private func readKind(_ fields: inout Fields) throws -> ResourceCacheFFI.Kind {
        guard let kind = try word(operationKinds, "operation", &fields) else { throw Ill("operation: missing") }
        return kind
    }

    private func perform(_ fields: inout Fields) throws -> Applied {
        let label: String = try fields.required("label")
        let actions: [JSON] = try fields.required("begin")
        try fields.finish()
        var names: [String?] = []
        var steps: [ResourceCacheFFI.Step] = []
        for json in actions {
            var own = try Fields(json)
            let action: String = try own.required("do")
            names.append(try own.optional("as"))
            steps.append(try readStep(action, &own))
        }
        return try stepped(apply { try $0.perform(label: label, steps: steps) }, names)
    }

    private func undoOrRedo(_ action: String, _ fields: inout Fields) throws -> Applied {
        let names: [String] = try fields.optional("as") ?? []
        try fields.finish()
        let applied = try apply { try action == "undo" ? $0.undo() : $0.redo() }
        if names.count != applied.operations.count {
            throw Ill("expected: \(names.count) operations begun\n    got: \(applied.operations.count)")
        }
        return try stepped(applied, names)
    }

    private func stepped(_ applied: Applied, _ names: [String?]) throws -> Applied {
        for case (let name?, let operation) in zip(names, applied.operations) { operations[name] = operation }
        conflicts = try Told(applied).conflicts
        return applied
    }

    private func merge(_ fields: inout Fields) throws -> Applied {
        var answer: [String: JSON] = ["items": try fields.required("items")]
        answer["list_version"] = fields.raw("list_version")
        let fetch: String? = try fields.optional("fetch")
        let part = try fields.raw("coverage").map(readCoverage)
        try fields.finish()
        var token: FetchToken?
        if let fetch {
            guard let begun = fetches[fetch] else { throw Ill("fetch: \(fetch) was never begun") }
            token = begun
        }
        return try apply { try $0.merge(response: JSON.object(answer).data, token: token, coverage: part) }
    }

    private func readCoverage(_ json: JSON) throws -> ResourceCacheFFI.Coverage {
        if json == .string("complete") { return .complete }
        var fields = try Fields(json)
        if let ids: [String] = try fields.optional("ids") {
            try fields.finish()
            return .ids(ids: ids)
        }
        func bound(_ json: JSON?) throws -> String? {
            switch json {
            case nil, .null: nil
            case .string(let id): id
            case .some(let other): throw Ill("coverage: \(other.text) is no id")
            }
        }
        let page = try (bound(fields.raw("after")), bound(fields.raw("before")))
        try fields.finish()
        return .page(after: page.0, before: page.1)
    }

    private func observe(_ fields: inout Fields) throws -> Applied {
        let type: String = try fields.required("type")
        let item = fields.raw("item")
        try fields.finish()
        let event: JSON
        switch (type, item) {
        case ("expired", nil): event = .object(["type": .string("ERROR"), "object": .object(["code": .integer(410)])])
        case ("bookmark", _), ("added", .some), ("modified", .some), ("deleted", .some):
            event = .object(["type": .string(type.uppercased()), "object": item ?? .object([:])])
        default: throw Ill("observe: \(type) \(item == nil ? "without" : "with") an item is no watch event")
        }
        return try apply { try $0.observe(event: event.data) }
    }

    private func verbOfOperation(_ action: String, _ fields: inout Fields) throws -> Applied {
        let name: String = try fields.required("op")
        // A name that nothing has is an operation that the cache cannot know.
        let operation = operations[name] ?? UInt64.max
        switch action {
        case "acknowledge":
            let answer = fields.raw("item")?.data ?? Data()
            try fields.finish()
            return try apply { try $0.acknowledge(operation: operation, answer: answer) }
        case "fail":
            let error: String = try fields.required("error")
            let (status, after): (UInt16?, UInt64?) = try (
                fields.optional("status"), fields.optional("retry_after_ms")
            )
            let again: Bool = try fields.optional("retry") ?? false
            try fields.finish()
            let retry: ResourceCacheFFI.Retry =
                if let status { .byStatus(status: status, afterMs: after) } else if again {
                    after.map { .after(ms: $0) } ?? .backoff
                } else { .no }
            return try apply { try $0.fail(operation: operation, error: error, retry: retry) }
        default:
            try fields.finish()
            return try apply {
                try action == "attempt" ? $0.attempt(operation: operation) : $0.cancel(operation: operation)
            }
        }
    }

    private func verbOfIDs(_ action: String, _ fields: inout Fields) throws -> Applied {
        switch action {
        case "complete", "revert", "cancel_operation", "remove":
            let id: String = try fields.required("id")
            try fields.finish()
            return try apply { core in
                switch action {
                case "complete": try core.complete(id: id)
                case "revert": try core.revert(id: id)
                case "cancel_operation": try core.cancelOperation(id: id)
                default: try core.remove(id: id)
                }
            }
        case "replace_created", "update_in_place", "update_metadata":
            let id: String = try fields.required(action == "replace_created" ? "temp_id" : "id")
            let body = try fields.required(action == "update_metadata" ? "meta" : "item", JSON.self).data
            try fields.finish()
            return try apply { core in
                switch action {
                case "replace_created": try core.replaceCreated(tempId: id, resource: body)
                case "update_in_place": try core.updateInPlace(id: id, fields: body)
                default: try core.updateMetadata(id: id, fields: body)
                }
            }
        case "batch_mark_as_processing":
            let ids: [String] = try fields.required("ids")
            let (kind, ttl): (ResourceCacheFFI.Kind, UInt64?) = try (readKind(&fields), fields.optional("min_ttl_ms"))
            try fields.finish()
            return try apply { try $0.batchMarkAsProcessing(ids: ids, operation: kind, minTtlMs: ttl) }
        case "batch_remove":
            let ids: [String] = try fields.required("ids")
            try fields.finish()
            return try apply { try $0.batchRemove(ids: ids) }
        case "cleanup_stale_operations":
            let age: UInt64 = try fields.optional("older_than_ms") ?? 300_000
            try fields.finish()
            return try apply { try $0.cleanupStaleOperations(olderThanMs: age) }
        case "set_online":
            let online: Bool = try fields.required("online")
            try fields.finish()
            return try apply { try $0.setOnline(online: online) }
        case "clear_history":
            try fields.finish()
            return try apply { try $0.clearHistory() }
        case "tick":
            try fields.finish()
            return try apply { try $0.handleTimeout() }
        default: throw Ill("do: \(action) is no action")
        }
    }
}
