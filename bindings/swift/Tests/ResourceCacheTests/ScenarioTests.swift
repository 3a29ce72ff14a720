import Foundation
import ScenarioRunner
import Testing

private let folder = URL(fileURLWithPath: #filePath).appending(path: "../../../../../tests/scenarios").standardized

private func all() throws -> [Scenario] {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
    return try files.sorted().flatMap { try Scenario.read(folder.appending(path: $0).path) }
}

@Suite struct ScenarioTests {
    @Test("the scenarios that every language runs", arguments: try all())
    func scenario(_ scenario: Scenario) {
        let problem = scenario.run()
        #expect(problem == nil, Comment(rawValue: problem ?? ""))
    }

    @Test("there are scenarios") func some() throws {
        #expect(try all().count >= 281)
    }

    static let list = #"{"at":0,"do":"merge","items":[{"id":"a"}]}"#

    @Test(
        "what is not so fails",
        arguments: [
            #"{"visible":[]}"#, #"{"all":[]}"#, #"{"state":{"a":"created"}}"#, #"{"state":{"a":"made"}}"#,
            #"{"status":{"a":"absent"}}"#, #"{"items":{"a":{"n":1}}}"#, #"{"items":{"b":{}}}"#,
            #"{"meta":{"a":{"error":"x"}}}"#, #"{"by_status":{"deleting":["a"]}}"#, #"{"unchanged":true}"#,
            #"{"changed":{"upserted":[]}}"#, #"{"queued":1}"#, #"{"should_poll":true}"#, #"{"next_timeout":0}"#,
            #"{"undo_labels":["x"]}"#, #"{"redo_labels":["x"]}"#, #"{"warnings":1}"#, #"{"attempt":{"op":"x"}}"#,
            #"{"outcomes":[{"id":"a","outcome":"stale"}]}"#, #"{"same_row":[["b","a"]]}"#,
            #"{"conflicts":[{"id":"a","reason":"gone"}]}"#, #"{"requests":{"x":null}}"#, #"{"nonsense":1}"#,
        ])
    func wrong(_ expectation: String) throws {
        #expect(try run(#"{"name":"n","steps":[\#(Self.list),{"at":0,"expect":\#(expectation)}]}"#) != nil)
    }

    @Test(
        "what cannot be read fails",
        arguments: [
            #"{"name":"n","steps":[{"at":0,"do":"merge","items":[{"id":"a"}],"refused":"bad_snapshot"}]}"#,
            #"{"name":"n","steps":[{"at":0,"do":"merge","items":[{}]}]}"#,
            #"{"name":"n","steps":[{"at":0,"do":"merge","items":[{}],"refused":"transition"}]}"#,
            #"{"name":"n","steps":[{"at":0,"do":"nonsense"}]}"#,
            #"{"name":"n","steps":[{"at":0,"do":"tick","nonsense":1}]}"#,
            #"{"name":"n","steps":[{"do":"tick"}]}"#, #"{"name":"n","steps":[{"at":0}]}"#,
            #"{"name":"n","steps":[]}"#, #"{"name":"n","config":{"nonsense":1},"steps":[{"at":0,"do":"tick"}]}"#,
            #"{"name":"n","nonsense":1,"steps":[{"at":0,"do":"tick"}]}"#, "7",
        ])
    func unreadable(_ text: String) throws {
        #expect(try run(text) != nil)
    }

    private func run(_ text: String) throws -> String? {
        Scenario(try JSONDecoder().decode(JSON.self, from: Data(text.utf8))).run()
    }

    @Test("the runner counts, and its exit code tells of any failure") func counting() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (good, empty) = (folder.appending(path: "good").path, folder.appending(path: "empty").path)
        try Data(#"[{"name":"n","steps":[\#(Self.list)]}]"#.utf8).write(to: URL(fileURLWithPath: good))
        try Data("[]".utf8).write(to: URL(fileURLWithPath: empty))
        var lines: [String] = []
        #expect(runFiles([good]) { lines.append($0) } == 0)
        #expect(lines == ["ok     n", "1 passed, 0 failed"])
        lines = []
        #expect(runFiles([good, empty, folder.appending(path: "none").path]) { lines.append($0) } == 1)
        #expect(lines[1] == "FAILED \(empty): holds no scenario")
        #expect(lines.last == "1 passed, 2 failed")
    }
}
