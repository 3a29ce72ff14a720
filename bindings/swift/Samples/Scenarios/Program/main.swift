import Foundation
import SampleScenarios

let arguments = CommandLine.arguments.dropFirst()
guard let address = arguments.first(where: { !$0.hasPrefix("--") }), let url = URL(string: address) else {
    let usage = "usage: scenarios URL [--fast]; `cargo run -p resourcecache-lagging-server` prints a URL\n"
    FileHandle.standardError.write(Data(usage.utf8))
    exit(2)
}
try await scenarios(url, isFast: arguments.contains("--fast")) { print($0) }
