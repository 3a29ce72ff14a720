//! Changes the core in one place at a time, and sees whether a test fails (cargo-mutants).

use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::run::{Outcome, cargo, root, succeeds, with_block};

const VERSION: &str = "27.1";
const PAGE: &str = "docs/mutants.md";

/// What decides: the transitions, a row's operations, merging, what is shown, what is due.
const FILES: [&str; 7] = [
    "state",
    "lifecycle",
    "operation",
    "row",
    "merge",
    "view",
    "deadline",
];

/// The tests that judge: examples, scenarios and properties.
const TESTS: [&str; 10] = [
    "document",
    "gathering",
    "outbox",
    "record",
    "polling",
    "view_model",
    "lifecycle",
    "conformance",
    "promises",
    "properties",
];

/// Few histories of each property: a mutant is to be judged in seconds.
const CASES: &str = "60";
const TIMEOUT: &str = "--timeout=40";

/// How much is tried.
#[derive(Args)]
pub(crate) struct Options {
    /// One of so many parts, as `1/4`, counted from 0; a quarter takes about half an hour.
    #[arg(long, default_value = "0/4")]
    shard: String,
    /// How many at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Writes what was found into docs/mutants.md.
    #[arg(long)]
    write: bool,
}

/// Tries them.
pub(crate) fn run(options: &Options) -> Outcome {
    let program = program()?;
    let out = root().join("target/mutants");
    std::fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let mut mutants = Command::new(program);
    mutants.current_dir(root()).args([
        "mutants",
        "--package=resourcecache",
        "--test-package=resourcecache",
        "--test-package=resourcecache-tests",
        "--profile=mutants",
        "--no-shuffle",
        "--colors=never",
        "--sharding=round-robin",
        // The tests pass without a change: `cargo xtask test` says so.
        "--baseline=skip",
        TIMEOUT,
    ]);
    for test in TESTS {
        mutants.arg(format!("--cargo-arg=--test={test}"));
    }
    for file in FILES {
        mutants.args(["--file", &format!("core/src/{file}.rs")]);
    }
    mutants.args(["--shard", &options.shard]);
    mutants.args(["--jobs", &options.jobs.to_string()]);
    mutants.arg("--output").arg(&out);
    mutants.env("RESOURCECACHE_CASES", CASES);
    // It ends with 2 where mutants survive, and with 3 where some take too long.
    let status = mutants
        .status()
        .map_err(|e| format!("cargo-mutants: {e}"))?;
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(format!("cargo-mutants ended with {status}"));
    }
    let list = |name: &str| -> Result<Vec<String>, String> {
        let path = out.join("mutants.out").join(name);
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(text.lines().map(str::to_string).collect())
    };
    let (caught, missed) = (list("caught.txt")?, list("missed.txt")?);
    let (late, unviable) = (list("timeout.txt")?, list("unviable.txt")?);
    let counts = format!(
        "part {}: {} caught, {} ended by the time limit, {} survived, {} did not compile",
        options.shard,
        caught.len(),
        late.len(),
        missed.len(),
        unviable.len()
    );
    println!("mutants: {counts}");
    if !options.write {
        return Ok(());
    }
    let survivors: String = missed.iter().map(|m| format!("- `{m}`\n")).collect();
    let path = root().join(PAGE);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let text = with_block(&text, "mutants", &format!("\n{counts}\n\n{survivors}\n"))?;
    std::fs::write(&path, text).map_err(|e| format!("{PAGE}: {e}"))
}

/// cargo-mutants, installed into target/tools where it is missing.
fn program() -> Result<PathBuf, String> {
    if succeeds("cargo-mutants", &["mutants", "--version"]) {
        return Ok(PathBuf::from("cargo-mutants"));
    }
    let own = root().join("target/tools/bin/cargo-mutants");
    if !own.exists() {
        println!("installs cargo-mutants {VERSION} into target/tools");
        let version = format!("^{VERSION}");
        let install = [
            "install",
            "cargo-mutants",
            "--locked",
            "--root",
            "target/tools",
        ];
        cargo(&[&install[..], &["--version", &version]].concat(), &[])?;
    }
    Ok(own)
}
