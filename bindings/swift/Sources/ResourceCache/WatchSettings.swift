import ResourceCacheFFI

/// How a ``ResourceWatch`` behaves, and how it reads what a stream tells. What is left out is as said.
public struct WatchSettings: Sendable, Equatable {
    /// From where a stream that broke goes on.
    public enum Resume: Sendable {
        /// From the last version that was told, as Kubernetes and etcd do.
        case version
        /// From the last sequence number. The stream comes first, and the list while it runs.
        case sequence
        /// From nowhere: each new stream needs another list, while it runs.
        case nowhere
    }

    /// How it learns of all that is there.
    public enum Initial: Sendable {
        /// By a list call.
        case list
        /// By the stream, which begins with all there is. A server that refuses is asked for a list.
        case stream
    }

    /// What a message that cannot be read leads to. It is told in either case.
    public enum BadMessages: Sendable {
        /// A list: what the message was to tell may matter.
        case relist
        /// It is passed over.
        case skip
    }

    /// How the messages of a feed are read: a WebSocket's, or server-sent events. Default: they are those of Kubernetes.
    public var feed: Feed?
    /// From where a stream goes on. Default: the last version; for a feed nowhere.
    public var resume: Resume?
    /// How it learns of all that is there. Default: by a list.
    public var initial: Initial?
    /// How many items one list call asks for; 0 all. Default 500; for a feed all.
    public var limit: Int?
    /// Whether the first list may be an old one, for which Kubernetes asks no quorum. Default false.
    public var firstListMayBeOld: Bool?
    /// Whether bookmarks are asked for. Default true; for a feed false.
    public var bookmarks: Bool?
    /// Whether a stream counts as open only when it says that it is ready. Default false.
    public var awaitsReady: Bool?
    /// What a message that cannot be read leads to. Default a list.
    public var badMessages: BadMessages?
    /// How long to wait after failures. Default: exponential, from one second to thirty.
    public var backoff: Backoff?
    /// After how long without a failure the next one counts as the first again. Default ten seconds.
    public var healthyAfter: Duration?
    /// A stream of which nothing was heard for so long counts as broken. Default never.
    public var idleAfter: Duration?
    /// A list call that was not answered for so long counts as failed. Default one minute.
    public var listTimeout: Duration?
    /// How long after the beginning of a list the next one begins at the earliest. Default one second.
    public var listInterval: Duration?
    /// How many events may wait to be applied; a list comes instead of more. Default 10,000.
    public var maxWaiting: Int?
    /// Keys the waits. Default a random one, which is right but for tests.
    public var seed: UInt64?

    public init(feed: Feed? = nil) { self.feed = feed }

    func core() throws(ResourceCacheError) -> ResourceCacheFFI.WatchSettings {
        let resume: ResourceCacheFFI.Resume? =
            switch resume {
            case .version: .version
            case .sequence: .sequence
            case .nowhere: .nowhere
            case nil: nil
            }
        let initial: ResourceCacheFFI.Initial? =
            switch initial {
            case .list: .list
            case .stream: .stream
            case nil: nil
            }
        let badMessages: ResourceCacheFFI.BadMessages? =
            switch badMessages {
            case .relist: .relist
            case .skip: .skip
            case nil: nil
            }
        return ResourceCacheFFI.WatchSettings(
            feed: feed?.core, resume: resume, initial: initial, limit: try limit.whole("limit"),
            firstListMayBeOld: firstListMayBeOld, bookmarks: bookmarks, awaitsReady: awaitsReady,
            badMessages: badMessages, backoff: try backoff?.core(), healthyAfterMs: try healthyAfter.ms("healthyAfter"),
            idleAfterMs: try idleAfter.ms("idleAfter"), listTimeoutMs: try listTimeout.ms("listTimeout"),
            listIntervalMs: try listInterval.ms("listInterval"), maxWaiting: try maxWaiting.whole("maxWaiting"),
            seed: seed)
    }
}

/// Where a feed's messages keep what they tell, by JSON pointers (RFC 6901), and which words they use.
public struct Feed: Sendable, Equatable {
    /// The array of events within a message that may have several. The pointers down to `error` lead on from each of
    /// them; without it, from the message.
    public var events: String?
    /// The word that says what an event tells. Without it, every event tells a resource as it is now.
    public var word: String?
    /// The resource; an array of them in a snapshot. The whole event by default.
    public var resource: String?
    /// The id of the resource, for events that do not tell its body. By default, where the settings have it within the
    /// resource.
    public var id: String?
    /// The version at which it went, for deletions that do not tell the body.
    public var deletedVersion: String?
    /// The idempotency key, or the client's token, of an operation that has failed. By default, the newest operation on
    /// the resource is meant.
    public var key: String?
    /// Why it has failed.
    public var error: String?
    /// The version from which the stream goes on behind the message.
    public var version: String?
    /// The message's number, one more than that of the message before.
    public var sequence: String?
    /// What the words mean; those that are left out mean what they usually do.
    public var words: [Meaning: [String]] = [:]

    /// What a word means. A word that stands nowhere is an error, unless `ignored` has `*`.
    public enum Meaning: Sendable, Hashable, CaseIterable {
        /// A resource came into being. Default `added`, `created`.
        case added
        /// A resource changed, or is as told. Default `modified`, `updated`.
        case modified
        /// A resource is gone. Default `deleted`, `removed`.
        case deleted
        /// Everything else is as it was. Default `bookmark`.
        case bookmark
        /// The stream cannot go on: list again. Default `expired`.
        case expired
        /// All there is. Default `snapshot`.
        case snapshot
        /// All there is was told. Default none.
        case initialEnd
        /// Something changed, and the message does not tell what. Default none.
        case touched
        /// The subscription holds. Default none.
        case ready
        /// An operation has failed. Default `failed`.
        case failed
        /// Passed over. `*` is every other word. Default `heartbeat`, `ping`.
        case ignored
    }

    public init(word: String? = nil, resource: String? = nil) {
        self.word = word
        self.resource = resource
    }

    var core: ResourceCacheFFI.Feed {
        let words = FeedWords(
            added: words[.added], modified: words[.modified], deleted: words[.deleted], bookmark: words[.bookmark],
            expired: words[.expired], snapshot: words[.snapshot], initialEnd: words[.initialEnd],
            touched: words[.touched], ready: words[.ready], failed: words[.failed], ignored: words[.ignored])
        return ResourceCacheFFI.Feed(
            events: events, word: word, resource: resource, id: id, deletedVersion: deletedVersion, key: key,
            error: error, version: version, sequence: sequence, words: self.words.isEmpty ? nil : words)
    }
}

/// Where a watch stands: saved beside the cache's state, it lets the next one go on without a list.
public struct WatchPosition: Sendable, Equatable, Codable {
    /// The last version of which all is applied.
    public let version: String?
    /// The same by the server's count of messages.
    public let sequence: UInt64?

    public init(version: String? = nil, sequence: UInt64? = nil) {
        self.version = version
        self.sequence = sequence
    }

    init(_ core: ResourceCacheFFI.WatchPosition) { self.init(version: core.version, sequence: core.sequence) }

    var core: ResourceCacheFFI.WatchPosition { ResourceCacheFFI.WatchPosition(version: version, sequence: sequence) }
}

/// What a ``ResourceWatch`` is about.
public struct WatchStatus: Sendable, Equatable {
    /// What it does.
    public enum Activity: Sendable {
        /// It learns all that is there.
        case listing
        /// A stream tells what changes, or is being opened.
        case watching
        /// It waits after a failure.
        case backingOff
        /// There is no network.
        case offline
    }

    /// What it does.
    public let activity: Activity
    /// Whether all that the server has told so far is in the cache, and nothing was missed.
    public let isSynced: Bool
    /// Why it last failed, until something goes well.
    public let failure: String?

    init(_ session: WatchSession) {
        activity =
            switch session.state() {
            case .listing: .listing
            case .watching: .watching
            case .backingOff: .backingOff
            case .offline: .offline
            }
        isSynced = session.isSynced()
        failure = session.failure().map { failure in
            (failure.status.map { "HTTP \($0): " } ?? "") + failure.problem
        }
    }
}

extension Settings {
    /// Where Kubernetes keeps things, in resources of one namespace, or of none; its versions are integers.
    public static func kubernetes() throws(ResourceCacheError) -> Settings {
        let schema = try typed { try kubernetesSchema() }
        var settings = Settings()
        (settings.id, settings.uid, settings.version) = (schema.id, schema.uid, schema.version)
        (settings.token, settings.items, settings.listVersion) = (schema.token, schema.items, schema.listVersion)
        settings.versionOrder = .integer
        return settings
    }
}
