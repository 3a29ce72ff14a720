import Foundation

/// The server's time, which stands until the program advances it: the only time of the scenarios. Who sleeps by it is
/// not woken: the program has the cache do what is due.
public final class ServerClock: Clock, @unchecked Sendable {
    /// Milliseconds after 1970-01-01T00:00:00Z.
    public struct Instant: InstantProtocol {
        let ms: Int64

        public func advanced(by duration: Duration) -> Instant {
            Instant(ms: ms + Int64(duration / .milliseconds(1)))
        }
        public func duration(to other: Instant) -> Duration { .milliseconds(other.ms - ms) }
        public static func < (a: Instant, b: Instant) -> Bool { a.ms < b.ms }
    }

    // `@unchecked`: the time is reached only while the lock is held.
    private let lock = NSLock()
    private var ms: Int64 = 0

    public var now: Instant { lock.withLock { Instant(ms: ms) } }
    public var minimumResolution: Duration { .milliseconds(1) }

    func set(ms: Int64) { lock.withLock { self.ms = ms } }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        while true { try await Task.sleep(for: .seconds(3600)) }
    }
}
