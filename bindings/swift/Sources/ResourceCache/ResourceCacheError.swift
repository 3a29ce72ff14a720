import ResourceCacheFFI

/// Why the cache refused a call. Nothing has changed then, unless it is `broken`.
public enum ResourceCacheError: Error, Equatable, CustomStringConvertible {
    /// The lifecycle has no such pair of state and trigger.
    case transition(id: String, state: String, trigger: String, problem: String)
    /// No such resource, or no such operation.
    case notFound(problem: String)
    /// A resource with this id is already visible.
    case alreadyExists(id: String, problem: String)
    /// A value out of range, an empty id, a patch that would change an id, a value that cannot be encoded.
    case badInput(subject: String, problem: String)
    /// A list that cannot be taken; the position of the item that is to blame, from 0.
    case badSnapshot(position: Int?, problem: String)
    /// A batch is refused whole when one of its parts is: those, in the order of the batch.
    case batch(refusals: [Refusal], problem: String)
    /// The store in which the list is kept did not do it. `kind` is `conflict`, `fenced`, `busy`, `unavailable`,
    /// `closed`, `full`, `read_only`, `foreign`, `newer`, `damaged` or `other`; where it is retryable, the same may
    /// succeed later, without anybody's doing.
    case store(key: String?, kind: String, isRetryable: Bool, problem: String)
    /// A fault of the cache itself: it refuses all that follows. Make another from what was saved, or from a list.
    case broken(problem: String)

    /// The whole story.
    public var description: String {
        switch self {
        case .transition(_, _, _, let problem), .notFound(let problem), .alreadyExists(_, let problem),
            .badInput(_, let problem), .badSnapshot(_, let problem), .batch(_, let problem), .store(_, _, _, let problem),
            .broken(let problem):
            problem
        }
    }

    /// Why, in a word: `transition`, `not_found`, `already_exists`, `bad_input`, `bad_snapshot`, `broken`, or
    /// that of the store.
    public var kind: String {
        switch self {
        case .transition: "transition"
        case .notFound: "not_found"
        case .alreadyExists: "already_exists"
        case .badInput: "bad_input"
        case .badSnapshot: "bad_snapshot"
        case .batch(let refusals, _): refusals.first?.kind ?? "bad_input"
        case .store(_, let kind, _, _): kind
        case .broken: "broken"
        }
    }

    init(_ error: CacheError) {
        switch error {
        case .Transition(let id, let state, let trigger, let problem):
            self = .transition(id: id, state: state, trigger: trigger, problem: problem)
        case .NotFound(_, _, let problem): self = .notFound(problem: problem)
        case .AlreadyExists(let id, let problem): self = .alreadyExists(id: id, problem: problem)
        case .BadInput(let subject, let problem): self = .badInput(subject: subject, problem: problem)
        case .BadSnapshot(let position, let problem):
            self = .badSnapshot(position: position.map(Int.init), problem: problem)
        case .Batch(let refusals, _, let problem):
            let refusals = refusals.map { Refusal(id: $0.id, kind: $0.kind, problem: $0.problem) }
            self = .batch(refusals: refusals, problem: problem)
        case .Store(let key, let kind, let retryable, let problem):
            self = .store(key: key, kind: kind, isRetryable: retryable, problem: problem)
        case .Broken(let problem): self = .broken(problem: problem)
        }
    }
}

/// One part of a batch that was refused.
public struct Refusal: Sendable, Equatable {
    /// The resource.
    public let id: String
    /// Why, in a word.
    public let kind: String
    /// The whole story.
    public let problem: String
}

/// Runs a call of the library; what it throws is typed.
func typed<R>(_ call: () throws -> R) throws(ResourceCacheError) -> R {
    do {
        return try call()
    } catch let error as CacheError {
        throw ResourceCacheError(error)
    } catch let error as ResourceCacheError {
        throw error
    } catch let error as EncodingError {
        throw .badInput(subject: "value", problem: "the value cannot be encoded as JSON: \(error)")
    } catch {
        throw .broken(problem: "\(error)")
    }
}
