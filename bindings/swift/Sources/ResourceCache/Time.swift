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
    /// Whole milliseconds; a negative duration is refused by the name of what it is.
    func ms(_ what: String) throws(ResourceCacheError) -> UInt64 {
        guard self >= .zero else {
            throw .badInput(subject: what, problem: "\(what): \(self) is negative: give 0 or more")
        }
        return UInt64(milliseconds)
    }

    /// Whole milliseconds.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}

extension Duration? {
    func ms(_ what: String) throws(ResourceCacheError) -> UInt64? {
        guard let self else { return nil }
        return try self.ms(what)
    }
}

extension Int? {
    /// A count; a negative one is refused by the name of what it is.
    func whole<Count: FixedWidthInteger>(_ what: String) throws(ResourceCacheError) -> Count? {
        guard let self else { return nil }
        guard let count = Count(exactly: self) else {
            throw .badInput(subject: what, problem: "\(what): \(self) is not from 0 to \(Count.max)")
        }
        return count
    }
}

extension Date {
    /// Milliseconds after 1970-01-01T00:00:00Z.
    init(milliseconds: Int64) { self.init(timeIntervalSince1970: Double(milliseconds) / 1000) }
}
