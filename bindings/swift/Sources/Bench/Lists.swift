import Foundation

/// One resource, as the other languages' benchmarks have it.
struct Zone: Codable, Sendable, Identifiable, Equatable {
    struct Metadata: Codable, Sendable, Equatable {
        var name: String
        var uid: String
        var resourceVersion: String
        var labels: [String: String]
    }
    struct Spec: Codable, Sendable, Equatable {
        struct SOA: Codable, Sendable, Equatable { var refresh: Int, retry: Int }
        var replicas: Int
        var soa: SOA
        var paused: Bool
    }
    struct Condition: Codable, Sendable, Equatable { var type: String, status: String, lastTransitionTime: String }
    struct Status: Codable, Sendable, Equatable { var conditions: [Condition] }

    var id: String
    var metadata: Metadata
    var spec: Spec
    var status: Status
}

let count = 10_000

private func hex(_ number: UInt64) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
}

func id(_ number: Int) -> String {
    let text = String(number)
    return "zone-" + String(repeating: "0", count: 6 - text.count) + text
}

private func resource(_ number: Int, version: Int) -> String {
    let uid = hex(UInt64(number + 1) &* 0x9E37_79B9_7F4A_7C15)
    let time = "2025-01-19T00:00:00Z"
    return #"{"id":"\#(id(number))","metadata":{"name":"zone-\#(number)","uid":"\#(uid)-4f1c","#
        + #""resourceVersion":"\#(1_000_000 + version)","labels":{"app":"dns","tier":"t\#(number % 5)"}},"#
        + #""spec":{"replicas":\#(number % 7),"soa":{"refresh":3600,"retry":600},"paused":false},"#
        + #""status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"\#(time)"},"#
        + #"{"type":"Synced","status":"True","lastTransitionTime":"\#(time)"}]}}"#
}

private let texts = (0..<count).map { resource($0, version: $0) }

private func body(_ texts: [String]) -> Data { Data("[\(texts.joined(separator: ","))]".utf8) }

let list = body(texts)

/// The list with one resource in a hundred changed; other ones in every round.
func changed(_ round: Int) -> Data {
    var texts = texts
    for number in stride(from: 0, to: count, by: 100) {
        texts[number] = resource(number, version: 500_000 + round * 1000 + number % 1000)
    }
    return body(texts)
}
