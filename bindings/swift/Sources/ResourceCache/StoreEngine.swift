import Foundation
import ResourceCacheFFI

/// A store that your code keeps: in Core Data, a database of its own, a service.
///
/// A list is a revision and parts by name, under a key; the store looks into none of them. It is called by whatever
/// thread calls the cache, while the cache is locked, and so is not `async`: it must not call the cache, nor wait for
/// what does. What it throws becomes the ``ResourceCacheError/store(key:kind:isRetryable:problem:)`` of the call that
/// needed it, and nothing has changed then.
public protocol StoreEngine: Sendable {
    /// A list; `nil` where there is none.
    func load(_ key: String) throws -> StoredList?

    /// At which revision a list is; `nil` where there is none.
    func revision(_ key: String) throws -> String?

    /// If the list is at the revision that is expected (`nil`: there is no such list), writes these parts, removes
    /// those, sets the new revision, all or nothing, and answers true once that is safe. At another revision it changes
    /// nothing, and answers false.
    func commit(
        _ key: String, expected: String?, revision: String, writing: [String: Data], removing: [String]
    ) throws -> Bool

    /// The keys of all lists.
    func keys() throws -> [String]

    /// Removes a list; answers whether there was one.
    func delete(_ key: String) throws -> Bool
}

/// A list as it was committed last.
public struct StoredList: Sendable, Equatable {
    /// The revision that the last commit gave it.
    public var revision: String
    /// Its parts by name.
    public var parts: [String: Data]

    public init(revision: String, parts: [String: Data]) {
        self.revision = revision
        self.parts = parts
    }
}

extension Store {
    /// A store that your code keeps. It has no leases: let one cache alone send what is queued.
    public convenience init(_ engine: any StoreEngine) {
        self.init(core: ResourceCacheFFI.Store.hosted(store: Hosted(engine)))
    }
}

/// One as the library calls it.
private final class Hosted: HostStore {
    private let engine: any StoreEngine

    init(_ engine: any StoreEngine) { self.engine = engine }

    func load(key: String) throws -> StoredCollection? {
        try told { try engine.load(key) }.map { list in
            let parts = list.parts.map { StoredPart(name: $0.key, bytes: $0.value) }
            return StoredCollection(revision: list.revision, parts: parts)
        }
    }

    func revision(key: String) throws -> String? { try told { try engine.revision(key) } }

    func commit(key: String, expected: String?, revision: String, parts: [StoredPart]) throws -> Bool {
        var writing: [String: Data] = [:]
        var removing: [String] = []
        for part in parts {
            if let bytes = part.bytes { writing[part.name] = bytes } else { removing.append(part.name) }
        }
        return try told {
            try engine.commit(key, expected: expected, revision: revision, writing: writing, removing: removing)
        }
    }

    func keys() throws -> [String] { try told { try engine.keys() } }

    func delete(key: String) throws -> Bool { try told { try engine.delete(key) } }

    /// What is thrown crosses the border as text.
    private func told<R>(_ call: () throws -> R) throws -> R {
        do { return try call() } catch { throw HostError.Failed(problem: "\(error)") }
    }
}
