import Foundation
import ResourceCache

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The client of one API, over URLSession.
struct API: Sendable {
    let url: URL

    func list() async throws -> Data { try await call("GET", url.appending(path: "zones")) }

    /// Sends one attempt of the outbox.
    func send(_ attempt: Attempt<Zone>) async throws -> Data? {
        let one = url.appending(path: "zones/\(attempt.id)")
        switch attempt.kind {
        case .create: return try await call("POST", url.appending(path: "zones"), attempt)
        case .delete:
            _ = try await call("DELETE", one, attempt)
            return nil
        case .update, .process: return try await call("PATCH", one, attempt)
        }
    }

    private func call(_ method: String, _ url: URL, _ attempt: Attempt<Zone>? = nil) async throws -> Data {
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = attempt?.patch ?? attempt?.body
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        if let attempt { request.setValue(attempt.key, forHTTPHeaderField: "Idempotency-Key") }
        let (body, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard 200..<300 ~= status else { throw HTTPFailure(status: status, "HTTP \(status)") }
        return body
    }
}
