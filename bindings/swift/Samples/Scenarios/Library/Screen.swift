import Foundation
import ResourceCache

/// What this program lists.
struct Item: Codable, Sendable, Identifiable {
    var id: String
    var name: String
    var status: String?
    var ttl: Int?
    var token: String?
}

/// One list of the lagging server, and the screen that shows it.
struct Screen {
    let cache: ResourceCache<Item>
    private let api: API
    private let kind: String
    private let isFast: Bool
    private let print: (String) -> Void
    private let clock = ServerClock()
    private let start: Int64

    private struct Now: Decodable {
        let now: Int64
        private enum CodingKeys: String, CodingKey { case now = "now_ms" }
    }

    /// Resets the server, and lists for the first time.
    init(
        _ api: API, _ kind: String, isFast: Bool, _ settings: Settings = Settings(), objects: String, lag: String,
        failures: String = "[]", print: @escaping (String) -> Void
    ) async throws {
        (self.api, self.kind, self.isFast, self.print) = (api, kind, isFast, print)
        try await api.call("POST", "control/reset")
        let now = try JSONDecoder().decode(Now.self, from: await api.call("POST", "control/clock", #"{"manual":true}"#))
        start = now.now
        clock.set(ms: start)
        try await api.call("POST", "control/seed", #"{"\#(kind)":\#(objects)}"#)
        try await api.call("POST", "control/lag", lag)
        try await api.call("POST", "control/failures", failures)
        var settings = settings
        settings.epoch = Date(timeIntervalSince1970: Double(start) / 1000)
        (settings.uid, settings.version, settings.token, settings.items) = ("/uid", "/version", "/token", "/items")
        settings.versionOrder = .integer
        cache = try ResourceCache(settings: settings, clock: clock)
        try await refresh()
    }

    /// What a program does all the time: sends what is due, and lists again.
    func goOn(seconds: Int) async throws {
        for _ in 0..<seconds {
            try await pass(ms: 500)
            try await sendDue()
            try await pass(ms: 500)
            try await refresh()
        }
    }

    private func pass(ms: Int64) async throws {
        let answer = try await api.call("POST", "control/advance", #"{"ms":\#(ms)}"#)
        clock.set(ms: try JSONDecoder().decode(Now.self, from: answer).now)
        try cache.handleTimeout()
        if !isFast { try await Task.sleep(for: .milliseconds(ms)) }
    }

    private func refresh() async throws {
        let fetch = try cache.beginFetch()
        try cache.merge(try await api.call("GET", "v1/\(kind)"), since: fetch)
        show("refresh")
    }

    /// Here time stands still while something is sent; a program in real time calls `cache.sendQueued`.
    private func sendDue() async throws {
        while let attempt = try cache.pollAttempt() {
            do {
                try cache.acknowledge(attempt.operation, answer: try await send(attempt))
            } catch let failure as HTTPFailure {
                try cache.fail(attempt.operation, failure.description, retry: .byStatus(failure.status))
            }
            show("attempt \(attempt.number) to \(attempt.kind) \(attempt.id)")
        }
    }

    private func send(_ attempt: Attempt<Item>) async throws -> Data {
        let one = "v1/\(kind)/\(attempt.id)"
        switch attempt.kind {
        case .delete:
            try await api.call("DELETE", one, nil, key: attempt.key)
            return Data()
        case .create:
            // The server gives it an id of its own.
            let body = try JSONSerialization.jsonObject(with: attempt.body ?? Data("{}".utf8))
            var fields = body as? [String: Any] ?? [:]
            fields["id"] = nil
            let sent = try JSONSerialization.data(withJSONObject: fields)
            let answer = try await api.call("POST", "v1/\(kind)", sent, key: attempt.key)
            // With a job that goes on, it stands beside it.
            let whole = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
            guard let created = whole?["object"] else { return answer }
            return try JSONSerialization.data(withJSONObject: created)
        case .update, .process: return try await api.call("PATCH", one, attempt.patch, key: attempt.key)
        }
    }

    /// Prints the list as a user sees it.
    func show(_ what: String) {
        print(String(format: "%5.1f s  ", Double(clock.now.ms - start) / 1000) + what)
        for row in cache.current {
            let fields = [row.value.name, row.value.ttl.map { "ttl \($0)" }].compactMap { $0 }
            print("         \(row.resourceID)  " + fields.joined(separator: "  ") + text(row.badge) + text(row.progress))
        }
    }
}

/// A badge as text.
private func text(_ badge: StatusBadge?) -> String {
    guard let badge else { return "" }
    let icon =
        switch badge.icon {
        case .spinner: "~"
        case .check: "+"
        case .cross: "x"
        }
    let attempts = badge.retry.map { " (\($0[0]) of \($0[1]))" } ?? ""
    return "  [\(icon) \(badge.label)\(attempts)]"
}

/// A progress bar as text.
private func text(_ progress: ProgressStatus?) -> String {
    guard let progress else { return "" }
    let full = Int(progress.percent / 10)
    let bar = String(repeating: "#", count: full) + String(repeating: ".", count: 10 - full)
    return "  \(bar) \(Int(progress.percent)) % \(progress.label)\(progress.stalled ? " stalled" : "")"
}
