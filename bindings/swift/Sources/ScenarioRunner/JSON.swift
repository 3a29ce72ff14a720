import Foundation

/// Any JSON value.
public enum JSON: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let string = try? value.decode(String.self) {
            self = .string(string)
        } else if let array = try? value.decode([JSON].self) {
            self = .array(array)
        } else {
            self = .object(try value.decode([String: JSON].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .number(let number): try value.encode(number)
        case .string(let string): try value.encode(string)
        case .array(let array): try value.encode(array)
        case .object(let object): try value.encode(object)
        }
    }

    /// Equal as JSON values: 1 is 1.0.
    public static func == (a: JSON, b: JSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): Double(a) == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): Array(a.utf8) == Array(b.utf8)
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }

    /// As text; equal values in equal texts.
    var data: Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(self)) ?? Data()
    }

    var text: String { String(decoding: data, as: UTF8.self) }
}

/// What is wrong with a scenario, or with what came of it.
struct Ill: Error {
    let problem: String
    init(_ problem: String) { self.problem = problem }
}

/// The fields of an object that must be read whole: one that nobody asked for is an error.
struct Fields {
    private var left: [String: JSON]

    init(_ json: JSON) throws {
        guard case .object(let fields) = json else { throw Ill("\(json.text) is no object") }
        left = fields
    }

    func has(_ name: String) -> Bool { left[name] != nil }

    mutating func raw(_ name: String) -> JSON? { left.removeValue(forKey: name) }

    /// A field that may be left out.
    mutating func optional<T: Decodable>(_ name: String, _: T.Type = T.self) throws -> T? {
        guard let value = left.removeValue(forKey: name) else { return nil }
        do {
            return try JSONDecoder().decode(T.self, from: value.data)
        } catch {
            throw Ill("\(name): \(value.text) is not of its type")
        }
    }

    /// A field that must be there.
    mutating func required<T: Decodable>(_ name: String, _: T.Type = T.self) throws -> T {
        guard let value: T = try optional(name) else { throw Ill("\(name): missing") }
        return value
    }

    /// All has been read.
    func finish() throws {
        if !left.isEmpty { throw Ill("unknown: \(left.keys.sorted().joined(separator: ", "))") }
    }
}
