import Foundation
import ResourceCacheFFI

/// The visible list as values. Only rows that changed are decoded.
struct Mirror<Value: Codable & Sendable & Identifiable> {
    private(set) var revision: UInt64 = 0
    private var order: [UInt64] = []
    private var rowOf: [UInt64: Row<Value>] = [:]
    /// Why the values of some rows cannot be decoded, by the resource's id.
    private(set) var unreadable: [String: String] = [:]
    private var unreadableRows: [UInt64: String] = [:]

    /// The rows that can be decoded, in order.
    var rows: [Row<Value>] { order.compactMap { rowOf[$0] } }

    /// Every row's key, in order.
    var keys: [UInt64] { order }

    /// Takes the whole list.
    mutating func take(visible: String, revision: UInt64, decoder: JSONDecoder) {
        (order, rowOf, unreadable, unreadableRows) = ([], [:], [:], [:])
        self.revision = revision
        for text in visible.utf8.split(separator: separator) {
            if let (key, _) = keep(Data(text), decoder) { order.append(key) }
        }
    }

    /// Takes what has changed.
    mutating func take(_ applied: Applied, decoder: JSONDecoder) throws {
        guard applied.revision > revision else { return }
        var parts = applied.text.utf8.split(separator: separator, omittingEmptySubsequences: false)[...]
        let rest = parts.popFirst().map { Data($0) } ?? Data()
        let removed = rest.isEmpty ? [] : try JSONDecoder().decode(Rest.self, from: rest).removed.map(\.key)
        removed.forEach { forget($0) }
        var behind: [UInt64?: [UInt64]] = [:]
        var moved = Set(removed)
        for part in parts {
            guard let (key, after) = keep(Data(part), decoder) else { continue }
            behind[after, default: []].append(key)
            moved.insert(key)
        }
        var next: [UInt64] = []
        next.reserveCapacity(order.count + moved.count)
        // Rows that stand behind one another in a chain follow each other at once.
        func put(behind place: UInt64?) {
            var waiting = (behind[place] ?? []).reversed() as [UInt64]
            while let key = waiting.popLast() {
                next.append(key)
                waiting.append(contentsOf: (behind[key] ?? []).reversed())
            }
        }
        put(behind: nil)
        for key in order where !moved.contains(key) {
            next.append(key)
            put(behind: key)
        }
        order = next
        revision = applied.revision
    }

    private mutating func forget(_ key: UInt64) {
        rowOf[key] = nil
        if let id = unreadableRows.removeValue(forKey: key) { unreadable[id] = nil }
    }

    /// Keeps a row as it is written: its key, and that of the row before it.
    private mutating func keep(_ text: Data, _ decoder: JSONDecoder) -> (UInt64, UInt64?)? {
        do {
            let written = try decoder.decode(WrittenRow<Value>.self, from: text)
            forget(written.row.id)
            rowOf[written.row.id] = written.row
            return (written.row.id, written.after)
        } catch {
            guard let place = try? JSONDecoder().decode(WrittenPlace.self, from: text) else { return nil }
            forget(place.key)
            unreadable[place.id] = "\(error)"
            unreadableRows[place.key] = place.id
            return (place.key, place.after)
        }
    }
}
