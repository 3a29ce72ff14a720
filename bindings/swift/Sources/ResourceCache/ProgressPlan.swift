import ResourceCacheFFI

/// How an operation of one kind goes on, from stage to stage, and when it is done.
public struct ProgressPlan: Sendable, Equatable {
    /// The stages, in order. An operation begins in the first.
    public var stages: [Stage]
    /// What the server's copies say; the first rule that has their value counts.
    public var rules: [ProgressRule]
    /// After how long without news it is marked as stalled; `nil` for never.
    public var stalledAfter: Duration?

    public init(stages: [Stage], rules: [ProgressRule] = [], stalledAfter: Duration? = nil) {
        self.stages = stages
        self.rules = rules
        self.stalledAfter = stalledAfter
    }

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.ProgressPlan {
        var written: [ResourceCacheFFI.Stage] = []
        for stage in stages { written.append(try stage.core()) }
        return ResourceCacheFFI.ProgressPlan(
            stages: written, rules: rules.map { ResourceCacheFFI.ProgressRule(at: $0.at, stages: $0.stages) },
            stalledAfterMs: try stalledAfter.ms("stalledAfter"))
    }
}

/// One stage of an operation.
public struct Stage: Sendable, Equatable {
    /// Its name, as metadata has it.
    public var name: String
    /// Its share of the whole, beside those of the other stages; 0 for one that ends.
    public var weight: Int
    /// How long it takes; `nil` when nobody knows.
    public var expected: Duration?
    /// What to tell the user when it begins.
    public var message: String?
    /// What it ends.
    public var end: StageEnd?

    public init(
        _ name: String, weight: Int = 1, expected: Duration? = nil, message: String? = nil, end: StageEnd? = nil
    ) {
        self.name = name
        self.weight = weight
        self.expected = expected
        self.message = message
        self.end = end
    }

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.Stage {
        let weight: UInt32? = try Optional(weight).whole("weight")
        return ResourceCacheFFI.Stage(
            name: name, weight: weight ?? 1, expectedMs: try expected.ms("expected"), message: message, end: end?.core)
    }
}

/// How a stage ends its operation.
public enum StageEnd: Sendable, Equatable {
    /// It is complete.
    case complete
    /// It has failed. Where the server's copy says why, as a JSON pointer; else the stage's message is the error.
    case fail(errorAt: String? = nil)

    var core: ResourceCacheFFI.StageEnd {
        switch self {
        case .complete: .complete
        case .fail(let at): .fail(errorAt: at)
        }
    }
}

/// Which stage a value in the server's copy means.
public struct ProgressRule: Sendable, Equatable {
    /// Where the value stands: a JSON pointer.
    public var at: String
    /// The stage by the value. Other values say nothing.
    public var stages: [String: String]

    public init(at: String, stages: [String: String]) {
        self.at = at
        self.stages = stages
    }
}
