import Foundation
import ScenarioRunner

let files = Array(CommandLine.arguments.dropFirst())
if files.isEmpty {
    FileHandle.standardError.write(Data("usage: conformance FILE...\n".utf8))
    exit(2)
}
exit(runFiles(files) { print($0) })
