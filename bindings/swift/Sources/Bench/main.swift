// Times the package beside what one would do without it, in one process; prints the table of docs. Run by
// `cargo xtask bench --swift`.

import Foundation
import ResourceCache

/// The least of several rounds of each case, in turns, so that what disturbs one disturbs all.
struct Times {
    private(set) var all: [(name: String, spent: Duration)] = []

    mutating func take(_ name: String, count: Int = 1, _ act: () throws -> Void) rethrows {
        let spent = try ContinuousClock().measure(act) / count
        if let place = all.firstIndex(where: { $0.name == name }) {
            all[place].spent = min(all[place].spent, spent)
        } else {
            all.append((name, spent))
        }
    }

    func ratio(_ name: String, _ other: String) -> Double {
        func spent(_ name: String) -> Duration { all.first { $0.name == name }?.spent ?? .zero }
        return spent(other) / spent(name)
    }
}

/// Decodes all, joins by id, and finds what has changed.
func byHand(_ answer: Data, _ held: inout [String: Zone]) throws -> [Zone] {
    let decoded = try JSONDecoder().decode([Zone].self, from: answer)
    let differing = decoded.filter { held[$0.id] != $0 }
    held = Dictionary(decoded.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    return differing
}

func check(_ holds: Bool, _ what: String) {
    guard !holds else { return }
    FileHandle.standardError.write(Data("bench: \(what)\n".utf8))
    exit(1)
}

func measure() throws -> Times {
    var times = Times()
    var settings = Settings()
    (settings.uid, settings.version) = ("/metadata/uid", "/metadata/resourceVersion")
    let cache = try ResourceCache<Zone>(settings: settings)
    try cache.merge(list)
    var held: [String: Zone] = [:]
    _ = try byHand(list, &held)
    let many = stride(from: 0, to: count, by: 10).map(id)
    for round in 0..<9 {
        let answer = changed(round)
        try times.take("JSONDecoder") { _ = try JSONDecoder().decode([Zone].self, from: answer) }
        try times.take("JSONDecoder and a Dictionary: 1 % changed") {
            check(try byHand(answer, &held).count == count / 100, "by hand 1 % has changed")
        }
        try times.take("merge, 1 % changed, changed rows decoded") {
            check(try cache.merge(answer).upserted == count / 100, "1 % has changed")
        }
        check(cache.current.first?.value == held[id(0)], "both have the same")
        try times.take("merge, identical") { try cache.merge(answer) }
        try cache.merge(list)
        _ = try byHand(list, &held)
        // A cache of its own: what has settled lately is remembered, and would be part of each merge.
        let fresh = try ResourceCache<Zone>(settings: settings)
        try times.take("first fill, all rows decoded") { try fresh.merge(list) }
        try times.take("markAsDeleting", count: many.count) { for id in many { try fresh.markAsDeleting(id) } }
        try times.take("revert", count: many.count) { for id in many { try fresh.revert(id) } }
        try times.take("row", count: many.count) { for id in many { _ = try fresh.row(id) } }
        times.take("current") { check(fresh.current.count == count, "all are there") }
    }
    return times
}

func shown(_ spent: Duration) -> String {
    let microseconds = spent / .microseconds(1)
    func one(_ number: Double) -> String { String(format: "%.1f", number) }
    return microseconds >= 1000 ? "\(one(microseconds / 1000)) ms" : "\(one(microseconds)) µs"
}

let times = try measure()
let merged = "merge, 1 % changed, changed rows decoded"
print("\(String(format: "%.1f", Double(list.count) / 1e6)) MB of 10,000 resources, as structs.\n")
print("| case | against | aim | times as fast |\n| --- | --- | --- | --- |")
for other in ["JSONDecoder", "JSONDecoder and a Dictionary: 1 % changed"] {
    print("| \(merged) | \(other) | ≥ 15 | \(String(format: "%.1f", times.ratio(merged, other))) |")
}
print("\n| case | time |\n| --- | --- |")
for (name, spent) in times.all { print("| \(name) | \(shown(spent)) |") }
