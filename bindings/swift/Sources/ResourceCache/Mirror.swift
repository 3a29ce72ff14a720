import Foundation
import ResourceCacheFFI

/// The visible list as values. Only rows that changed are decoded, and only what moves is moved.
struct Mirror<Value: Codable & Sendable & Identifiable> {
    private(set) var revision: UInt64 = 0
    /// Every row's key, in order.
    private(set) var keys: [UInt64] = []
    /// The row of each key; `nil` for one that cannot be decoded.
    private var list: [Row<Value>?] = []
    /// Why the values of some rows cannot be decoded, by the resource's id.
    private(set) var unreadable: [String: String] = [:]
    private var unreadableRows: [UInt64: String] = [:]
    /// The same as `rows`, until something changes.
    private var shown: [Row<Value>]?

    /// The rows that can be decoded, in order.
    var rows: [Row<Value>] {
        mutating get {
            if let shown { return shown }
            let rows = list.compactMap { $0 }
            shown = rows
            return rows
        }
    }

    /// Takes the whole list.
    mutating func take(visible: String, revision: UInt64, decoder: JSONDecoder) {
        (keys, list, unreadable, unreadableRows, shown) = ([], [], [:], [:], nil)
        self.revision = revision
        for text in visible.utf8.split(separator: separator) {
            guard let written = read(Data(text), decoder) else { continue }
            keys.append(written.key)
            list.append(written.row)
        }
    }

    /// Takes what has changed.
    mutating func take(_ applied: Applied, decoder: JSONDecoder) throws {
        guard applied.revision > revision else { return }
        var parts = applied.text.utf8.split(separator: separator, omittingEmptySubsequences: false)[...]
        let rest = parts.popFirst().map { Data($0) } ?? Data()
        let removed = rest.isEmpty ? [] : try JSONDecoder().decode(Rest.self, from: rest).removed.map(\.key)
        shown = nil
        removed.forEach { forget($0) }
        let written = parts.compactMap { read(Data($0), decoder) }
        if removed.isEmpty, let places = places(of: written) {
            for (place, row) in zip(places, written) { list[place] = row.row }
        } else if removed.count + written.count <= 32 {
            move(removed, written)
        } else {
            rebuild(removed, written)
        }
        revision = applied.revision
    }

    /// Where rows stand, when all of them stay where they are.
    private func places(of written: [Written]) -> [Int]? {
        var places: [Int] = []
        var next = 0
        for row in written {
            // They come in the order of the list.
            guard let place = keys[next...].firstIndex(of: row.key),
                row.after == (place == 0 ? nil : keys[place - 1])
            else { return nil }
            places.append(place)
            next = place + 1
        }
        return places
    }

    /// Takes out what is removed or written, then puts each written row behind the one that it names. Each takes a
    /// search of the keys.
    private mutating func move(_ removed: [UInt64], _ written: [Written]) {
        for key in removed + written.map(\.key) {
            guard let place = keys.firstIndex(of: key) else { continue }
            keys.remove(at: place)
            list.remove(at: place)
        }
        for row in written {
            let place = row.after.map { (keys.firstIndex(of: $0) ?? keys.count - 1) + 1 } ?? 0
            keys.insert(row.key, at: place)
            list.insert(row.row, at: place)
        }
    }

    /// The same in one pass, for many.
    private mutating func rebuild(_ removed: [UInt64], _ written: [Written]) {
        var behind: [UInt64?: [Written]] = [:]
        for row in written { behind[row.after, default: []].append(row) }
        let moved = Set(removed).union(written.map(\.key))
        let (oldKeys, oldList) = (keys, list)
        (keys, list) = ([], [])
        // Rows that stand behind one another in a chain follow each other at once.
        func put(behind place: UInt64?) {
            var waiting = (behind[place] ?? []).reversed() as [Written]
            while let row = waiting.popLast() {
                keys.append(row.key)
                list.append(row.row)
                waiting.append(contentsOf: (behind[row.key] ?? []).reversed())
            }
        }
        put(behind: nil)
        for (key, row) in zip(oldKeys, oldList) where !moved.contains(key) {
            keys.append(key)
            list.append(row)
            put(behind: key)
        }
    }

    private mutating func forget(_ key: UInt64) {
        if let id = unreadableRows.removeValue(forKey: key) { unreadable[id] = nil }
    }

    /// One row as it is written, and the key of the row before it.
    private struct Written {
        let key: UInt64
        let after: UInt64?
        let row: Row<Value>?
    }

    private mutating func read(_ text: Data, _ decoder: JSONDecoder) -> Written? {
        do {
            let written = try decoder.decode(WrittenRow<Value>.self, from: text)
            forget(written.row.id)
            return Written(key: written.row.id, after: written.after, row: written.row)
        } catch {
            guard let place = try? JSONDecoder().decode(WrittenPlace.self, from: text) else { return nil }
            forget(place.key)
            unreadable[place.id] = "\(error)"
            unreadableRows[place.key] = place.id
            return Written(key: place.key, after: place.after, row: nil)
        }
    }
}
