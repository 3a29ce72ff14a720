import Foundation
import ResourceCacheFFI

/// The time of a cache, by a clock that never steps back.
struct Time: Sendable {
    /// Milliseconds after 1970-01-01T00:00:00Z.
    let now: @Sendable () -> Int64
    /// Sleeps until then.
    let sleep: @Sendable (Int64) async throws -> Void

    /// Counts from the wall clock's time of now by a clock.
    init(_ clock: some Clock<Duration>, epoch: Date) {
        let start = clock.now
        let startMs = Int64((epoch.timeIntervalSince1970 * 1000).rounded(.down))
        now = { startMs + start.duration(to: clock.now).milliseconds }
        sleep = { @Sendable until in
            try await clock.sleep(
                until: start.advanced(by: .milliseconds(until - startMs)), tolerance: nil)
        }
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
