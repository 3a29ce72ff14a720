import Foundation
import ResourceCacheFFI

extension ResourceCache {
    /// Takes the bytes of a list call's answer. What is as it was is passed over by comparing bytes.
    @discardableResult
    public func merge(_ answer: Data, since fetch: Fetch? = nil, coverage: Coverage = .complete)
        throws(ResourceCacheError) -> Changes
    {
        try change { try $0.merge(response: answer, token: fetch?.token, coverage: coverage.core) }
    }

    /// A list call is about to start: give the fetch to ``merge(_:since:coverage:)`` with its answer, so that answers
    /// which arrive out of order are applied in the right one.
    public func beginFetch() throws(ResourceCacheError) -> Fetch {
        hands.setMs(nowMs: time.now())
        return Fetch(token: try ask { try $0.beginFetch().token })
    }

    /// Takes a watch event as Kubernetes writes it: an object of `type` and `object`.
    @discardableResult
    public func observe(_ event: Data) throws(ResourceCacheError) -> Changes {
        try change { try $0.observe(event: event) }
    }

    /// Hides a resource that is about to be deleted.
    @discardableResult
    public func markAsDeleting(_ id: Value.ID, minTTL: Duration? = nil) throws(ResourceCacheError) -> Changes {
        let ttl = try minTTL.ms("minTTL")
        return try change { try $0.markAsDeleting(id: id.description, minTtlMs: ttl) }
    }

    /// Shows a resource with a JSON merge patch (RFC 7396) laid over it: the fields that the value has.
    @discardableResult
    public func markAsUpdating(_ id: Value.ID, _ patch: some Encodable, minTTL: Duration? = nil)
        throws(ResourceCacheError) -> Changes
    {
        let (patch, ttl) = (try encode(patch), try minTTL.ms("minTTL"))
        return try change { try $0.markAsUpdating(id: id.description, patch: patch, minTtlMs: ttl) }
    }

    /// Shows a new resource before the server has it, under a temporary or its final id.
    @discardableResult
    public func addAsCreating(_ value: Value, minTTL: Duration? = nil) throws(ResourceCacheError) -> Changes {
        let (value, ttl) = (try encode(value), try minTTL.ms("minTTL"))
        return try change { try $0.addAsCreating(resource: value, minTtlMs: ttl) }
    }

    /// Marks a resource as undergoing an operation.
    @discardableResult
    public func markAsProcessing(_ id: Value.ID, _ kind: Kind = .process) throws(ResourceCacheError) -> Changes {
        try change { try $0.markAsProcessing(id: id.description, operation: kind.core) }
    }

    /// Changes what is told of a resource's newest operation: the fields that the value has.
    @discardableResult
    public func updateMetadata(_ id: Value.ID, _ fields: some Encodable) throws(ResourceCacheError) -> Changes {
        let fields = try typed { try JSONEncoder().encode(fields) }
        return try change { try $0.updateMetadata(id: id.description, fields: fields) }
    }

    /// The server accepted an operation, and answered with these bytes, or nothing.
    @discardableResult
    public func acknowledge(_ operation: OperationID, answer: Data = Data()) throws(ResourceCacheError) -> Changes {
        try change { try $0.acknowledge(operation: operation.number, answer: answer) }
    }

    /// An operation failed: for good, unless another attempt follows.
    @discardableResult
    public func fail(_ operation: OperationID, _ error: String, retry: Retry = .no)
        throws(ResourceCacheError) -> Changes
    {
        let retry = try retry.core()
        return try change { try $0.fail(operation: operation.number, error: error, retry: retry) }
    }

    /// The caller makes another attempt at an operation that failed.
    @discardableResult
    public func attempt(_ operation: OperationID) throws(ResourceCacheError) -> Changes {
        try change { try $0.attempt(operation: operation.number) }
    }

    /// Takes one operation back.
    @discardableResult
    public func cancel(_ operation: OperationID) throws(ResourceCacheError) -> Changes {
        try change { try $0.cancel(operation: operation.number) }
    }

    /// Ends every unsettled operation of a resource; what the server has answered stays.
    @discardableResult
    public func revert(_ id: Value.ID) throws(ResourceCacheError) -> Changes {
        try change { try $0.revert(id: id.description) }
    }

    /// Drops a resource; a deletion of it counts as confirmed.
    @discardableResult
    public func remove(_ id: Value.ID) throws(ResourceCacheError) -> Changes {
        try change { try $0.remove(id: id.description) }
    }

    /// Does all that is due. The cache does so by itself at each deadline.
    @discardableResult
    public func handleTimeout() throws(ResourceCacheError) -> Changes {
        try change { try $0.handleTimeout() }
    }

    /// The row of an id, hidden or not; `nil` when there is none, or its value cannot be decoded.
    public func row(_ id: Value.ID) throws(ResourceCacheError) -> Row<Value>? {
        guard let text = try ask({ try $0.getOne(id: id.description) }) else { return nil }
        return try? decode(WrittenRow<Value>.self, text).row
    }

    /// Whether asking the server again is of use: an operation is unsettled.
    public func shouldPoll() throws(ResourceCacheError) -> Bool { try ask { try $0.shouldPoll() } }

    /// Why a row is hidden, shown, or not what the server says, in sentences.
    public func explain(_ id: Value.ID) throws(ResourceCacheError) -> String {
        try typed { try decode(Explanation.self, core.explain(id: id.description)).text }
    }

    /// The whole state but the settings.
    public func save() throws(ResourceCacheError) -> Data { Data(try ask { try $0.save() }.utf8) }
}

private struct Explanation: Decodable { let text: String }

/// Taken before a list call starts.
public struct Fetch: Sendable {
    let token: FetchToken
}

/// What part of the collection a list is; absences count only inside it.
public enum Coverage: Sendable, Equatable {
    /// All of it.
    case complete
    /// These ids.
    case ids([String])
    /// One page in list order, between two resources that are not in it; `nil` for an end of the list.
    case page(after: String?, before: String?)

    var core: ResourceCacheFFI.Coverage {
        switch self {
        case .complete: .complete
        case .ids(let ids): .ids(ids: ids)
        case .page(let after, let before): .page(after: after, before: before)
        }
    }
}
