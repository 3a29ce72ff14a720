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
