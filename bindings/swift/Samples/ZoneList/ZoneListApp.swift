import Foundation
import ResourceCache
import ResourceCacheUI
import SwiftUI

/// Where the list is: the lagging server of the scenarios answers here, see the README.
private let api = API(url: URL(string: "http://127.0.0.1:8080/v1") ?? .temporaryDirectory)

@main
struct ZoneListApp: App {
    @State private var zones = Result { try Zones(api: api, folder: Zones.folder()) }

    var body: some Scene {
        WindowGroup {
            switch zones {
            case .success(let zones): ZoneList(zones: zones)
            case .failure(let error): Text(verbatim: "\(error)")
            }
        }
    }
}

struct ZoneList: View {
    let zones: Zones
    @Environment(\.scenePhase) private var phase

    var body: some View {
        NavigationStack {
            List(zones.list.rows) { row in
                ZoneRow(row: row)
                    .swipeActions { Button("Delete", role: .destructive) { zones.delete(row) } }
            }
            .navigationTitle("Zones")
            .toolbar { Button("Undo") { zones.undo() } }
            .refreshable { await zones.refresh() }
            .task { await zones.send() }
            .task { await zones.refresh() }
            .onChange(of: phase) { _, new in
                if new != .inactive { zones.setActive(new == .active) }
            }
        }
    }
}

struct ZoneRow: View {
    let row: Row<Zone>

    var body: some View {
        VStack(alignment: .leading) {
            HStack {
                Text(row.value.name)
                Spacer()
                ResourceStatusBadge(row.badge)
            }
            ResourceProgress(row.progress)
        }
    }
}
