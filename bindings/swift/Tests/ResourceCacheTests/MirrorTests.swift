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

/// Reads no text with a word in it, as a decoder does with a text that is no JSON to it.
///
/// `@unchecked`: as the class that it is a kind of, and it has nothing of its own.
private final class Picky: JSONDecoder, @unchecked Sendable {
    override func decode<T: Decodable>(_ type: T.Type, from data: Data) throws -> T {
        if data.range(of: Data("poison".utf8)) != nil { throw Refused() }
        return try super.decode(type, from: data)
    }
}

@Suite struct MirrorTests {
    @Test("a row that the decoder cannot even parse does not take the others along") func poison() throws {
        let cache = try ResourceCache<Zone>(decoder: Picky())
        let odd = #"b\",\"state\":\""#
        try cache.merge(Data(#"[{"id":"a"},{"id":"\#(odd)","name":"poison"},{"id":"c"}]"#.utf8))
        #expect(shown(cache) == ["a", "c"])
        #expect(cache.unreadable == [#"b","state":""#: "Refused()"])
        try cache.merge(Data(#"[{"id":"c"},{"id":"\#(odd)","name":"poison"},{"id":"a"}]"#.utf8))
        #expect(shown(cache) == ["c", "a"])
        let again = try ResourceCache<Zone>(restoring: cache.save(), decoder: Picky())
        #expect(shown(again) == ["c", "a"])
        #expect(again.unreadable.count == 1)
        try cache.merge(Data(#"[{"id":"c"},{"id":"\#(odd)","name":"good"},{"id":"a"}]"#.utf8))
        #expect(cache.current[1].value.name == "good")
        #expect(cache.unreadable.isEmpty)
    }

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
