import Foundation
import ResourceCacheFFI

/// The settings of one collection. What is left out is as said.
public struct Settings: Sendable {
    /// How long an operation guards what the user asked for, at least. Default one minute.
    public var ttl: Duration?
    /// After how long an operation that is not heard of is given up. Default five minutes.
    public var staleAfter: Duration?
    /// How long a completion lingers before it makes way. Default two seconds.
    public var completedShown: Duration?
    /// How long an error is shown. Default five seconds.
    public var errorShown: Duration?
    /// The wait before the next attempt, times the number of failed ones, where the caller gives none. Default one
    /// second.
    public var retryBackoff: Duration?
    /// What the outbox does about attempts that fail.
    public var retry: RetryPolicy?
    /// How many attempts the outbox has under way at most. Default 6.
    public var maxUnderWay: Int?
    /// How operations of each kind go on, from stage to stage.
    public var progress: [Kind: ProgressPlan] = [:]
    /// How much of what the user did is kept, to be undone.
    public var history: HistoryLimits?
    /// How the server's versions compare. Default opaque.
    public var versionOrder: VersionOrder?
    /// Where resources stand that the server does not list yet. Default at the end.
    public var newItems: NewItems?
    /// What a final failure leaves on screen. Default the server's values.
    public var onFailure: OnFailure?
    /// What items without an id lead to. Default a refusal of the list.
    public var badItems: BadItems?
    /// How many changes of rows are remembered at most. Default 100,000.
    public var changeLog: Int?
    /// How many outcomes are remembered. Default 1,000.
    public var outcomeLog: Int?
    /// Keys the hashing of ids and what the outbox draws. Default a random one, which is right but for tests.
    public var seed: UInt64?
    /// Where resources keep their id: a JSON pointer. Default `/id`.
    public var id: String?
    /// Where resources keep an identity that is never given out twice.
    public var uid: String?
    /// Where resources keep their version.
    public var version: String?
    /// Where resources keep a token that the client chose and the server echoes.
    public var token: String?
    /// Where an answer keeps its list; the whole answer by default.
    public var items: String?
    /// Where an answer keeps the list's own version.
    public var listVersion: String?
    /// What the wall clock shows now; the system's by default. For tests.
    public var epoch: Date?

    public init() {}

    func config() throws(ResourceCacheError) -> Config {
        var plans: [ResourceCacheFFI.Kind: ResourceCacheFFI.ProgressPlan] = [:]
        for (kind, plan) in progress { plans[kind.core] = try plan.core() }
        return Config(
            ttlMs: try ttl.ms("ttl"), staleAfterMs: try staleAfter.ms("staleAfter"),
            completedShownMs: try completedShown.ms("completedShown"), errorShownMs: try errorShown.ms("errorShown"),
            retryBackoffMs: try retryBackoff.ms("retryBackoff"), retry: try retry?.core(),
            maxUnderWay: try maxUnderWay.whole("maxUnderWay"), progress: plans.isEmpty ? nil : plans,
            history: try history?.core(), versionOrder: versionOrder?.core, newItems: newItems?.core,
            onFailure: onFailure?.core, badItems: badItems?.core, changeLog: try changeLog.whole("changeLog"),
            outcomeLog: try outcomeLog.whole("outcomeLog"), seed: seed)
    }

    var schema: Schema {
        Schema(id: id, uid: uid, version: version, token: token, items: items, listVersion: listVersion)
    }
}

/// How the server's versions compare. Nothing is assumed about an opaque one but equality.
public enum VersionOrder: Sendable {
    /// Equal or not, such as an HTTP `ETag`.
    case opaque
    /// Decimal integers of any length, such as Kubernetes' `resourceVersion`.
    case integer
    /// RFC 3339 times.
    case timestamp

    var core: ResourceCacheFFI.VersionOrder {
        switch self {
        case .opaque: .opaque
        case .integer: .integer
        case .timestamp: .timestamp
        }
    }
}

/// Where resources stand that the server does not list yet.
public enum NewItems: Sendable {
    /// Before the list, the newest first.
    case start
    /// After the list, the newest last.
    case end

    var core: ResourceCacheFFI.NewItems {
        switch self {
        case .start: .start
        case .end: .end
        }
    }
}

/// What a final failure leaves on screen.
public enum OnFailure: Sendable {
    /// The server's values at once, with the error for a while.
    case revert
    /// The user's values, marked failed, until the user retries or drops them.
    case keep

    var core: ResourceCacheFFI.OnFailure {
        switch self {
        case .revert: .revert
        case .keep: .keep
        }
    }
}

/// What a list with items that have no id leads to.
public enum BadItems: Sendable {
    /// The list is refused whole.
    case reject
    /// They are skipped with a warning each, unless every item is bad.
    case skip

    var core: ResourceCacheFFI.BadItems {
        switch self {
        case .reject: .reject
        case .skip: .skip
        }
    }
}

/// How much of what the user did is kept.
public struct HistoryLimits: Sendable, Equatable {
    /// How many steps at most. Default 100.
    public var steps: Int?
    /// How many bytes of bodies and values at most. Default 1 MiB.
    public var bytes: Int?

    public init(steps: Int? = nil, bytes: Int? = nil) {
        self.steps = steps
        self.bytes = bytes
    }

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.HistoryLimits {
        ResourceCacheFFI.HistoryLimits(steps: try steps.whole("steps"), bytes: try bytes.whole("bytes"))
    }
}
