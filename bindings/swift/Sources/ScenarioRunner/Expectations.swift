import Foundation
import ResourceCacheFFI

private let kinds: [String: ResourceCacheFFI.Kind] = [
    "create": .create, "update": .update, "process": .process, "delete": .delete,
]

private let states: Set<String> = [
    "idle", "creating", "created", "updating", "updated", "processing", "processed", "deleting", "deleted",
    "retrying", "failed", "gone", "forgotten",
]
private let statuses: [String: Status] = [
    "deleting": .deleting, "creating": .creating, "updating": .updating, "processing": .processing,
    "retrying": .retrying,
]

private func same<T: Equatable>(_ what: String, _ expected: T, _ got: T) throws {
    if expected != got { throw Ill("expected: \(what) \(expected)\n    got: \(got)") }
}

private func contains(_ what: String, _ expected: [String: JSON], _ got: JSON) throws {
    guard case .object(let fields) = got else { throw Ill("expected: \(what) is an object\n    got: \(got.text)") }
    for (name, value) in expected where value != fields[name] ?? .null {
        throw Ill(
            "expected: \(what) with \(name) = \(value.text)\n    got: \(name) = \((fields[name] ?? .null).text)")
    }
}

/// What is asked of the server; a field that is left out may be anything.
private func isAsked(
    _ what: String, _ fields: inout Fields, _ kind: ResourceCacheFFI.Kind, _ id: String, _ body: String?
) throws {
    if let expected = try word(kinds, "kind", &fields) { try same("\(what): kind", expected, kind) }
    if let expected: String = try fields.optional("id") { try same("\(what): id", expected, id) }
    if let expected: [String: JSON] = try fields.optional("body") {
        try contains("\(what)'s body", expected, JSONDecoder().decode(JSON.self, from: Data((body ?? "{}").utf8)))
    }
    try fields.finish()
}

extension World {
    func expect(_ fields: inout Fields) throws {
        try expectLists(&fields)
        try expectSending(&fields)
        try expectOfIDs(&fields)
        try expectOfLastAction(&fields)
        try fields.finish()
    }

    private func expectLists(_ fields: inout Fields) throws {
        if let expected: [String] = try fields.optional("visible") {
            try same("visible", expected, RawRow.list(core.visible()).map(\.id))
            // What the package's own reader shows.
            try same("visible rows", expected, cache.current.map(\.resourceID))
        }
        if let expected: [String] = try fields.optional("all") {
            try same("all", expected.sorted(), RawRow.list(core.all()).map(\.id).sorted())
        }
        for (name, ids) in try fields.optional("by_status", [String: [String]].self) ?? [:] {
            guard let status = statuses[name] else { throw Ill("by_status: \(name) is none") }
            try same(name, ids.sorted(), RawRow.list(core.getByStatus(status: status)).map(\.id).sorted())
        }
        if let expected = fields.raw("next_timeout") {
            let got = try core.pollTimeoutMs().map { JSON.integer($0 - epochMs) } ?? .null
            try same("next_timeout", expected, got)
        }
        if let expected: Bool = try fields.optional("should_poll") {
            try same("should_poll", expected, core.shouldPoll())
        }
        if let expected: [String] = try fields.optional("undo_labels") {
            try same("undo_labels", expected, core.undoLabels())
        }
        if let expected: [String] = try fields.optional("redo_labels") {
            try same("redo_labels", expected, core.redoLabels())
        }
        if let expected: [JSON] = try fields.optional("conflicts") {
            try same("conflicts", expected, conflicts.map { .object(["id": .string($0.id), "reason": $0.reason]) })
        }
    }

    private func expectSending(_ fields: inout Fields) throws {
        if let expected: UInt64 = try fields.optional("queued") { try same("queued", expected, core.queued()) }
        switch (fields.raw("attempt"), attempt) {
        case (nil, _), (.null, nil): break
        case (.null, .some): throw Ill("expected: no attempt\n    got: an attempt")
        case (.some, nil): throw Ill("expected: an attempt\n    got: no attempt")
        case (.some(let json), let got?):
            var own = try Fields(json)
            try same("attempt of", operations[own.required("op")], got.operation)
            if let number: UInt32 = try own.optional("number") { try same("attempt's number", number, got.number) }
            try isAsked("the attempt", &own, got.kind, got.id, got.body)
        }
        for (name, json) in try fields.optional("requests", [String: JSON].self) ?? [:] {
            guard let operation = operations[name] else { throw Ill("requests: \(name) was never begun") }
            switch (json, try core.requestOf(operation: operation)) {
            case (.null, nil): break
            case (.null, let got?): throw Ill("expected: \(name) asks nothing\n    got: \(got)")
            case (_, nil): throw Ill("expected: \(name) asks something\n    got: nothing")
            case (let json, let got?):
                var own = try Fields(json)
                try isAsked("\(name)'s request", &own, got.kind, got.id, got.body)
            }
        }
    }

    private func expectOfIDs(_ fields: inout Fields) throws {
        for (id, expected) in try fields.optional("items", [String: [String: JSON]].self) ?? [:] {
            guard let row = try row(id) else { throw Ill("expected: \(id) exists\n    got: absent") }
            try contains("\(id)'s body", expected, row.body)
            if let shown = cache.current.first(where: { $0.id == row.key }) {
                try contains("\(id)'s value", expected, shown.value.json)
            }
        }
        for (id, expected) in try fields.optional("meta", [String: [String: JSON]].self) ?? [:] {
            try contains("\(id)'s _meta", expected, .object(row(id)?.meta ?? [:]))
        }
        for (id, expected) in try fields.optional("status", [String: JSON].self) ?? [:] {
            if case .string(let name) = expected, name != "absent", statuses[name] == nil {
                throw Ill("status: \(name) is none")
            }
            let row = try row(id)
            try same("\(id)'s status", expected, row == nil ? .string("absent") : row?.meta?["status"] ?? .null)
        }
        for (id, expected) in try fields.optional("state", [String: String].self) ?? [:] {
            if !states.contains(expected) { throw Ill("state: \(expected) is none") }
            try same("\(id)'s state", expected, core.state(id: id) ?? "gone")
        }
    }

    private func expectOfLastAction(_ fields: inout Fields) throws {
        struct Expected: Decodable {
            let id: String
            let outcome: String
        }
        if let expected: [Expected] = try fields.optional("outcomes") {
            let got = outcomes.map { "\($0.id) \($0.settlement)" }.sorted()
            outcomes = []
            try same("outcomes", expected.map { "\($0.id) \($0.outcome)" }.sorted(), got)
        }
        for pair in try fields.optional("same_row", [[String]].self) ?? [] {
            guard pair.count == 2 else { throw Ill("same_row: \(pair) is no pair") }
            try expectSameRow(pair[0], pair[1])
        }
        if let expected: Bool = try fields.optional("unchanged") { try same("unchanged", expected, last.isEmpty) }
        if let expected: Int = try fields.optional("warnings") { try same("warnings", expected, last.warnings.count) }
        if let json = fields.raw("changed") {
            var own = try Fields(json)
            try same("upserted", Set(own.optional("upserted", [String].self) ?? []), Set(last.upserted))
            try same("removed", Set(own.optional("removed", [String].self) ?? []), Set(last.removed.map(\.id)))
            try own.finish()
        }
    }

    /// The first's key when last seen; of one id, at the last expectation that had it.
    private func expectSameRow(_ first: String, _ second: String) throws {
        let before = first == second ? seenAtExpectation[first] ?? firstSeen[first] : seen[first]
        guard let before else { throw Ill("same_row: \(first) was never seen before") }
        guard let now = try row(second) else { throw Ill("expected: a row of \(second)\n    got: none") }
        try same("\(second) in the row of \(first),", before, now.key)
    }
}
