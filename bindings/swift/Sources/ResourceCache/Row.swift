import Foundation
import ResourceCacheFFI

/// One row of the list, as it is to be shown.
public struct Row<Value: Codable & Sendable & Identifiable>: Sendable, Identifiable {
    /// The row's own key. It never changes, also when a temporary id becomes the server's, so that a list does not
    /// mount the row anew.
    public let id: UInt64
    /// The id of the resource, as text.
    public let resourceID: String
    /// The resource: the server's copy with what the user has asked for laid over it.
    public let value: Value
    /// Where it is in the lifecycle: `idle`, `creating`, `created` and so on.
    public let state: String
    /// What goes on, and how far it is; `nil` when nothing does.
    public let metadata: Metadata?
    /// What a status badge shows; `nil` when nothing goes on that a user need know of.
    public let badge: StatusBadge?
    /// What a progress bar shows; `nil` when no progress was reported.
    public let progress: ProgressStatus?

    /// What goes on; `nil` when nothing does, or it is done as far as the user is concerned.
    public var status: ResourceStatus? { metadata?.status }
}

extension Row: Equatable where Value: Equatable {}

/// What goes on with a resource.
public enum ResourceStatus: String, Sendable, Codable, CaseIterable {
    case deleting, creating, updating, processing, retrying

    var core: ResourceCacheFFI.Status {
        switch self {
        case .deleting: .deleting
        case .creating: .creating
        case .updating: .updating
        case .processing: .processing
        case .retrying: .retrying
        }
    }
}

/// What is known of the operation on a resource.
public struct Metadata: Sendable, Equatable, Decodable {
    /// What goes on.
    public let status: ResourceStatus?
    /// 0 to 100.
    public let progress: Double?
    /// The stage that it is in.
    public let stage: String?
    /// How far it is within its stage, 0 to 100.
    public let stageProgress: Double?
    /// When it will be done, if its stages take as long as they are said to.
    public let expectedAt: Date?
    /// Whether nothing was heard of it for as long as its plan says.
    public let stalled: Bool?
    /// What to tell the user.
    public let message: String?
    /// Why it failed.
    public let error: String?
    /// How many attempts failed.
    public let retryCount: Int?
    /// How many there are to be.
    public let maxRetries: Int?
    /// When it began.
    public let startedAt: Date?
    /// When it was acknowledged, completed, or failed.
    public let completedAt: Date?

    private enum CodingKeys: String, CodingKey {
        case status, progress, stage, stageProgress, expectedAt, stalled, message, error, retryCount, maxRetries, startedAt, completedAt
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        // Read as text: a decoder's own strategy for dates is for the user's values.
        func date(_ key: CodingKeys) throws -> Date? {
            guard let text = try fields.decodeIfPresent(String.self, forKey: key) else { return nil }
            let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
            guard let date = try? style.parse(text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: fields, debugDescription: "\(text) is no RFC 3339 time")
            }
            return date
        }
        status = try fields.decodeIfPresent(ResourceStatus.self, forKey: .status)
        progress = try fields.decodeIfPresent(Double.self, forKey: .progress)
        stage = try fields.decodeIfPresent(String.self, forKey: .stage)
        stageProgress = try fields.decodeIfPresent(Double.self, forKey: .stageProgress)
        expectedAt = try date(.expectedAt)
        stalled = try fields.decodeIfPresent(Bool.self, forKey: .stalled)
        message = try fields.decodeIfPresent(String.self, forKey: .message)
        error = try fields.decodeIfPresent(String.self, forKey: .error)
        retryCount = try fields.decodeIfPresent(Int.self, forKey: .retryCount)
        maxRetries = try fields.decodeIfPresent(Int.self, forKey: .maxRetries)
        startedAt = try date(.startedAt)
        completedAt = try date(.completedAt)
    }
}

/// What a status badge shows.
public struct StatusBadge: Sendable, Equatable, Decodable {
    /// How it is coloured.
    public enum Variant: String, Sendable, Decodable { case `default`, secondary, destructive }
    /// Its icon.
    public enum Icon: String, Sendable, Decodable { case spinner, check, cross }

    /// The text.
    public let label: String
    /// The colour.
    public let variant: Variant
    /// The icon.
    public let icon: Icon
    /// Whether the icon spins.
    public let animate: Bool
    /// 0 to 100; 0 is shown.
    public let progress: Double?
    /// How many attempts failed, of how many.
    public let retry: [Int]?
}

extension StatusBadge {
    init(_ core: ResourceCacheFFI.Badge) {
        label = core.label
        variant =
            switch core.variant {
            case .default: .default
            case .secondary: .secondary
            case .destructive: .destructive
            }
        icon =
            switch core.icon {
            case .spinner: .spinner
            case .check: .check
            case .cross: .cross
            }
        animate = core.animate
        progress = core.progress
        retry = core.retry.map { [Int($0.failed), Int($0.limit)] }
    }
}

/// What a progress bar shows.
public struct ProgressStatus: Sendable, Equatable, Decodable {
    /// The message, or else the status.
    public let label: String
    /// 0 to 100.
    public let percent: Double
    /// When it will be done, if its stages take as long as they are said to; `nil` when nobody knows.
    public let expectedAt: Date?
    /// Whether nothing was heard of it for as long as its plan says.
    public let stalled: Bool

    private enum CodingKeys: String, CodingKey {
        case label, percent, stalled
        case expectedAt = "expected_at"
        /// The same, where the user's decoder converts from snake case.
        case converted = "expectedAt"
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        label = try fields.decode(String.self, forKey: .label)
        percent = try fields.decode(Double.self, forKey: .percent)
        stalled = try fields.decode(Bool.self, forKey: .stalled)
        let at = try fields.decodeIfPresent(Int64.self, forKey: .expectedAt)
        expectedAt = try (at ?? fields.decodeIfPresent(Int64.self, forKey: .converted)).map(Date.init(milliseconds:))
    }

    init(_ core: ResourceCacheFFI.ProgressBar) {
        label = core.label
        percent = core.percent
        expectedAt = core.expectedAtMs.map(Date.init(milliseconds:))
        stalled = core.stalled
    }
}

/// A row as the cache writes it. One whose value cannot be decoded does not keep those beside it from being decoded.
struct WrittenRow<Value: Codable & Sendable & Identifiable>: Decodable {
    let key: UInt64
    let resourceID: String
    /// The key of the row before it.
    let after: UInt64?
    /// `nil` when it cannot be decoded.
    let row: Row<Value>?
    /// Why it cannot.
    let problem: String?

    private enum CodingKeys: String, CodingKey {
        case key, id, after, state, meta, badge, progress, body
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        key = try fields.decode(UInt64.self, forKey: .key)
        resourceID = try fields.decode(String.self, forKey: .id)
        after = try fields.decodeIfPresent(UInt64.self, forKey: .after)
        do {
            row = Row(
                id: key, resourceID: resourceID, value: try fields.decode(Value.self, forKey: .body),
                state: try fields.decode(String.self, forKey: .state),
                metadata: try fields.decodeIfPresent(Metadata.self, forKey: .meta),
                badge: try fields.decodeIfPresent(StatusBadge.self, forKey: .badge),
                progress: try fields.decodeIfPresent(ProgressStatus.self, forKey: .progress))
            problem = nil
        } catch {
            row = nil
            problem = "\(error)"
        }
    }

    init(place: WrittenPlace, problem: String) {
        (key, resourceID, after, row, self.problem) = (place.key, place.id, place.after, nil, problem)
    }
}

/// A row's place, which stands before all that is the user's.
struct WrittenPlace: Decodable {
    let key: UInt64
    let id: String
    let after: UInt64?

    /// Reads no further than the place.
    init(of row: some Collection<UInt8>) throws {
        // A text has no such quotes within: they are escaped there.
        let state = Data(#","state":"#.utf8)
        let whole = Data(row)
        let place = whole[..<(whole.range(of: state)?.lowerBound ?? whole.endIndex)] + Data("}".utf8)
        self = try JSONDecoder().decode(Self.self, from: place)
    }
}
