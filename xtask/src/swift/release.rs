//! A release: the XCFramework as an archive, and the package that names it by address and checksum.

use std::env::consts::OS;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::run::{Outcome, cargo, output, root, succeeds};
use crate::swift::files::{copy, copy_all, folder, read, write};
use crate::swift::toolchain::Toolchain;
use crate::swift::xcframework::{self, LIBRARY, NAME, SLICES, Slice};

const MODULE: &str = "resourcecacheFFI";
/// What a release has of the package.
const SOURCES: [&str; 3] = ["ResourceCache", "ResourceCacheUI", "Generated"];

fn build() -> PathBuf {
    root().join("target/swift")
}

fn headers() -> PathBuf {
    folder().join("Sources/Header/include")
}

/// Builds the library for Apple's platforms, and writes the archive and the release's package. Without an address, only
/// the archive. The package has been assembled before.
pub(super) fn run(toolchain: &Toolchain, url: Option<&str>) -> Outcome {
    let missing = missing();
    if !missing.is_empty() {
        return Err(format!(
            "an XCFramework cannot be built here: there is no {}",
            missing.join(", no ")
        ));
    }
    for (_, target) in SLICES.iter().flat_map(|slice| slice.architectures) {
        let release = [
            "build",
            "--release",
            "--locked",
            "-p",
            "resourcecache-ffi",
            "--target",
        ];
        cargo(&[&release[..], &[target]].concat(), &[])?;
    }
    for slice in &SLICES {
        fs::create_dir_all(joined(slice).with_file_name("")).map_err(|e| e.to_string())?;
        let built = |target: &str| {
            root()
                .join("target")
                .join(target)
                .join("release")
                .join(LIBRARY)
        };
        let parts = slice.architectures.iter().map(|(_, target)| built(target));
        output(
            Command::new("lipo")
                .arg("-create")
                .args(parts)
                .arg("-output")
                .arg(joined(slice)),
        )?;
    }
    let whole = build().join(NAME);
    xcframework::assemble(&whole, &headers(), joined)?;
    xcframework::check(&whole, MODULE)?;
    let archive = build().join(format!("{NAME}.zip"));
    xcframework::pack(&whole, &archive)?;
    let checksum = checksum(toolchain, &archive)?;
    println!("{}\nchecksum {checksum}", archive.display());
    let Some(url) = url else { return Ok(()) };
    let release = build().join("release");
    package(&release, url, &checksum)?;
    println!("the release's package: {}", release.display());
    Ok(())
}

/// Where the library of a slice lies when those of its architectures are one.
fn joined(slice: &Slice) -> PathBuf {
    build().join("apple").join(slice.folder).join(LIBRARY)
}

/// What there must be to build for Apple's platforms, and is not.
fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    if OS != "macos" {
        missing.push("macOS".to_string());
    }
    if !succeeds("xcrun", &["--sdk", "iphoneos", "--show-sdk-path"]) {
        missing.push("Xcode with the iOS SDK (xcrun)".into());
    }
    if !succeeds("lipo", &["-info", "/usr/lib/dyld"]) {
        missing.push("lipo".into());
    }
    let installed =
        output(Command::new("rustup").args(["target", "list", "--installed"])).unwrap_or_default();
    for (_, target) in SLICES.iter().flat_map(|slice| slice.architectures) {
        if !installed.lines().any(|line| line == *target) {
            missing.push(format!("Rust for {target} (rustup target add {target})"));
        }
    }
    missing
}

fn checksum(toolchain: &Toolchain, archive: &Path) -> Result<String, String> {
    let mut command = toolchain.command("swift", &folder());
    command.args(["package", "--package-path"]).arg(folder());
    let text = output(command.arg("compute-checksum").arg(archive))?;
    Ok(text.trim().into())
}

/// Writes the package of a release: what is to be pushed to a repository of its own.
fn package(to: &Path, url: &str, checksum: &str) -> Outcome {
    if to.exists() {
        fs::remove_dir_all(to).map_err(|e| format!("{}: {e}", to.display()))?;
    }
    let manifest = String::from_utf8_lossy(&read(&folder().join("Package.swift"))?).into_owned();
    let (old_url, old_checksum) = ("let url = \"\"\n", "let checksum = \"\"\n");
    if !manifest.contains(old_url) || !manifest.contains(old_checksum) {
        return Err("Package.swift: where the address and the checksum go was not found".into());
    }
    let manifest = manifest
        .replace(old_url, &format!("let url = \"{url}\"\n"))
        .replace(old_checksum, &format!("let checksum = \"{checksum}\"\n"));
    write(&to.join("Package.swift"), manifest.as_bytes())?;
    for source in SOURCES {
        let place = Path::new("Sources").join(source);
        copy_all(&folder().join(&place), &to.join(&place))?;
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root().join(licence), &to.join(licence))?;
    }
    copy(&root().join("docs/swift.md"), &to.join("README.md"))
}

/// Tries all of it that needs no Mac, with files in place of libraries: the XCFramework's layout, its archive and
/// checksum, and the manifest in its three forms.
pub(super) fn check(toolchain: &Toolchain) -> Outcome {
    let tried = build().join("tried");
    let whole = tried.join(NAME);
    let stand_in = tried.join("library");
    write(&stand_in, b"!<arch>\n")?;
    xcframework::assemble(&whole, &headers(), |_| stand_in.clone())?;
    xcframework::check(&whole, MODULE)?;
    let archive = tried.join(format!("{NAME}.zip"));
    xcframework::pack(&whole, &archive)?;
    let checksum = checksum(toolchain, &archive)?;
    let release = tried.join("release");
    let url = format!("https://example.com/1.0.0/{NAME}.zip");
    package(&release, &url, &checksum)?;

    let local = manifest(toolchain, &folder(), None)?;
    expect(
        "here",
        &local,
        &[("type", "regular"), ("path", "Sources/Header")],
    )?;
    // A path below the package's folder, as SwiftPM wants it.
    let path = Path::new("Library").join(NAME);
    let by_path = manifest(toolchain, &folder(), Some(&path))?;
    expect(
        "by its path",
        &by_path,
        &[("type", "binary"), ("path", &path.display().to_string())],
    )?;
    let released = manifest(toolchain, &release, None)?;
    expect(
        "released",
        &released,
        &[("type", "binary"), ("url", &url), ("checksum", &checksum)],
    )?;
    // SwiftPM refuses them in a package that is added by its address.
    match released.to_string().contains("unsafeFlags") {
        true => Err("the manifest of a release has unsafe flags".into()),
        false => Ok(()),
    }
}

/// The manifest in a folder, as SwiftPM reads it.
fn manifest(
    toolchain: &Toolchain,
    folder: &Path,
    xcframework: Option<&Path>,
) -> Result<Value, String> {
    let mut command = toolchain.command("env", folder);
    if let Some(path) = xcframework {
        command.arg(format!("RESOURCECACHE_XCFRAMEWORK={}", path.display()));
    }
    command
        .args(["swift", "package", "--package-path"])
        .arg(folder);
    let text = output(command.arg("dump-package"))?;
    serde_json::from_str(&text).map_err(|e| format!("swift package dump-package: {e}"))
}

/// Sees what the library's target is.
fn expect(form: &str, manifest: &Value, fields: &[(&str, &str)]) -> Outcome {
    let targets = manifest["targets"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let library = targets.iter().find(|target| target["name"] == MODULE);
    let library = library.ok_or(format!("the manifest, {form}: there is no {MODULE}"))?;
    match fields.iter().find(|(name, value)| library[*name] != *value) {
        Some((name, value)) => Err(format!(
            "the manifest, {form}: {name} is {}, not {value}",
            library[*name]
        )),
        None => Ok(()),
    }
}
