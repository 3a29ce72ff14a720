import Foundation
import ResourceCache

/// A clock that stands until it is set, for tests. Who sleeps by it wakes when it is set past that time, or, where
/// nothing is to happen between two steps, never.
public final class StandingClock: Clock, Sendable {
    /// Milliseconds after its start.
    public struct Instant: InstantProtocol {
        let ms: Int64

        public func advanced(by duration: Duration) -> Instant {
            let (seconds, attoseconds) = duration.components
            return Instant(ms: ms + seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        }
        public func duration(to other: Instant) -> Duration { .milliseconds(other.ms - ms) }
        public static func < (a: Instant, b: Instant) -> Bool { a.ms < b.ms }
    }

    private struct State {
        var ms: Int64 = 0
        var sleeping: [UUID: (until: Int64, wake: AsyncStream<Void>.Continuation)] = [:]
    }

    private let state = Locked(State())
    private let wakes: Bool

    public init(wakes: Bool) { self.wakes = wakes }

    public var now: Instant { state.with { Instant(ms: $0.ms) } }
    public var minimumResolution: Duration { .milliseconds(1) }

    /// The times at which sleepers are to wake.
    public var deadlines: [Int64] { state.with { $0.sleeping.values.map(\.until).sorted() } }

    /// Sets it; back, too.
    public func set(ms: Int64) {
        state.with { state in
            state.ms = ms
            guard wakes else { return }
            for (id, sleeper) in state.sleeping where sleeper.until <= ms {
                state.sleeping[id] = nil
                sleeper.wake.finish()
            }
        }
    }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let (stream, wake) = AsyncStream.makeStream(of: Void.self)
        let id = UUID()
        state.with { state in
            if wakes && deadline.ms <= state.ms {
                wake.finish()
            } else {
                state.sleeping[id] = (deadline.ms, wake)
            }
        }
        // Cancelling ends the loop.
        for await _ in stream {}
        state.with { $0.sleeping[id] = nil }
        try Task.checkCancellation()
    }
}
