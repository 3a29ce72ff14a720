import Foundation
import Testing

import ResourceCache

@Suite struct HistoryTests {
    let cache: ResourceCache<Zone>

    init() throws {
        cache = try ResourceCache()
        try cache.merge(list)
    }

    @Test("a step is undone and redone, and costs nothing while it was not sent") func queued() throws {
        let later = Duration.seconds(5)
        try cache.perform(
            "Delete 2 zones",
            [Step(.delete("a"), sendAfter: later), Step(.delete("b"), minTTL: .seconds(9), sendAfter: later)])
        #expect(try cache.undoLabels() == ["Delete 2 zones"])
        #expect(shown(cache) == [])
        let undone = try cache.undo()
        #expect(undone.operations.isEmpty && undone.conflicts.isEmpty)
        #expect(shown(cache) == ["a", "b"])
        #expect(try cache.redoLabels() == ["Delete 2 zones"])
        #expect(try cache.pollAttempt()?.id == nil)
        try cache.redo()
        #expect(shown(cache) == [])
        try cache.clearHistory()
        #expect(try cache.undoLabels() == [] && cache.redoLabels() == [])
    }

    @Test("what was sent gets its inverse, for the caller to send") func inverse() throws {
        let done = try cache.perform("Rename", [Step(.update("a", ["name": "new"]))])
        try cache.acknowledge(try #require(done.operations.first))
        let inverse = try #require(try cache.undo().operations.first)
        let request = try #require(try cache.request(of: inverse))
        #expect(request.kind == .update && request.id == "a")
        #expect(request.value == Zone(id: "a", name: "one"))
        #expect(request.patch == Data(#"{"name":"one"}"#.utf8))
        #expect(cache.current[0].value.name == "one")
    }

    @Test("what was changed since is left alone, and told") func conflict() throws {
        let done = try cache.perform("Rename", [Step(.update("a", ["name": "new"]))])
        try cache.acknowledge(try #require(done.operations.first), answer: Data(#"{"id":"a","name":"new"}"#.utf8))
        try cache.observe(Data(#"{"type":"MODIFIED","object":{"id":"a","name":"theirs"}}"#.utf8))
        let conflict = try #require(try cache.undo().conflicts.first)
        #expect(conflict.id == "a" && conflict.reason == .changed(fields: ["/name"]))
        #expect(conflict.text.contains("changed since"))
        #expect(cache.current[0].value.name == "theirs")
    }

    @Test("a resource that is gone is told, too") func gone() throws {
        let done = try cache.perform("Rename", [Step(.update("a", ["name": "new"]))])
        try cache.acknowledge(try #require(done.operations.first), answer: Data(#"{"id":"a","name":"new"}"#.utf8))
        try cache.observe(Data(#"{"type":"DELETED","object":{"id":"a","name":"new"}}"#.utf8))
        #expect(try cache.undo().conflicts.map(\.reason) == [.gone])
    }

    @Test("a step is done whole or not at all") func whole() throws {
        do {
            try cache.perform("Both", [Step(.delete("a")), Step(.create(Zone(id: "b")))])
            Issue.record("accepted")
        } catch {
            guard case .batch(let refusals, _) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(refusals.map(\.kind) == ["already_exists"])
        }
        #expect(shown(cache) == ["a", "b"])
    }

    @Test("labels, keys and the diagram are the core's") func words() throws {
        try cache.setLabels(Labels(processing: "wird bearbeitet"))
        try cache.markAsProcessing("a")
        #expect(cache.current[0].badge?.label == "wird bearbeitet")
        #expect(cacheKey("zones", "a") != cacheKey("zones", "b"))
        #expect(cacheKey("zones", "a", "b") != cacheKey("zones", "a,b"))
        #expect(lifecycleDiagram().hasPrefix("stateDiagram"))
    }

    @Test("a plan says how far an operation is, by what the server's copy says") func plan() throws {
        var settings = Settings()
        settings.progress[.process] = ProgressPlan(
            stages: [
                Stage("waiting", message: "Waiting"), Stage("signing", weight: 3, expected: .seconds(10)),
                Stage("done", weight: 0, end: .complete), Stage("failed", weight: 0, end: .fail(errorAt: "/error")),
            ],
            rules: [ProgressRule(at: "/phase", stages: ["S": "signing", "D": "done", "F": "failed"])],
            stalledAfter: .seconds(30))
        let cache = try ResourceCache<Zone>(settings: settings)
        func observe(_ id: String, _ rest: String) throws {
            try cache.observe(Data(#"{"type":"MODIFIED","object":{"id":"\#(id)",\#(rest)}}"#.utf8))
        }
        try cache.merge(list)
        try cache.markAsProcessing("a")
        try cache.markAsProcessing("b")
        #expect(cache.current[0].progress?.label == "Waiting")
        try observe("a", #""phase":"S""#)
        #expect(cache.current[0].metadata?.stage == "signing")
        #expect(try #require(cache.current[0].progress).percent >= 25)
        try observe("a", #""phase":"D""#)
        #expect(try cache.row("a")?.state == "processed")
        try observe("b", #""phase":"F","error":"no key""#)
        #expect(cache.current[1].metadata?.error == "no key")
    }
}
