import Foundation
import Testing

private let sources = URL(fileURLWithPath: #filePath).appending(path: "../../../Sources").standardized

/// What the library has and this layer calls nowhere, and why.
private let notCalled = [
    "applyVerb": "the verbs as one text, for a language to which each argument is dear",
    "cancelOperation": "the same as revert",
    "nowMs": "the time is the clock's, which this layer gives the library",
]

@Suite struct SurfaceTests {
    /// The names behind `func` or `init` within a protocol, or at the margin.
    private static func names(_ text: String, _ pattern: String) throws -> [String] {
        let expression = try NSRegularExpression(pattern: pattern, options: [.anchorsMatchLines])
        let whole = NSRange(text.startIndex..., in: text)
        return expression.matches(in: text, range: whole).compactMap { match in
            Range(match.range(at: 1), in: text).map { String(text[$0]) }
        }
    }

    @Test("every call of the library can be reached from this layer") func surface() throws {
        let generated = try String(
            contentsOf: sources.appending(path: "Generated/ResourceCacheFFI.swift"), encoding: .utf8)
        let folder = sources.appending(path: "ResourceCache")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        let layer = try files.map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
            .joined(separator: "\n")
        var found = 0
        for object in ["JsonCache", "Store", "CommitWatch", "WatchSession", "ManualClock"] {
            let start = try #require(generated.range(of: "public protocol \(object)Protocol"))
            let end = try #require(generated.range(of: "\n}", range: start.upperBound..<generated.endIndex))
            for name in try Self.names(String(generated[start.upperBound..<end.lowerBound]), #"^\s+func (\w+)\("#) {
                found += 1
                if notCalled[name] != nil { continue }
                let isCalled = try !Self.names(layer, #"(?:\$0|core|session|commits|hands)\.(\#(name))\("#).isEmpty
                #expect(isCalled, "\(object).\(name) is called nowhere: give it a verb, or say why it has none")
            }
        }
        #expect(found >= 85)
        let functions = try Self.names(generated, #"^public func (\w+)\("#).filter { !$0.hasPrefix("FfiConverter") }
            .filter { !$0.hasPrefix("uniffi") }
        #expect(functions.contains("kubernetesSchema"))
        for name in functions {
            let isCalled = layer.contains("\(name)(")
            #expect(isCalled, "\(name) is called nowhere")
        }
    }
}
