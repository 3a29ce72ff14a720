import Foundation

/// Makes the calls that a ``ResourceWatch`` asks for: over URLSession, a WebSocket, gRPC.
///
/// Both throw ``HTTPFailure`` for what the server has answered with another status than 200, with its body, in which
/// Kubernetes says why, and anything else when the server was not reached. Their task is cancelled when nothing of the
/// call is wanted any more.
public protocol WatchTransport: Sendable {
    /// Answers the bytes of a list.
    func list(_ call: ListCall) async throws -> Data

    /// Opens a stream, and returns once the server has answered. The stream tells the messages one by one, each whole:
    /// a line of a watch of Kubernetes, the text of a WebSocket's message, the data of a server-sent event.
    func open(_ call: StreamCall) async throws -> AsyncThrowingStream<WatchMessage, any Error>
}

/// A list call to be made.
public struct ListCall: Sendable, Equatable {
    /// How many items at most; `nil` for all.
    public let limit: Int?
    /// Where the chunk before ended.
    public let continueToken: String?
    /// The answer must not be older than this version; `0` takes any. `nil` asks for the newest.
    public let notOlderThan: String?
    /// The query by which Kubernetes is asked for it.
    public let query: [URLQueryItem]
}

/// A stream to be opened.
public struct StreamCall: Sendable, Equatable {
    /// Tell what came after this version.
    public let version: String?
    /// Tell what came after this sequence number.
    public let sequence: UInt64?
    /// Whether bookmarks are asked for.
    public let bookmarks: Bool
    /// Whether it is to begin with all there is, not older than the version.
    public let initialEvents: Bool
    /// The query by which Kubernetes is asked for it.
    public let query: [URLQueryItem]
}

/// One message of a stream.
public struct WatchMessage: Sendable, Equatable {
    /// Its bytes; blank ones say only that the stream is alive.
    public let data: Data
    /// The word beside it, for a feed that says it so, as server-sent events do by `event:`.
    public let word: String?

    public init(_ data: Data, word: String? = nil) {
        self.data = data
        self.word = word
    }

    var isEmpty: Bool { data.allSatisfy { [0x20, 0x09, 0x0a, 0x0d].contains($0) } }
}
