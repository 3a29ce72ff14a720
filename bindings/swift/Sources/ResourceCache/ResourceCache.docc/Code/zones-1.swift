import Foundation
import ResourceCache

struct Zone: Codable, Sendable, Identifiable {
    var id: String
    var name: String
}

let zones = try ResourceCache<Zone>()
