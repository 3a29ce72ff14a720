import Foundation
import ResourceCacheFFI

/// One attempt to be sent.
public struct Attempt<Value: Codable & Sendable & Identifiable>: Sendable {
    /// The operation that it is for. It answers for the edits that it carries as well.
    public let operation: OperationID
    /// How many attempts this makes, from 1.
    public let number: Int
    /// What to ask of the server.
    public let kind: Kind
    /// The resource, by the id that it has by now.
    public let id: String
    /// The resource as it is to be, for a creation or an update; as it was, for a deletion. `nil` when it is not known,
    /// or cannot be decoded.
    public let value: Value?
    /// The same as JSON, with the fields that the type does not name.
    public let body: Data?
    /// What an update sets, as a JSON merge patch (RFC 7396). `nil` for no update, or one that a merge patch cannot say:
    /// send the body.
    public let patch: Data?
    /// The same for every attempt of this operation, also after a restart, and for no other: a server that honours it
    /// does the work once (`Idempotency-Key`).
    public let key: String
}

/// What an operation asks of the server, for a caller that sends it by itself.
public struct Request<Value: Codable & Sendable & Identifiable>: Sendable {
    /// The operation.
    public let operation: OperationID
    /// What to ask of the server.
    public let kind: Kind
    /// The resource, by the id that it has by now.
    public let id: String
    /// The resource as it is to be; as it was, for a deletion. `nil` when it is not known, or cannot be decoded.
    public let value: Value?
    /// The same as JSON.
    public let body: Data?
    /// What an update sets, as a JSON merge patch (RFC 7396).
    public let patch: Data?
}

/// What a sender throws when the server has answered with an error: the retry policy judges by the status.
public struct HTTPFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The HTTP status.
    public let status: Int
    /// What to tell the user.
    public let description: String
    /// The answer's `Retry-After`.
    public let retryAfter: Duration?
    /// The answer's body, in which Kubernetes says why.
    public let body: Data?

    public init(status: Int, _ description: String, retryAfter: Duration? = nil, body: Data? = nil) {
        self.body = body
        self.status = status
        self.description = description
        self.retryAfter = retryAfter
    }
}

extension ResourceCache {
    /// Begins one operation, shows it, and leaves its sending to ``sendQueued(_:)``, not before `sendAfter` has passed.
    @discardableResult
    public func queue(_ begin: Begin<Value>, sendAfter: Duration = .zero) throws(ResourceCacheError) -> Changes {
        let step = try write(Step(begin))
        let ms = try sendAfter.ms("sendAfter")
        return try change { try $0.queue(step: step, sendAfterMs: ms) }
    }

    /// The next attempt that may be sent by now, if there is one. ``sendQueued(_:)`` asks by itself.
    public func pollAttempt() throws(ResourceCacheError) -> Attempt<Value>? {
        var attempt: ResourceCacheFFI.Attempt?
        try change(isPoll: true) { core in
            let polled = try core.pollAttempt()
            attempt = polled.attempt
            return polled.applied
        }
        return attempt.map(own)
    }

    /// The attempt of this operation that is under way. So a program finds after a restart what it had sent.
    public func attempt(of operation: OperationID) throws(ResourceCacheError) -> Attempt<Value>? {
        try ask { try $0.attemptOf(operation: operation.number) }.map(own)
    }

    /// What an unsettled operation asks of the server; `nil` for one that is not known, has settled, or waits for the
    /// creation of its resource to be answered.
    public func request(of operation: OperationID) throws(ResourceCacheError) -> Request<Value>? {
        try ask { try $0.requestOf(operation: operation.number) }.map { request in
            Request(
                operation: OperationID(request.operation), kind: Kind(request.kind), id: request.id,
                value: value(request.body), body: request.body.map { Data($0.utf8) },
                patch: request.patch.map { Data($0.utf8) })
        }
    }

    /// How many operations wait to be sent or are under way.
    public func queued() throws(ResourceCacheError) -> Int { Int(try ask { try $0.queued() }) }

    /// Whether attempts may be sent.
    public func isOnline() throws(ResourceCacheError) -> Bool { try ask { try $0.isOnline() } }

    /// Whether attempts may be sent. Offline, the outbox holds them, for as long as it takes.
    @discardableResult
    public func setOnline(_ online: Bool) throws(ResourceCacheError) -> Changes {
        try change { try $0.setOnline(online: online) }
    }

    /// Goes by what the platform says of the network, until it says no more: a stream of "is there one", such as a
    /// `NWPathMonitor` gives.
    public func followConnectivity(_ online: AsyncStream<Bool>) async throws(ResourceCacheError) {
        for await online in online { try setOnline(online) }
    }

    /// Sends what is queued, until the caller's task is cancelled; in one place only, since the cache lives as long.
    ///
    /// An attempt whose call returns is acknowledged, with the bytes of the resource if it returns any. When it throws
    /// ``HTTPFailure``, the retry policy judges by the status; when it throws anything else, it backs off. An attempt
    /// that is cancelled with the task counts as lost after the policy's timeout, and is then sent again with the same
    /// key. So is one whose answer the cache refuses: that ends the sending, and is thrown.
    ///
    /// - Parameter send: Makes one call to the server. Calls run side by side, as many as
    ///   ``Settings/maxUnderWay`` says.
    public func sendQueued(
        _ send: @escaping @Sendable (Attempt<Value>) async throws -> Data?
    ) async throws(ResourceCacheError) {
        let (beats, beat) = pulse()
        defer { beat.finish() }
        let refusal = Locked<ResourceCacheError?>(nil)
        @Sendable func end(_ error: ResourceCacheError) {
            refusal.with { if $0 == nil { $0 = error } }
            beat.finish()
        }
        await withDiscardingTaskGroup { group in
            for await _ in beats {
                do throws(ResourceCacheError) {
                    while !Task.isCancelled, let attempt = try pollAttempt() {
                        group.addTask {
                            do throws(ResourceCacheError) {
                                try await self.answer(attempt, send)
                            } catch {
                                end(error)
                            }
                        }
                    }
                } catch {
                    end(error)
                }
            }
            group.cancelAll()
        }
        if let error = refusal.with({ $0 }) { throw error }
    }

    private func answer(
        _ attempt: Attempt<Value>, _ send: @Sendable (Attempt<Value>) async throws -> Data?
    ) async throws(ResourceCacheError) {
        let answer: Data?
        do {
            answer = try await send(attempt)
        } catch {
            // It may have arrived: it counts as lost later, and is sent again by its key.
            if Task.isCancelled { return }
            let failure = error as? HTTPFailure
            let retry = failure.map { Retry.byStatus($0.status, after: $0.retryAfter) } ?? .afterBackoff
            try fail(attempt.operation, "\(error)", retry: retry)
            return
        }
        try acknowledge(attempt.operation, answer: answer ?? Data())
    }

    private func own(_ attempt: ResourceCacheFFI.Attempt) -> Attempt<Value> {
        Attempt(
            operation: OperationID(attempt.operation), number: Int(attempt.number), kind: Kind(attempt.kind),
            id: attempt.id, value: value(attempt.body), body: attempt.body.map { Data($0.utf8) },
            patch: attempt.patch.map { Data($0.utf8) }, key: attempt.key)
    }

    private func value(_ body: String?) -> Value? { body.flatMap { try? decode(Value.self, $0) } }
}
