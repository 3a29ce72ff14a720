import Foundation
import Testing

import ResourceCache

/// Random numbers that are the same in every run (SplitMix64).
private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct MirrorTests {
    /// A value of any type under `name`: one that is no text cannot be decoded.
    private static func written(_ zone: (id: String, name: String)) -> String {
        #"{"id":"\#(zone.id)","name":\#(zone.name)}"#
    }

    @Test("the changes lead to the rows of the new list, be they few or many", arguments: 0..<20)
    func following(_ seed: UInt64) throws {
        var random = Random(state: seed)
        let cache = try ResourceCache<Zone>()
        var zones: [(id: String, name: String)] = []
        for round in 0..<40 {
            // Few changes, or up to half of the list.
            let changes = Int.random(in: 0...(round.isMultiple(of: 2) ? 4 : 60), using: &random)
            for _ in 0..<changes {
                let place = Int.random(in: 0...zones.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0 where place < zones.count: zones.remove(at: place)
                case 1 where place < zones.count: zones[place].name = #""\#(round)""#
                case 2 where place < zones.count: zones[place].name = "\(round)"
                case 3 where place < zones.count:
                    let zone = zones.remove(at: place)
                    zones.insert(zone, at: Int.random(in: 0...zones.count, using: &random))
                default:
                    let id = "z\(UInt32.random(in: 0..<UInt32.max, using: &random))"
                    zones.insert((id, #""new""#), at: place)
                }
            }
            try cache.merge(Data("[\(zones.map(Self.written).joined(separator: ","))]".utf8))
            let readable = zones.filter { $0.name.hasPrefix(#"""#) }
            #expect(cache.current.map(\.resourceID) == readable.map(\.id))
            #expect(cache.current.compactMap(\.value.name) == readable.map { String($0.name.dropFirst().dropLast()) })
            #expect(Set(cache.unreadable.keys) == Set(zones.map(\.id)).subtracting(readable.map(\.id)))
        }
    }
}
