import Foundation
import ResourceCacheFFI
import ScenarioRunner
import Testing

import ResourceCache

// One after the other.
@Suite(.serialized) struct LifetimeTests {
    /// What the process holds in memory, where that can be asked.
    private func megabytes() throws -> Int? {
        guard FileManager.default.fileExists(atPath: "/proc/self/statm") else { return nil }
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * 4096 / 1_000_000
    }

    /// Makes objects, a tenth of them first, and tells by how much memory has grown.
    private func growth(_ count: Int, _ make: (Int) throws -> Void) throws -> Int {
        try make(count / 10)
        let before = try megabytes() ?? 0
        try make(count)
        return try (megabytes() ?? 0) - before
    }

    @Test("three thousand caches leave nothing behind") func caches() throws {
        let padding = String(repeating: "x", count: 20_000)
        let large = Data(#"[{"id":"a","name":"\#(padding)"}]"#.utf8)
        let grown = try growth(3_000) { count in
            for _ in 0..<count {
                let cache = try ResourceCache<Zone>(clock: StandingClock(wakes: false))
                try cache.merge(large)
            }
        }
        // Kept, each would take 40 kB and more: over a hundred megabytes.
        #expect(grown < 60)
    }

    @Test("a million objects of the library leave nothing behind") func objects() throws {
        let cache = try ResourceCache<Zone>(clock: StandingClock(wakes: false))
        // The least of several: what is kept is kept each time, while what other tests do meanwhile is not.
        var least = Int.max
        for _ in 0..<5 {
            let grown = try growth(190_000) { count in
                for number in 0..<count {
                    _ = ManualClock(nowMs: Int64(number))
                    if number.isMultiple(of: 20) { _ = try cache.beginFetch() }
                }
            }
            least = min(least, grown)
        }
        // Kept, each would take 32 bytes and more on either side: six megabytes.
        #expect(least < 5)
    }
}
