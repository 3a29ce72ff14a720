import Foundation
import ResourceCache

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The client of one API, over URLSession.
struct API: Sendable {
    let url: URL

    /// The answer's bytes; an HTTP error is thrown.
    @discardableResult
    func call(_ method: String, _ path: String, _ body: Data? = nil, key: String? = nil) async throws -> Data {
        var request = URLRequest(url: url.appending(path: path))
        request.httpMethod = method
        request.httpBody = body
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue(key, forHTTPHeaderField: "Idempotency-Key")
        let (answer, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard 200..<300 ~= status else { throw HTTPFailure(status: status, "HTTP \(status)") }
        return answer
    }

    @discardableResult
    func call(_ method: String, _ path: String, _ body: String) async throws -> Data {
        try await call(method, path, Data(body.utf8))
    }
}
