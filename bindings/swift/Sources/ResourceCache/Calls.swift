import Foundation

/// Calls to the server, and what the list shows around them.
///
/// Each marks the resource, runs the call, and acknowledges the operation, or fails it and throws what the call threw.
/// When the task was cancelled and the call threw, the operation is taken back: what the server has of it, the next
/// list shows. A call that returned is acknowledged, also in a cancelled task.
extension ResourceCache {
    /// Hides a resource, and deletes it by a call.
    public func deleting<R: Sendable>(
        _ id: Value.ID, minTTL: Duration? = nil, isolation: isolated (any Actor)? = #isolation,
        _ call: () async throws -> R
    ) async throws -> R {
        let operation = try begun(markAsDeleting(id, minTTL: minTTL))
        let answer = try await running(operation, isolation: isolation, call)
        try acknowledge(operation)
        return answer
    }

    /// Shows a resource with the fields of the patch, and changes it by a call that answers nothing.
    public func updating(
        _ id: Value.ID, _ patch: some Encodable, isolation: isolated (any Actor)? = #isolation,
        _ call: () async throws -> Void
    ) async throws {
        let operation = try begun(markAsUpdating(id, patch))
        try await running(operation, isolation: isolation, call)
        try acknowledge(operation)
    }

    /// Shows a resource with the fields of the patch, and changes it by a call that answers the bytes of the resource
    /// as it now is.
    @discardableResult
    public func updating(
        _ id: Value.ID, _ patch: some Encodable, isolation: isolated (any Actor)? = #isolation,
        _ call: () async throws -> Data
    ) async throws -> Data {
        let operation = try begun(markAsUpdating(id, patch))
        let answer = try await running(operation, isolation: isolation, call)
        try acknowledge(operation, answer: answer)
        return answer
    }

    /// Shows a new resource under a temporary id, and creates it by a call that answers the bytes of the real one.
    @discardableResult
    public func creating(
        _ value: Value, isolation: isolated (any Actor)? = #isolation, _ call: () async throws -> Data
    ) async throws -> Data {
        let operation = try begun(addAsCreating(value))
        let answer = try await running(operation, isolation: isolation, call)
        try acknowledge(operation, answer: answer)
        return answer
    }

    /// Marks a resource, and runs work that takes time and reports how far it is.
    public func processing<R: Sendable>(
        _ id: Value.ID, isolation: isolated (any Actor)? = #isolation,
        _ call: (ProgressReporter<Value>) async throws -> R
    ) async throws -> R {
        let operation = try begun(markAsProcessing(id))
        let reporter = ProgressReporter(cache: self, id: id)
        let answer = try await running(operation, isolation: isolation) { try await call(reporter) }
        try acknowledge(operation)
        return answer
    }

    private func begun(_ changes: Changes) throws(ResourceCacheError) -> OperationID {
        guard let operation = changes.operations.first else {
            throw .broken(problem: "the call began no operation")
        }
        return operation
    }

    private func running<R: Sendable>(
        _ operation: OperationID, isolation: isolated (any Actor)?, _ call: () async throws -> R
    ) async throws -> R {
        do {
            try Task.checkCancellation()
            return try await call()
        } catch {
            // The call's own error is what the caller must see: one of the cache must not hide it.
            if Task.isCancelled || error is CancellationError {
                _ = try? cancel(operation)
            } else {
                _ = try? fail(operation, "\(error)")
            }
            throw error
        }
    }
}

/// Tells how far work is.
public struct ProgressReporter<Value: Codable & Sendable & Identifiable>: Sendable
where Value.ID: LosslessStringConvertible & Sendable {
    let cache: ResourceCache<Value>
    let id: Value.ID

    /// Reports; what is `nil` stays as it is.
    ///
    /// - Parameters:
    ///   - percent: 0 to 100.
    ///   - stage: The stage that it is in.
    ///   - message: What to tell the user.
    public func report(percent: Double? = nil, stage: String? = nil, message: String? = nil)
        throws(ResourceCacheError)
    {
        try cache.updateMetadata(id, Fields(progress: percent, stage: stage, message: message))
    }
}

private struct Fields: Encodable {
    let progress: Double?
    let stage: String?
    let message: String?
}
