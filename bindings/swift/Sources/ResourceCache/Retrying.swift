import ResourceCacheFFI

/// What the outbox does about attempts that fail. What is left out is as said.
public struct RetryPolicy: Sendable, Equatable {
    /// The wait before the next attempt, where the server named none. Default: one second times the number of failed
    /// attempts.
    public var backoff: Backoff?
    /// After so many attempts it gives up; 0 for never. Default 3.
    public var maxAttempts: Int?
    /// When the next attempt would start later than this after the first one, or after coming online since, it gives
    /// up. Default never.
    public var maxAge: Duration?
    /// After how long an attempt that was not answered, nor reported progress, counts as lost. Default 30 seconds.
    public var attemptTimeout: Duration?
    /// The HTTP statuses after which another attempt is of use. Default 408, 425, 429, 500, 502, 503, 504.
    public var retryable: [Int]?

    public init(
        backoff: Backoff? = nil, maxAttempts: Int? = nil, maxAge: Duration? = nil, attemptTimeout: Duration? = nil,
        retryable: [Int]? = nil
    ) {
        self.backoff = backoff
        self.maxAttempts = maxAttempts
        self.maxAge = maxAge
        self.attemptTimeout = attemptTimeout
        self.retryable = retryable
    }

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.RetryPolicy {
        var statuses: [UInt16]?
        if let retryable {
            var read: [UInt16] = []
            for status in retryable { read.append(try httpStatus(status)) }
            statuses = read
        }
        return ResourceCacheFFI.RetryPolicy(
            backoff: try backoff?.core(), maxAttempts: try maxAttempts.whole("maxAttempts"),
            maxAgeMs: try maxAge.ms("maxAge"), attemptTimeoutMs: try attemptTimeout.ms("attemptTimeout"),
            retryable: statuses)
    }
}

/// How long to wait before the next attempt.
public enum Backoff: Sendable, Equatable {
    /// Longer by one step with each failed attempt; the step is the wait after the first.
    case linear(step: Duration)
    /// Any time up to a limit that doubles with each failed attempt, from the first limit to the last.
    case exponential(base: Duration, cap: Duration)

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.Backoff {
        switch self {
        case .linear(let step): .linear(stepMs: try step.ms("step"))
        case .exponential(let base, let cap): .exponential(baseMs: try base.ms("base"), capMs: try cap.ms("cap"))
        }
    }
}

/// Whether another attempt follows a failed one.
public enum Retry: Sendable, Equatable {
    /// None: the operation has failed.
    case no
    /// After ``Settings/retryBackoff`` times the number of failed attempts.
    case afterBackoff
    /// After this long.
    case after(Duration)
    /// As ``RetryPolicy`` says of an HTTP status; with the answer's `Retry-After`, if it had one.
    case byStatus(Int, after: Duration? = nil)

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.Retry {
        switch self {
        case .no: .no
        case .afterBackoff: .backoff
        case .after(let wait): .after(ms: try wait.ms("wait"))
        case .byStatus(let status, let after): .byStatus(status: try httpStatus(status), afterMs: try after.ms("after"))
        }
    }
}

private func httpStatus(_ status: Int) throws(ResourceCacheError) -> UInt16 {
    guard let status = UInt16(exactly: status) else {
        throw .badInput(subject: "status", problem: "status: \(status) is no HTTP status")
    }
    return status
}
