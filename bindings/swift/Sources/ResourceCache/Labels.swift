import ResourceCacheFFI

/// The words of badges, in the user's language. What is left out stays English.
public struct Labels: Sendable, Equatable {
    /// Being deleted.
    public var deleting: String?
    /// Being created.
    public var creating: String?
    /// Being updated.
    public var updating: String?
    /// Something else goes on, and says nothing of itself.
    public var processing: String?
    /// The next attempt is to come, and nothing says more.
    public var retrying: String?
    /// Completed, without a message.
    public var processed: String?
    /// Failed, without an error's text.
    public var failed: String?

    public init(
        deleting: String? = nil, creating: String? = nil, updating: String? = nil, processing: String? = nil,
        retrying: String? = nil, processed: String? = nil, failed: String? = nil
    ) {
        self.deleting = deleting
        self.creating = creating
        self.updating = updating
        self.processing = processing
        self.retrying = retrying
        self.processed = processed
        self.failed = failed
    }
}

extension ResourceCache {
    /// The words of all badges from now on; rows that are shown keep theirs until they change.
    public func setLabels(_ labels: Labels) throws(ResourceCacheError) {
        let words = ResourceCacheFFI.Labels(
            deleting: labels.deleting, creating: labels.creating, updating: labels.updating,
            processing: labels.processing, retrying: labels.retrying, processed: labels.processed,
            failed: labels.failed)
        try ask { try $0.setLabels(labels: words) }
    }
}

/// The key under which a collection is kept: a prefix such as `dns-zones`, and what it is of.
public func cacheKey(_ prefix: String, _ arguments: String...) -> String {
    ResourceCacheFFI.cacheKey(prefix: prefix, arguments: arguments)
}

/// The lifecycle of an operation as a Mermaid diagram.
public func lifecycleDiagram() -> String { ResourceCacheFFI.lifecycleDiagram() }

/// Which build of the library this is, for reports of faults.
public func libraryBuild() -> String { ResourceCacheFFI.libraryBuild() }
