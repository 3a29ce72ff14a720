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
    mutating func take(visible: String, revision: UInt64, decoder: JSONDecoder) throws {
        let all = try read(visible.utf8, decoder)
        (keys, list, unreadable, unreadableRows, shown) = ([], [], [:], [:], nil)
        for written in all {
            note(written)
            keys.append(written.key)
            list.append(written.row)
        }
        self.revision = revision
    }

    /// Takes what has changed.
    mutating func take(_ applied: Applied, decoder: JSONDecoder) throws {
        guard applied.revision > revision else { return }
        let text = applied.text.utf8
        let rest = text.prefix { $0 != separator }
        let removed = rest.isEmpty ? [] : try JSONDecoder().decode(Rest.self, from: Data(rest)).removed.map(\.key)
        let written = try read(text[rest.endIndex...], decoder)
        shown = nil
        removed.forEach { forget($0) }
        written.forEach { note($0) }
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

    private typealias Written = WrittenRow<Value>

    /// Reads rows, all at once: a decoder takes longer to begin than to read a row.
    private func read(_ rows: some Collection<UInt8>, _ decoder: JSONDecoder) throws -> [Written] {
        if rows.isEmpty { return [] }
        do {
            return try decoder.decode([Written].self, from: array(of: rows))
        } catch {
            // A text that is no JSON to the decoder, such as one that is nested too deep: which one is it?
            return try rows.split(separator: separator).map { try readOne($0, decoder) }
        }
    }

    private func readOne(_ row: some Collection<UInt8>, _ decoder: JSONDecoder) throws -> Written {
        do {
            return try decoder.decode(Written.self, from: Data(row))
        } catch {
            return Written(place: try WrittenPlace(of: row), problem: "\(error)")
        }
    }

    /// Remembers whether a row can be decoded.
    private mutating func note(_ written: Written) {
        forget(written.key)
        guard let problem = written.problem else { return }
        unreadable[written.resourceID] = problem
        unreadableRows[written.key] = written.resourceID
    }
}
