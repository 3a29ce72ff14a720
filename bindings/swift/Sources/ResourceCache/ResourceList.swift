import Observation

/// The rows of a cache for a view: `List(zones.rows) { row in ... }`.
@MainActor @Observable
public final class ResourceList<Value: Codable & Sendable & Identifiable>
where Value.ID: LosslessStringConvertible & Sendable {
    /// The visible rows, in order.
    public private(set) var rows: [Row<Value>]

    @ObservationIgnored private var following: Task<Void, Never>?

    /// Follows a cache for as long as the model lives.
    public init(_ cache: ResourceCache<Value>) {
        rows = cache.current
        let stream = cache.rows
        following = Task { [weak self] in
            for await rows in stream {
                guard let self else { return }
                self.rows = rows
            }
        }
    }

    deinit { following?.cancel() }
}
