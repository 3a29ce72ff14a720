import Foundation
import SampleScenarios
import Testing

import ResourceCache

/// A server of its own, which ends with its input.
private final class Server {
    let url: URL
    private let process = Process()
    private let input = Pipe()

    init(_ program: String) throws {
        process.executableURL = URL(fileURLWithPath: program)
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte.first.map({ $0 != 0x0a }) ?? false {
            line += byte
        }
        url = try #require(URL(string: String(decoding: line, as: UTF8.self)))
    }

    func end() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

private let program = ProcessInfo.processInfo.environment["RESOURCECACHE_SERVER"]

@Suite struct SampleTests {
    /// The rows of each screen.
    private func screens(_ lines: ArraySlice<String>) -> [[String]] {
        var screens: [[String]] = []
        for line in lines {
            if line.hasPrefix("         ") {
                screens[screens.count - 1].append(line)
            } else {
                screens.append([])
            }
        }
        return screens.filter { !$0.isEmpty }
    }

    @Test(
        "what a user of the sample sees never flickers, and ends as it should",
        .enabled(if: program != nil, "RESOURCECACHE_SERVER names no lagging server"))
    func playing() async throws {
        let server = try Server(try #require(program))
        let printed = Locked<[String]>([])
        do {
            try await scenarios(server.url, isFast: true) { line in printed.with { $0.append(line) } }
        } catch {
            try server.end()
            throw error
        }
        try server.end()
        let lines = printed.with { $0 }
        let starts = try (1...3).map { number in
            try #require(lines.firstIndex { $0.hasPrefix("\(number). ") })
        }
        let (domains, zones, records) = (lines[starts[0]..<starts[1]], lines[starts[1]..<starts[2]], lines[starts[2]...])
        for message in ["Starting registration...", "Registering with", "Activating...", "Registration complete!"] {
            #expect(domains.contains { $0.contains(message) }, "\(message)")
        }
        // Once asked for, the new domain is in every list, once.
        let registered = screens(domains).dropFirst().map { rows in rows.filter { $0.contains("new.example") }.count }
        #expect(registered.count > 16 && Set(registered) == [1])
        // What was deleted and not refused never comes back.
        let deleted = ["zone-1", "zone-3", "zone-5"]
        #expect(screens(zones).dropFirst().joined().allSatisfy { row in deleted.allSatisfy { !row.contains($0) } })
        #expect(zones.last == "Deleted 3 zones. Failed to delete 2 zones.")
        #expect(screens(zones).last?.count == 3)
        // The edit shows at once, and where it has failed, the server's value in the end.
        #expect(screens(records)[1].allSatisfy { $0.contains("ttl 60") })
        let end = try #require(screens(records).last)
        #expect(end.contains { $0.contains("r1") && $0.contains("ttl 60") })
        #expect(end.contains { $0.contains("r2") && $0.contains("ttl 300") })
        #expect(records.contains { $0.contains("of 3") })
    }
}
