import Foundation
import ResourceCache

struct Zone: Codable, Sendable, Identifiable {
    var id: String
    var name: String
}

let zones = try ResourceCache<Zone>()
try zones.merge(Data(#"[{"id":"a","name":"one"},{"id":"b","name":"two"}]"#.utf8))
for row in zones.current { print(row.value.name, row.badge?.label ?? "") }

try await zones.deleting("a") {
    // Your call to the server.
}

let sending = Task {
    try await zones.sendQueued { attempt in
        // Your call, with attempt.key as its Idempotency-Key; answers the resource's bytes, or nothing.
        print(attempt.kind, attempt.id)
        return nil
    }
}
try zones.queue(.update("b", ["name": "new"]))
while try zones.queued() > 0 { try await Task.sleep(for: .milliseconds(10)) }
sending.cancel()
