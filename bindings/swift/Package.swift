// swift-tools-version: 6.0
import PackageDescription

// `cargo xtask swift` writes Sources/Generated, Sources/Header and Library: they are of one build, and not kept.
let library = "\(Context.packageDirectory)/Library"

// Warnings are errors in this package's own code; not in that of who depends on it.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .unsafeFlags(Context.environment["RESOURCECACHE_STRICT"] == nil ? [] : ["-warnings-as-errors"]),
]

let package = Package(
    name: "ResourceCache",
    platforms: [.macOS(.v14), .iOS(.v17)],
    products: [
        .library(name: "ResourceCache", targets: ["ResourceCache"]),
        .executable(name: "conformance", targets: ["conformance"]),
    ],
    targets: [
        .target(
            name: "resourcecacheFFI",
            path: "Sources/Header",
            linkerSettings: [
                .unsafeFlags(["-L", library]),
                .linkedLibrary("resourcecache_ffi"),
                // `import Observation` does not link with the linker that is the default there.
                .unsafeFlags(["-use-ld=lld"], .when(platforms: [.linux])),
            ]
        ),
        .target(
            name: "ResourceCacheFFI", dependencies: ["resourcecacheFFI"], path: "Sources/Generated",
            swiftSettings: strict),
        .target(
            name: "ResourceCache", dependencies: ["ResourceCacheFFI"],
            resources: [.copy("PrivacyInfo.xcprivacy")], swiftSettings: strict),
        .target(name: "ScenarioRunner", dependencies: ["ResourceCache", "ResourceCacheFFI"], swiftSettings: strict),
        .executableTarget(
            name: "conformance", dependencies: ["ScenarioRunner"], path: "Sources/Runner", swiftSettings: strict),
        .testTarget(
            name: "ResourceCacheTests", dependencies: ["ResourceCache", "ScenarioRunner", "ResourceCacheFFI"],
            swiftSettings: strict),
    ]
)
