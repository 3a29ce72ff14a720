import ResourceCacheFFI

/// Keeps lists, each under a key. Several caches may share it.
///
/// ```swift
/// let store = try Store("sqlite:\(folder.path)/zones.sqlite")
/// let zones = try ResourceCache<Zone>(opening: store)
/// ```
public final class Store: Sendable {
    let core: ResourceCacheFFI.Store

    /// Opens a store by its address: `sqlite:PATH` is one SQLite file, made where there is none; `memory:` is gone with
    /// the process, for tests.
    public convenience init(_ address: String) throws(ResourceCacheError) {
        self.init(core: try typed { try ResourceCacheFFI.Store.open(address: address) })
    }

    init(core: ResourceCacheFFI.Store) { self.core = core }

    /// The keys of the lists after one (from the start for `nil`), in the order of their bytes, so many at most.
    public func keys(after: String? = nil, limit: Int = 1000) throws(ResourceCacheError) -> [String] {
        try typed { try core.keys(after: after, limit: UInt32(clamping: limit)) }
    }

    /// Removes a list for everybody; answers whether there was one.
    @discardableResult
    public func delete(_ key: String) throws(ResourceCacheError) -> Bool {
        try typed { try core.delete(key: key) }
    }

    /// Lets go of the file and every lock on it: call it when the app goes to the background, since iOS ends an app that
    /// holds a lock on a shared file while it is suspended. Until ``reopen()``, what needs the store is refused; what is
    /// in memory can be read.
    public func close() throws(ResourceCacheError) {
        try typed { try core.disconnect() }
    }

    /// Opens it again: call it when the app is back.
    public func reopen() throws(ResourceCacheError) {
        try typed { try core.reconnect() }
    }
}
