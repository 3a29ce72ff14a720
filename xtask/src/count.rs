//! Counts the instructions of the main cases, and compares them with those that are written down:
//! wall clocks are too noisy to hold a line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Outcome, cargo, output, root, succeeds};

/// Each with how often it runs: the difference between few and many is the case without its set-up.
const CASES: [&str; 5] = ["identical", "changed", "shuffled", "wholly", "cold"];
const SIZE: &str = "2000";
const FEW: usize = 4;
const MANY: usize = 24;

/// One heap that grows at its end: whether glibc moves a growing buffer depends on all that was
/// there before it, the environment included.
const HEAP: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

/// How much more than what is written down fails.
const MARGIN: f64 = 1.05;

fn file() -> PathBuf {
    root().join("benches/instructions.json")
}

/// Counts, and writes the counts down or compares them.
pub(crate) fn run(write: bool) -> Outcome {
    if !succeeds("valgrind", &["--version"]) {
        println!("installs valgrind by apt-get, to count instructions");
        if !succeeds(
            "apt-get",
            &["install", "-y", "--no-install-recommends", "valgrind"],
        ) {
            println!("skipped: valgrind is not here, and apt-get cannot install it");
            return Ok(());
        }
    }
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "bench",
        "-p",
        "resourcecache-benches",
        "--bins",
    ];
    cargo(&build, &[])?;
    let compiler = output(Command::new("rustc").arg("--version"))?
        .trim()
        .to_string();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for case in CASES {
        let each = (count(case, MANY)? - count(case, FEW)?) / (MANY - FEW) as u64;
        counts.insert(case.into(), each);
    }
    if write {
        let text =
            serde_json::json!({ "compiler": compiler, "size": SIZE, "instructions": counts });
        let text = serde_json::to_string_pretty(&text).map_err(|e| e.to_string())?;
        return std::fs::write(file(), text + "\n").map_err(|e| e.to_string());
    }
    compare(&compiler, &counts)
}

fn count(case: &str, times: usize) -> Result<u64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(root().join("target/release/once"));
    valgrind.args([case, SIZE, &times.to_string()]);
    valgrind.env_clear().envs(HEAP);
    valgrind.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let out = valgrind.output().map_err(|e| e.to_string())?;
    let text = String::from_utf8_lossy(&out.stderr);
    let line = text
        .lines()
        .find_map(|line| line.split("Collected :").nth(1));
    let found = line.and_then(|n| n.trim().parse().ok());
    found.ok_or_else(|| format!("valgrind counted nothing for {case}: {text}"))
}

fn compare(compiler: &str, counts: &BTreeMap<String, u64>) -> Outcome {
    let text = std::fs::read_to_string(file()).map_err(|e| e.to_string())?;
    let written: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    if written["compiler"] != compiler {
        println!(
            "not compared: written by {}, this is {compiler}",
            written["compiler"]
        );
    }
    let mut slower = Vec::new();
    for (case, now) in counts {
        let old = written["instructions"][case].as_u64().unwrap_or(0);
        let ratio = *now as f64 / old.max(1) as f64;
        println!("{case:>10}: {now:>11} instructions, {ratio:.3} of what is written down");
        if ratio > MARGIN && written["compiler"] == compiler {
            slower.push(case.as_str());
        }
    }
    if slower.is_empty() {
        return Ok(());
    }
    Err(format!(
        "more than 5 % more instructions for {}; if that is meant, `cargo xtask count --write`",
        slower.join(", ")
    ))
}
