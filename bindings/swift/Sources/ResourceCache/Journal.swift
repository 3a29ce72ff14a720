import Foundation
import ResourceCacheFFI

extension ResourceCache {
    /// Has every accepted call written down from now on, for ``takeJournal()``: to see later how a list came to be as
    /// it is. Begin it while the cache is empty.
    public func keepJournal(_ keep: Bool = true) throws(ResourceCacheError) { try ask { try $0.keepJournal(keep: keep) } }

    /// What was written down since the last time: one JSON text a line, `now` in milliseconds and the `event`.
    public func takeJournal() throws(ResourceCacheError) -> Data { Data(try ask { try $0.takeJournal() }.utf8) }

    /// Applies the lines of a journal, each at its own time, whatever the clock shows: in a cache with the same
    /// settings that is as empty as the other was. Those before one that is refused stay applied.
    public func replay(_ journal: Data) throws(ResourceCacheError) {
        // The time is the lines' own.
        try ask { try $0.replay(journal: journal) }
    }

    /// Applies one event as a journal writes it: the way to what has no verb, such as a batch of several verbs.
    @discardableResult
    public func apply(event: Data) throws(ResourceCacheError) -> Changes { try change { try $0.applyEvent(event: event) } }
}
