import Foundation
import ResourceCache

private let lag = #""replicas":[1000,6000,3000]"#

/// How a registration goes on, and by which of the server's words.
private let registration = ProgressPlan(
    stages: [
        Stage("initializing", expected: .seconds(3), message: "Starting registration..."),
        Stage("registering", expected: .seconds(3), message: "Registering with registrar..."),
        Stage("activating", expected: .seconds(3), message: "Activating..."),
        Stage("complete", weight: 0, message: "Registration complete!", end: .complete),
        Stage("failed", weight: 0, end: .fail()),
    ],
    rules: [
        ProgressRule(
            at: "/status",
            stages: [
                "pending": "initializing", "registering": "registering", "activating": "activating",
                "registered": "complete", "failed": "failed",
            ])
    ],
    stalledAfter: .seconds(30))

/// Plays the three scenarios against the lagging server at this address, and prints what a user sees.
public func scenarios(_ url: URL, isFast: Bool, print: @escaping (String) -> Void) async throws {
    let api = API(url: url)
    try await register(api, isFast, print)
    try await deleteZones(api, isFast, print)
    try await changeRecords(api, isFast, print)
}

private func register(_ api: API, _ isFast: Bool, _ print: @escaping (String) -> Void) async throws {
    print("1. A domain is registered: stages, progress, completion")
    var settings = Settings()
    settings.progress[.create] = registration
    let screen = try await Screen(
        api, "domains", isFast: isFast, settings,
        objects: #"[{"id":"d1","name":"old.example","status":"registered"}]"#, lag: #"{\#(lag),"job_ms":9000}"#,
        print: print)
    try screen.cache.queue(
        .create(Item(id: "tmp-1", name: "new.example", status: "pending", token: "client-7")))
    screen.show("the user registers new.example")
    try await screen.goOn(seconds: 16)
}

private func deleteZones(_ api: API, _ isFast: Bool, _ print: @escaping (String) -> Void) async throws {
    print("2. Five zones are deleted, two of which fail")
    let zones = (1...6).map { #"{"id":"zone-\#($0)","name":"zone-\#($0).example"}"# }.joined(separator: ",")
    let refusals = [2, 4].map { #"{"method":"DELETE","kind":"zones","id":"zone-\#($0)","status":409}"# }
    let screen = try await Screen(
        api, "zones", isFast: isFast, objects: "[\(zones)]", lag: #"{\#(lag),"delete_ms":2000}"#,
        failures: "[\(refusals.joined(separator: ","))]", print: print)
    let changes = screen.cache.changes
    for number in 1...5 { try screen.cache.queue(.delete("zone-\(number)")) }
    screen.show("the user deletes five")
    try await screen.goOn(seconds: 10)
    var ends: [Outcome.Settlement: Int] = [:]
    for await change in changes {
        for outcome in change.outcomes { ends[outcome.settlement, default: 0] += 1 }
        if ends.values.reduce(0, +) == 5 { break }
    }
    print("Deleted \(ends[.confirmed] ?? 0) zones. Failed to delete \(ends[.failed] ?? 0) zones.")
}

private func changeRecords(_ api: API, _ isFast: Bool, _ print: @escaping (String) -> Void) async throws {
    print("3. Two records are changed: three attempts each, one of them fails for good")
    let busy = [("r1", 2), ("r2", 3)].map {
        #"{"method":"PATCH","kind":"records","id":"\#($0)","times":\#($1),"status":503}"#
    }
    let screen = try await Screen(
        api, "records", isFast: isFast,
        objects: #"[{"id":"r1","name":"www","ttl":300},{"id":"r2","name":"mail","ttl":300}]"#, lag: "{\(lag)}",
        failures: "[\(busy.joined(separator: ","))]", print: print)
    for id in ["r1", "r2"] { try screen.cache.queue(.update(id, ["ttl": 60])) }
    screen.show("the user sets the TTL of both to 60")
    try await screen.goOn(seconds: 15)
}
