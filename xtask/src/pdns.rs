//! Gets PowerDNS for the tests of a real server. It is unpacked, not installed: nothing on the
//! system changes, and no service starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, cargo_counts, output, root, succeeds};

const PACKAGES: [&str; 3] = ["pdns-server", "pdns-backend-sqlite3", "sqlite3"];

/// What of them the tests look for, here or under `/`.
const NEEDED: [&str; 3] = [
    "usr/sbin/pdns_server",
    "usr/share/pdns-backend-sqlite3",
    "usr/bin/sqlite3",
];

fn folder() -> PathBuf {
    root().join("target/tools/pdns")
}

/// Runs the tests, and prints what they counted. Without PowerDNS they are skipped; in CI they
/// fail.
pub(crate) fn test() -> Outcome {
    if let Err(problem) = fetch() {
        if std::env::var_os("CI").is_some() {
            return Err(problem);
        }
        println!("skipped: {problem}");
        return Ok(());
    }
    let arguments = [
        "test",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-pdns",
        "--",
        "--nocapture",
    ];
    cargo_counts(&arguments, "PowerDNS, ")
}

fn fetch() -> Outcome {
    let unpacked = folder();
    let is_here = |file: &&str| unpacked.join(file).exists() || Path::new("/").join(file).exists();
    if NEEDED.iter().all(is_here) {
        return Ok(());
    }
    let shown = "target/tools/pdns";
    if !succeeds("apt-get", &["--version"]) {
        return Err("PowerDNS is not here, nor is apt-get to get it".into());
    }
    println!(
        "downloads {} and what they need by apt-get, and unpacks them into {shown}",
        PACKAGES.join(", ")
    );
    let debs = unpacked.join("debs");
    std::fs::create_dir_all(debs.join("partial")).map_err(|e| format!("{shown}: {e}"))?;
    if download(&debs).is_err() {
        println!("runs apt-get update: its lists may be old");
        succeeds("apt-get", &["-qq", "update"]);
        download(&debs)?;
    }
    let files = std::fs::read_dir(&debs).map_err(|e| format!("{shown}: {e}"))?;
    let files = files.filter_map(Result::ok).map(|entry| entry.path());
    for deb in files.filter(|path| path.extension().is_some_and(|e| e == "deb")) {
        output(Command::new("dpkg-deb").arg("-x").arg(deb).arg(&unpacked))?;
    }
    match NEEDED.iter().find(|file| !is_here(file)) {
        None => Ok(()),
        Some(file) => Err(format!("the packages of apt-get have no {file}")),
    }
}

/// Downloads what of the packages, and of what they need, is not installed.
fn download(debs: &Path) -> Outcome {
    let mut command = Command::new("apt-get");
    command
        .args(["-qq", "-y", "-o", "Debug::NoLocking=1", "-o"])
        .arg(format!("Dir::Cache::archives={}", debs.display()))
        .args(["install", "--download-only", "--no-install-recommends"])
        .args(PACKAGES);
    output(&mut command).map(drop)
}
