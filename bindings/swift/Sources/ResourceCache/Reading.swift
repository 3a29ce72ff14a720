import Foundation
import ResourceCacheFFI

// Questions; nothing here changes anything.
extension ResourceCache {
    /// The full list, hidden resources included; those without a place come last. What cannot be decoded is left out.
    public func all() throws(ResourceCacheError) -> [Row<Value>] { decodeRows(try ask { try $0.all() }) }

    /// The resources with this status, hidden ones included. What cannot be decoded is left out.
    public func rows(with status: ResourceStatus) throws(ResourceCacheError) -> [Row<Value>] {
        decodeRows(try ask { try $0.getByStatus(status: status.core) })
    }

    /// The row of an id, hidden or not; `nil` when there is none, or its value cannot be decoded.
    public func row(_ id: Value.ID) throws(ResourceCacheError) -> Row<Value>? {
        decodeRow(try ask { try $0.getOne(id: id.description) })
    }

    /// The row of a key, as ``Row/id`` and ``Changes/removed`` have it, likewise.
    public func row(key: UInt64) throws(ResourceCacheError) -> Row<Value>? {
        decodeRow(try ask { try $0.row(key: key) })
    }

    /// How many rows are visible, also of those that cannot be decoded.
    public func visibleCount() throws(ResourceCacheError) -> Int { Int(try ask { try $0.visibleCount() }) }

    /// How many rows are held, hidden ones included.
    public func rowCount() throws(ResourceCacheError) -> Int { Int(try ask { try $0.rowCount() }) }

    /// Whether the resource is in the visible list.
    public func isVisible(_ id: Value.ID) throws(ResourceCacheError) -> Bool {
        try ask { try $0.isVisible(id: id.description) }
    }

    /// Whether an operation on this resource is unsettled.
    public func isProcessing(_ id: Value.ID) throws(ResourceCacheError) -> Bool {
        try ask { try $0.isProcessing(id: id.description) }
    }

    /// Where a resource is in the lifecycle: `idle`, `creating`, `created` and so on; `nil` when nothing is known of it.
    public func state(_ id: Value.ID) throws(ResourceCacheError) -> String? {
        try ask { try $0.state(id: id.description) }
    }

    /// The unsettled operations on a resource, oldest first.
    public func operations(_ id: Value.ID) throws(ResourceCacheError) -> [OperationInfo] {
        try ask { try $0.operations(id: id.description) }.map {
            OperationInfo(id: OperationID($0.operation), kind: Kind($0.kind), state: $0.state)
        }
    }

    /// What the status badge of a resource shows; `nil` when nothing goes on that a user need know of, or there is no
    /// such resource. A ``Row`` has it as well.
    public func badge(_ id: Value.ID) throws(ResourceCacheError) -> StatusBadge? {
        try ask { try $0.badge(id: id.description) }.map(StatusBadge.init)
    }

    /// What the progress bar of a resource shows, likewise.
    public func progress(_ id: Value.ID) throws(ResourceCacheError) -> ProgressStatus? {
        try ask { try $0.progress(id: id.description) }.map(ProgressStatus.init)
    }

    /// Why a row is hidden, shown, or not what the server says.
    public func explain(_ id: Value.ID) throws(ResourceCacheError) -> Explanation {
        try typed { try plain(Explanation.self, core.explain(id: id.description)) }
    }

    /// Every deadline that is ahead, the earliest first.
    public func deadlines() throws(ResourceCacheError) -> [Deadline] {
        try typed { try plain([Deadline].self, core.deadlines()) }
    }

    /// How operations settled, the oldest first, as far back as ``Settings/outcomeLog`` says.
    public func outcomes() throws(ResourceCacheError) -> [Outcome] {
        try typed { try plain([Outcome].self, core.outcomes()) }
    }

    /// What has changed since a revision, with the outcomes since; `nil` when that far back is no longer known: take
    /// ``current`` then.
    public func changes(since revision: UInt64) throws(ResourceCacheError) -> Changes? {
        try typed { try core.changesSince(revision: revision).map(Changes.init) }
    }

    /// The collection's change counter; it only grows.
    public func revision() throws(ResourceCacheError) -> UInt64 { try ask { try $0.revision() } }

    /// Whether asking the server again is of use: an operation is unsettled, or a watch has expired.
    public func shouldPoll() throws(ResourceCacheError) -> Bool { try ask { try $0.shouldPoll() } }

    /// The soonest time at which asking the server can decide something; `nil` when it is of no use.
    public func nextPoll() throws(ResourceCacheError) -> Date? {
        setTime()
        return try ask { try $0.nextPollMs() }.map(Date.init(milliseconds:))
    }

    /// When something is due next. The cache does it by itself.
    public func nextDeadline() throws(ResourceCacheError) -> Date? {
        try ask { try $0.pollTimeoutMs() }.map(Date.init(milliseconds:))
    }

    /// How many resources the bytes of a list call's answer hold. It checks them, and keeps nothing.
    public func count(_ answer: Data) throws(ResourceCacheError) -> Int { Int(try ask { try $0.count(response: answer) }) }

    /// The settings in effect, as JSON, the seed left out.
    public func config() throws(ResourceCacheError) -> Data { Data(try ask { try $0.config() }.utf8) }

    /// The whole state but the settings.
    public func save() throws(ResourceCacheError) -> Data { Data(try ask { try $0.save() }.utf8) }

    /// The whole collection, hidden resources included, as a list that version 1.0 reads.
    public func listV1() throws(ResourceCacheError) -> Data { Data(try ask { try $0.listV1() }.utf8) }

    private func decodeRow(_ text: String?) -> Row<Value>? {
        text.flatMap { try? decode(WrittenRow<Value>.self, $0).row }
    }

    private func decodeRows(_ text: String) -> [Row<Value>] {
        (try? decode([WrittenRow<Value>].self, array(of: text.utf8)))?.compactMap(\.row) ?? []
    }

    /// What is not the user's is not read by the user's decoder.
    private func plain<R: Decodable>(_: R.Type, _ text: String) throws -> R {
        try JSONDecoder().decode(R.self, from: Data(text.utf8))
    }
}

/// One unsettled operation.
public struct OperationInfo: Sendable, Equatable, Identifiable {
    /// Its number.
    public let id: OperationID
    /// What it does.
    public let kind: Kind
    /// How far it is: `creating`, `created`, `retrying` and so on.
    public let state: String
}

/// Why a row is hidden, shown, or not what the server says. As text, it says it in sentences.
public struct Explanation: Sendable, Equatable, Decodable, CustomStringConvertible {
    /// The resource.
    public let id: String
    /// Where it is in the lifecycle; `nil` when nothing is known of it.
    public let state: String?
    /// Whether it is in the visible list.
    public let visible: Bool
    /// The operation that decides how it looks, if one does.
    public let operation: OperationID?
    /// The rule of the model that decides, if more than the server's word does.
    public let rule: String?
    /// Why, in a clause.
    public let why: String
    /// As sentences.
    public let description: String

    private enum CodingKeys: String, CodingKey {
        case id, state, visible, operation, rule, why, description = "text"
    }
}

/// A time at which something is due.
public struct Deadline: Sendable, Equatable, Decodable {
    /// When.
    public let at: Date
    /// The resource.
    public let id: String
    /// The operation that it belongs to.
    public let operation: OperationID
    /// Why: `retry`, `error_shown`, `completion_shown`, `stale`, `ttl_over`, `tombstone_over`, `send`, `attempt_lost`
    /// or `stalled`.
    public let reason: String

    private enum CodingKeys: CodingKey { case at, id, operation, reason }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        at = Date(milliseconds: try fields.decode(Int64.self, forKey: .at))
        id = try fields.decode(String.self, forKey: .id)
        operation = try fields.decode(OperationID.self, forKey: .operation)
        reason = try fields.decode(String.self, forKey: .reason)
    }
}
