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
        setTime()
        return Fetch(token: try ask { try $0.beginFetch().token })
    }

    /// Takes a watch event as Kubernetes writes it: an object of `type` and `object`.
    @discardableResult
    public func observe(_ event: Data) throws(ResourceCacheError) -> Changes {
        try change { try $0.observe(event: event) }
    }

    /// A stream told that a resource is gone, and not what it was; the version at which it went, if it told that.
    @discardableResult
    public func observeDeleted(_ id: Value.ID, version: String? = nil) throws(ResourceCacheError) -> Changes {
        try change { try $0.observeDeleted(id: id.description, version: version) }
    }

    /// A stream told that the server gave up work that it had accepted: the operation fails, without another attempt.
    /// One that is not known, or has settled, stays as it is.
    @discardableResult
    public func observeFailed(_ operation: NamedOperation, _ error: String) throws(ResourceCacheError) -> Changes {
        try change { try $0.observeFailed(operation: operation.core, error: error) }
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

    /// The newest operation of a resource is done.
    @discardableResult
    public func complete(_ id: Value.ID) throws(ResourceCacheError) -> Changes {
        try change { try $0.complete(id: id.description) }
    }

    /// The server answered the creation of a temporary id with these bytes: the row stays the same, under its real id.
    @discardableResult
    public func replaceCreated(_ temporary: Value.ID, answer: Data) throws(ResourceCacheError) -> Changes {
        try change { try $0.replaceCreated(tempId: temporary.description, resource: answer) }
    }

    /// The server answered with some fields of a resource, as a JSON object; each replaces the whole's.
    @discardableResult
    public func updateInPlace(_ id: Value.ID, answer: Data) throws(ResourceCacheError) -> Changes {
        try change { try $0.updateInPlace(id: id.description, fields: answer) }
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

    /// Marks several resources, all or none.
    @discardableResult
    public func batchMarkAsProcessing(_ ids: [Value.ID], _ kind: Kind = .process, minTTL: Duration? = nil)
        throws(ResourceCacheError) -> Changes
    {
        let ttl = try minTTL.ms("minTTL")
        return try change {
            try $0.batchMarkAsProcessing(ids: ids.map(\.description), operation: kind.core, minTtlMs: ttl)
        }
    }

    /// Drops several resources, all or none.
    @discardableResult
    public func batchRemove(_ ids: [Value.ID]) throws(ResourceCacheError) -> Changes {
        try change { try $0.batchRemove(ids: ids.map(\.description)) }
    }

    /// Gives up every operation older than this that no live guard protects.
    @discardableResult
    public func cleanupStaleOperations(olderThan age: Duration = .seconds(300)) throws(ResourceCacheError) -> Changes {
        let age = try age.ms("olderThan")
        return try change { try $0.cleanupStaleOperations(olderThanMs: age) }
    }

    /// Takes a list that version 1.0 saved, with its marks; only into an empty collection.
    @discardableResult
    public func importV1(_ list: Data) throws(ResourceCacheError) -> Changes {
        try change { try $0.importV1(list: list) }
    }

    /// Does all that is due. The cache does so by itself at each deadline.
    @discardableResult
    public func handleTimeout() throws(ResourceCacheError) -> Changes {
        try change { try $0.handleTimeout() }
    }
}

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

/// How a server names an operation of this client.
public enum NamedOperation: Sendable, Equatable {
    /// By the resource: its newest operation that has neither failed nor settled is meant.
    case id(String)
    /// By what the client sent with it: an attempt's idempotency key, or the token of a resource that was to be created.
    case key(String)

    var core: ResourceCacheFFI.NamedOperation {
        switch self {
        case .id(let id): .id(id: id)
        case .key(let key): .key(key: key)
        }
    }
}
