//! The package: what it is built of, and its tests.

use std::path::Path;

use crate::run::{Outcome, cargo_text, files, lagging_server, output, readme_example, root};
use crate::swift::files::{copy, folder, write};
use crate::swift::toolchain::Toolchain;

/// Beside what cargo builds; the package's own folder stays as it is in git.
pub(super) const BUILD: &str = "target/swift/build";

/// How the library is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// With checks, for tests.
    Debug,
    /// As it is shipped.
    Release,
}

/// Builds the library, generates the Swift code of it, and puts both where the manifest says.
pub(super) fn assemble(profile: Profile) -> Outcome {
    let of_crate = [
        "--locked",
        "-p",
        "resourcecache-ffi",
        "--features",
        "bindgen",
    ];
    let (options, built): (&[&str], _) = match profile {
        Profile::Debug => (&[], "target/debug"),
        Profile::Release => (&["--release"], "target/release"),
    };
    cargo_text(&[&["build"], options, &of_crate[..]].concat())?;
    let library = root().join(built).join("libresourcecache_ffi.a");
    let generated = root().join("target/generated/swift");
    let arguments = [
        "--bin",
        "uniffi-bindgen",
        "--",
        "generate",
        "--no-format",
        "--config",
        "uniffi.toml",
        "--language",
        "swift",
        "--out-dir",
        &generated.display().to_string(),
        &library.display().to_string(),
    ];
    cargo_text(&[&["run", "--quiet"], options, &of_crate[..], &arguments].concat())?;
    let sources = folder().join("Sources");
    copy(
        &generated.join("ResourceCacheFFI.swift"),
        &sources.join("Generated/ResourceCacheFFI.swift"),
    )?;
    let header = sources.join("Header/include");
    copy(
        &generated.join("resourcecacheFFI.h"),
        &header.join("resourcecacheFFI.h"),
    )?;
    // The generated one names modules that only Apple's platforms have.
    let map = "module resourcecacheFFI {\n    header \"resourcecacheFFI.h\"\n    export *\n}\n";
    write(&header.join("module.modulemap"), map.as_bytes())?;
    write(
        &sources.join("Header/header.c"),
        b"#include \"resourcecacheFFI.h\"\n",
    )?;
    copy(&library, &folder().join("Library/libresourcecache_ffi.a"))
}

/// Runs the package's tests, then its scenario runner, which must print what the Rust one prints, then
/// the README's example in a package of its own.
pub(super) fn test(toolchain: &Toolchain) -> Outcome {
    tests(toolchain, BUILD, &[])?;
    same_as_rust(toolchain)?;
    example(toolchain)
}

/// Runs the package's tests under the thread sanitizer, which fails at the first race.
pub(super) fn sanitized(toolchain: &Toolchain) -> Outcome {
    tests(toolchain, "target/swift/sanitized", &["--sanitize=thread"])
}

fn tests(toolchain: &Toolchain, scratch: &str, options: &[&str]) -> Outcome {
    let server = lagging_server()?;
    let mut test = toolchain.command("env", &folder());
    test.arg("RESOURCECACHE_STRICT=1");
    test.arg(format!("RESOURCECACHE_SERVER={}", server.display()));
    test.args(["swift", "test", "--scratch-path"]);
    // There are none of XCTest.
    test.arg(root().join(scratch))
        .args(["--disable-xctest", "--quiet"]);
    let status = test.args(options).status();
    let status = status.map_err(|e| format!("swift test cannot be started: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("swift test ended with {status}")),
    }
}

/// Runs the benchmarks; answers what they print.
pub(super) fn bench(toolchain: &Toolchain) -> Result<String, String> {
    let mut bench = toolchain.command("swift", &folder());
    bench
        .args(["run", "--quiet", "-c", "release", "--package-path"])
        .arg(folder());
    bench
        .arg("--scratch-path")
        .arg(root().join("target/swift/bench"));
    output(bench.arg("bench"))
}

fn same_as_rust(toolchain: &Toolchain) -> Outcome {
    let scenarios = files("tests/scenarios", "json")?;
    let runner = [
        "run",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-tests",
        "--bin",
        "conformance",
        "--",
    ];
    let named = scenarios.iter().map(String::as_str);
    let rust = cargo_text(&runner.into_iter().chain(named).collect::<Vec<_>>())?;
    let program = root().join(BUILD).join("debug/conformance");
    let mut swift = toolchain.command(&program.display().to_string(), &root());
    let swift = swift.args(&scenarios).output();
    let swift = swift.map_err(|e| format!("the runner cannot be started: {e}"))?;
    let printed = String::from_utf8_lossy(&swift.stdout);
    if !swift.status.success() || printed != rust {
        println!("{printed}");
        return Err("the scenario runners of Swift and Rust differ".into());
    }
    println!("Swift: {}", printed.lines().last().unwrap_or_default());
    Ok(())
}

/// The manifest of a package that depends on this one by its path.
const MANIFEST: &str = r#"// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "Example",
    platforms: [.macOS(.v14)],
    dependencies: [.package(name: "ResourceCache", path: "{path}")],
    targets: [
        .executableTarget(name: "Example", dependencies: [.product(name: "ResourceCache", package: "ResourceCache")]),
        .executableTarget(name: "Tutorial", dependencies: [.product(name: "ResourceCache", package: "ResourceCache")]),
    ]
)
"#;

/// The last step of the tutorial, which has those before it.
const TUTORIAL: &str = "Sources/ResourceCache/ResourceCache.docc/Code/zones-4.swift";

/// Runs the README's example and the tutorial's.
fn example(toolchain: &Toolchain) -> Outcome {
    let code = readme_example("swift")?;
    let example = root().join("target/swift/example");
    let manifest = MANIFEST.replace("{path}", &folder().display().to_string());
    write(&example.join("Package.swift"), manifest.as_bytes())?;
    write(&example.join("Sources/Example/main.swift"), code.as_bytes())?;
    copy(
        &folder().join(TUTORIAL),
        &example.join("Sources/Tutorial/main.swift"),
    )?;
    ["Example", "Tutorial"]
        .iter()
        .try_for_each(|program| run(toolchain, &example, program))
}

fn run(toolchain: &Toolchain, package: &Path, program: &str) -> Outcome {
    let mut run = toolchain.command("swift", package);
    let status = run.args(["run", "--quiet", program]).status();
    let status = status.map_err(|e| format!("swift run cannot be started: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{program} ended with {status}")),
    }
}
