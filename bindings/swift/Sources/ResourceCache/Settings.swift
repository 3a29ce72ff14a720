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

    package var more: Config?

    public init() {}

    package var config: Config {
        if let more { return more }
        func ms(_ duration: Duration?) -> UInt64? { duration.map { UInt64(max(0, $0.milliseconds)) } }
        return Config(
            ttlMs: ms(ttl), staleAfterMs: ms(staleAfter), completedShownMs: ms(completedShown),
            errorShownMs: ms(errorShown))
    }

    package var schema: Schema {
        Schema(id: id, uid: uid, version: version, token: token, items: items, listVersion: listVersion)
    }
}
