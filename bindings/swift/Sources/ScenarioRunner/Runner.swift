import Foundation
import ResourceCache

/// One scenario, and how it went.
public struct Scenario: Sendable, CustomStringConvertible {
    /// Its name.
    public let name: String
    let json: JSON

    public init(_ json: JSON) {
        self.json = json
        if case .object(let fields) = json, case .string(let name)? = fields["name"] {
            self.name = name
        } else {
            name = "(without a name)"
        }
    }

    public var description: String { name }

    /// The scenarios of a file.
    public static func read(_ file: String) throws -> [Scenario] {
        let text: Data
        do {
            text = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw Ill("cannot be read: \(error)")
        }
        guard let all = try? JSONDecoder().decode([JSON].self, from: text) else { throw Ill("no array of scenarios") }
        if all.isEmpty { throw Ill("holds no scenario") }
        return all.map(Scenario.init)
    }

    /// Runs it: what was expected, and what came instead; `nil` when it passed.
    public func run() -> String? {
        do {
            try runSteps()
            return nil
        } catch let ill as Ill {
            return ill.problem
        } catch {
            return "\(error)"
        }
    }

    private func runSteps() throws {
        var fields = try Fields(json)
        _ = try fields.required("name", String.self)
        _ = try fields.optional("rules", [String].self)
        let world = try World(fields.raw("config") ?? .object([:]))
        let steps: [JSON] = try fields.required("steps")
        try fields.finish()
        if steps.isEmpty { throw Ill("has no steps") }
        for (index, step) in steps.enumerated() {
            do {
                try world.step(step)
            } catch {
                let problem = (error as? Ill)?.problem ?? "\(error)"
                throw Ill("step \(index + 1): \(step.text)\n    \(problem)")
            }
        }
    }
}

private let refusals: Set<String> = ["transition", "not_found", "already_exists", "bad_input", "bad_snapshot"]

extension World {
    func step(_ json: JSON) throws {
        var fields = try Fields(json)
        clock.set(ms: try fields.required("at"))
        switch (try fields.optional("do", String.self), fields.raw("expect")) {
        case (let action?, nil): try act(action, &fields)
        case (nil, let expected?):
            try fields.finish()
            var own = try Fields(expected)
            try expect(&own)
            seenAtExpectation.merge(seen) { _, new in new }
        default: throw Ill("a step has either an action (do) or an expectation (expect)")
        }
    }

    private func act(_ action: String, _ fields: inout Fields) throws {
        let refused: String? = try fields.optional("refused")
        if let refused, !refusals.contains(refused) { throw Ill("refused: \(refused) is no kind of error") }
        let before = try cache.save()
        do {
            let applied = try run(action, &fields)
            if let refused { throw Ill("expected: refused as \(refused)\n    got: accepted") }
            if let applied { try accept(applied) }
        } catch let error as ResourceCacheError {
            guard let refused else { throw Ill("expected: accepted\n    got: refused as \(error.kind): \(error)") }
            if error.kind != refused {
                throw Ill("expected: refused as \(refused)\n    got: refused as \(error.kind): \(error)")
            }
            if try cache.save() != before {
                throw Ill("expected: nothing changed\n    got: the refused action changed the state")
            }
            last = Told()
        }
    }
}

/// Runs scenario files, and prints as the Rust runner does; answers the exit code.
public func runFiles(_ files: [String], print: (String) -> Void) -> Int32 {
    var (passed, failed) = (0, 0)
    for file in files {
        do {
            for scenario in try Scenario.read(file) {
                if let problem = scenario.run() {
                    print("FAILED \(scenario.name)\n    \(problem)")
                    failed += 1
                } else {
                    print("ok     \(scenario.name)")
                    passed += 1
                }
            }
        } catch {
            print("FAILED \(file): \((error as? Ill)?.problem ?? "\(error)")")
            failed += 1
        }
    }
    print("\(passed) passed, \(failed) failed")
    return failed == 0 ? 0 : 1
}
