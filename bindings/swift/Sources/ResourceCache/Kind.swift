import ResourceCacheFFI

/// What an operation does to its resource.
public enum Kind: String, Sendable, Decodable, Hashable, CaseIterable {
    /// Makes the resource.
    case create
    /// Changes some of its fields.
    case update
    /// Anything that takes time and changes no field that this client knows.
    case process
    /// Removes it.
    case delete

    init(_ core: ResourceCacheFFI.Kind) {
        switch core {
        case .create: self = .create
        case .update: self = .update
        case .process: self = .process
        case .delete: self = .delete
        }
    }

    var core: ResourceCacheFFI.Kind {
        switch self {
        case .create: .create
        case .update: .update
        case .process: .process
        case .delete: .delete
        }
    }
}
