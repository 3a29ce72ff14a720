import Foundation
import ResourceCacheFFI

// A list that several caches keep in one store: an app and its extension, or several processes.
extension ResourceCache {
    /// Under which key it is kept; `nil` where it is in memory alone.
    public func key() throws(ResourceCacheError) -> String? { try ask { try $0.key() } }

    /// Takes what others have committed since. Every call that changes something does so first.
    @discardableResult
    public func sync() throws(ResourceCacheError) -> Changes { try change { try $0.sync() } }

    /// Takes what others commit, soon after they do, until the caller's task is cancelled. While the store is closed or
    /// busy it waits.
    ///
    /// - Parameter interval: How often it looks where the store cannot tell.
    public func followStore(every interval: Duration = .seconds(1)) async throws(ResourceCacheError) {
        var commits: CommitWatch?
        while !Task.isCancelled {
            do throws(ResourceCacheError) {
                if commits == nil { commits = try changing(isPoll: true) { try $0.watch() } }
                try sync()
                if let commits, try await heard(of: commits) { continue }
            } catch {
                guard case .store(_, let kind, let isRetryable, _) = error, isRetryable || kind == "closed" else {
                    throw error
                }
                commits = nil
            }
            if commits == nil { await pause(interval) }
        }
    }

    /// Asks to be the one of several that sends what is queued, for so long; asked again before that is over, goes on
    /// to be. Answers whether it is. From the first call on, ``sendQueued(_:)`` sends only while it is.
    public func lead(as holder: String, for ttl: Duration) throws(ResourceCacheError) -> Bool {
        let ttl = try ttl.ms("ttl")
        return try changing { try $0.lead(holder: holder, ttlMs: ttl) }
    }

    /// Leaves the sending to another.
    public func stepDown(as holder: String) throws(ResourceCacheError) { try changing { try $0.stepDown(holder: holder) } }

    /// Is the one of several that sends what is queued whenever no other is, until the caller's task is cancelled; then
    /// it leaves that to another. It asks thrice as often as its turn lasts.
    ///
    /// - Parameters:
    ///   - holder: Names this cache among those that share the list, such as a UUID.
    ///   - ttl: How long a turn lasts, when its holder is not heard of.
    public func keepLeading(as holder: String, for ttl: Duration = .seconds(15)) async throws(ResourceCacheError) {
        defer { try? stepDown(as: holder) }
        while !Task.isCancelled {
            do throws(ResourceCacheError) {
                _ = try lead(as: holder, for: ttl)
            } catch {
                guard case .store(_, let kind, let isRetryable, _) = error, isRetryable || kind == "closed" else {
                    throw error
                }
            }
            await pause(ttl / 3)
        }
    }

    /// Waits by the cache's clock, or until the task is cancelled.
    private func pause(_ duration: Duration) async {
        try? await time.sleep(time.now() + max(duration.milliseconds, 1))
    }

    /// Whether something was committed. It blocks a thread of its own, not one of Swift's tasks, and not for long.
    private func heard(of commits: CommitWatch) async throws(ResourceCacheError) -> Bool {
        let heard = await withCheckedContinuation { done in
            DispatchQueue.global(qos: .utility).async {
                done.resume(returning: Result { try commits.wait(timeoutMs: 250) })
            }
        }
        return try typed { try heard.get() }
    }
}
