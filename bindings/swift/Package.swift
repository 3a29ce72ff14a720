// swift-tools-version: 6.0
import PackageDescription

// Both empty: the library that `cargo xtask swift` has built and put into Library, with Sources/Generated and
// Sources/Header, which are of the same build and not kept. `cargo xtask swift --xcframework` writes a release's.
let url = ""
let checksum = ""

/// An XCFramework that was built here, by its path in this folder.
let xcframework = Context.environment["RESOURCECACHE_XCFRAMEWORK"]
/// Whether the package itself is checked, and not used by another.
let isChecked = Context.environment["RESOURCECACHE_STRICT"] != nil

var settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]
if isChecked { settings.append(.unsafeFlags(["-warnings-as-errors"])) }

let library: Target =
    if !url.isEmpty {
        .binaryTarget(name: "resourcecacheFFI", url: url, checksum: checksum)
    } else if let xcframework {
        .binaryTarget(name: "resourcecacheFFI", path: xcframework)
    } else {
        .target(
            name: "resourcecacheFFI",
            path: "Sources/Header",
            linkerSettings: [
                .unsafeFlags(["-L", "\(Context.packageDirectory)/Library"]),
                .linkedLibrary("resourcecache_ffi"),
                // `import Observation` does not link with the linker that is the default there.
                .unsafeFlags(["-use-ld=lld"], .when(platforms: [.linux])),
            ]
        )
    }

var uses: [Target.Dependency] = ["ResourceCache"]
var targets: [Target] = [
    library,
    .target(
        name: "ResourceCacheFFI", dependencies: ["resourcecacheFFI"], path: "Sources/Generated",
        swiftSettings: settings),
    .target(
        name: "ResourceCache", dependencies: ["ResourceCacheFFI"],
        resources: [.copy("PrivacyInfo.xcprivacy")], swiftSettings: settings),
]
var products: [Product] = [
    .library(name: "ResourceCache", targets: ["ResourceCache"]),
    .library(name: "ResourceCacheUI", targets: ["ResourceCacheUI"]),
]

#if os(Linux)
    // There is no SwiftUI here: the views are held to a stub of it, and only to check them.
    if isChecked {
        targets.append(.target(name: "SwiftUI", path: "SwiftUIStub", exclude: ["README.md"], swiftSettings: settings))
        uses.append("SwiftUI")
        targets.append(
            .target(
                name: "ZoneList", dependencies: uses + ["ResourceCacheUI"], path: "Samples/ZoneList",
                swiftSettings: settings))
    }
#else
    if url.isEmpty {
        targets.append(
            .executableTarget(
                name: "ZoneList", dependencies: ["ResourceCache", "ResourceCacheUI"], path: "Samples/ZoneList",
                swiftSettings: settings))
    }
#endif

targets.append(.target(name: "ResourceCacheUI", dependencies: uses, swiftSettings: settings))

// A release has the library alone.
if url.isEmpty {
    products.append(.executable(name: "conformance", targets: ["conformance"]))
    targets += [
        .target(name: "ScenarioRunner", dependencies: ["ResourceCache", "ResourceCacheFFI"], swiftSettings: settings),
        .executableTarget(
            name: "conformance", dependencies: ["ScenarioRunner"], path: "Sources/Runner", swiftSettings: settings),
        .executableTarget(name: "bench", dependencies: ["ResourceCache"], path: "Sources/Bench", swiftSettings: settings),
        .target(
            name: "SampleScenarios", dependencies: ["ResourceCache"], path: "Samples/Scenarios/Library",
            swiftSettings: settings),
        .executableTarget(
            name: "scenarios", dependencies: ["SampleScenarios"], path: "Samples/Scenarios/Program",
            swiftSettings: settings),
        .testTarget(
            name: "ResourceCacheTests",
            dependencies: ["ResourceCache", "ScenarioRunner", "ResourceCacheFFI", "SampleScenarios"],
            swiftSettings: settings),
        .testTarget(
            name: "ResourceCacheUITests", dependencies: ["ResourceCache", "ResourceCacheUI"], swiftSettings: settings),
    ]
}

let package = Package(
    name: "ResourceCache", platforms: [.macOS(.v14), .iOS(.v17)], products: products, targets: targets)
