import Foundation
import ResourceCacheFFI

/// What an accepted call, or several, changed.
public struct Changes: Sendable, Equatable {
    /// The collection's revision afterwards. It only grows.
    public let revision: UInt64
    /// The operations that the call began or went on with.
    public let operations: [OperationID]
    /// How many rows are new, other than before, or elsewhere.
    public let upserted: Int
    /// The rows that are no longer visible, by their keys.
    public let removed: [UInt64]
    /// How operations settled.
    public let outcomes: [Outcome]
    /// What undo or redo left alone.
    public let conflicts: [Conflict]
    /// How many oddities of the input were taken nevertheless, such as an id that stood in the list twice.
    public let warnings: Int

    package init(_ applied: Applied) throws {
        let text = applied.text.utf8
        let rest = Data(text.prefix { $0 != separator })
        let parsed = rest.isEmpty ? nil : try JSONDecoder().decode(Rest.self, from: rest)
        revision = applied.revision
        operations = applied.operations.map(OperationID.init)
        upserted = Int(applied.upserted)
        removed = parsed?.removed.map(\.key) ?? []
        outcomes = parsed?.outcomes ?? []
        conflicts = parsed?.conflicts ?? []
        warnings = parsed?.warnings.count ?? 0
    }
}

/// The number of an operation.
public struct OperationID: Sendable, Hashable {
    package let number: UInt64

    package init(_ number: UInt64) { self.number = number }
}

extension OperationID: Decodable {
    public init(from decoder: any Decoder) throws {
        number = try decoder.singleValueContainer().decode(UInt64.self)
    }
}

/// How an operation settled.
public struct Outcome: Sendable, Equatable, Decodable {
    /// How.
    public enum Settlement: String, Sendable, Decodable {
        /// The server shows it.
        case confirmed
        /// The server did not show it in time; its word shows.
        case notConfirmed = "not_confirmed"
        /// A newer word of the server replaced it.
        case superseded
        /// The server refused it.
        case failed
        /// The user took it back.
        case cancelled
        /// Nothing was heard of it for too long.
        case stale
    }

    /// The operation.
    public let operation: OperationID
    /// The id of its resource at that time.
    public let id: String
    /// What it was to do.
    public let kind: Kind
    /// How it ended.
    public let settlement: Settlement
    /// The error, when it failed.
    public let error: String?
    /// When.
    public let at: Date

    private enum CodingKeys: CodingKey { case operation, id, kind, settlement, error, at }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        operation = try fields.decode(OperationID.self, forKey: .operation)
        id = try fields.decode(String.self, forKey: .id)
        kind = try fields.decode(Kind.self, forKey: .kind)
        settlement = try fields.decode(Settlement.self, forKey: .settlement)
        error = try fields.decodeIfPresent(String.self, forKey: .error)
        at = Date(milliseconds: try fields.decode(Int64.self, forKey: .at))
    }
}

/// What undo or redo left alone, because it is not any more what the step made of it.
public struct Conflict: Sendable, Equatable, Decodable {
    /// Why.
    public enum Reason: Sendable, Equatable {
        /// These fields, by their JSON pointers, were changed since.
        case changed(fields: [String])
        /// The resource is gone.
        case gone
        /// The resource is there already.
        case exists
        /// What the resource was is not known.
        case unknown
        /// The cache refused it.
        case refused(problem: String)
    }

    /// The resource.
    public let id: String
    /// Why.
    public let reason: Reason
    /// The same as a sentence for the user.
    public let text: String
}

extension Conflict.Reason: Decodable {
    private struct Changed: Decodable { let fields: [String] }
    private enum CodingKeys: CodingKey { case changed, refused }

    public init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            switch word {
            case "gone": self = .gone
            case "exists": self = .exists
            default: self = .unknown
            }
            return
        }
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        if let changed = try fields.decodeIfPresent(Changed.self, forKey: .changed) {
            self = .changed(fields: changed.fields)
        } else {
            self = .refused(problem: try fields.decode(String.self, forKey: .refused))
        }
    }
}

/// Stands before each row: no JSON text has it (RFC 7464).
let separator = UInt8(0x1e)

/// Rows that stand behind a separator each, as one JSON array.
func array(of rows: some Collection<UInt8>) -> Data {
    var bytes = [UInt8](rows)
    for place in bytes.indices where bytes[place] == separator { bytes[place] = UInt8(ascii: ",") }
    if bytes.isEmpty { bytes = [UInt8(ascii: "[")] } else { bytes[0] = UInt8(ascii: "[") }
    bytes.append(UInt8(ascii: "]"))
    return Data(bytes)
}

struct Rest: Decodable {
    struct Removed: Decodable { let key: UInt64 }
    struct Anything: Decodable { init(from _: any Decoder) {} }
    let removed: [Removed]
    let outcomes: [Outcome]
    let warnings: [Anything]
    let conflicts: [Conflict]
}
