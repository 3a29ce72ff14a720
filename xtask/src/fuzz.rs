//! Fuzzes with libFuzzer: builds the targets with coverage, runs them one after the other, and says
//! how many inputs were tried.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::Args;

use crate::run::{Outcome, block, cargo, output, root, with_block};

/// What cargo-fuzz passes too. These flags are stable; with a target named, they reach neither
/// build scripts nor macros.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

const TARGETS: [&str; 4] = ["response", "state", "journal", "scenario"];
/// How many bytes of inputs are kept for each target, besides those with a name of their own.
const ROOM: u64 = 40_000;
const PAGE: &str = "docs/fuzzing.md";

/// What is fuzzed, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// One target; all of them otherwise.
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
    /// Minutes for each target.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Adds the figures to those in docs/fuzzing.md.
    #[arg(long)]
    write: bool,
    /// Puts the few inputs that reach all that was reached into fuzz/corpora.
    #[arg(long)]
    keep: bool,
}

/// Runs them.
pub(crate) fn run(options: &Options) -> Outcome {
    println!(
        "fuzz: builds libFuzzer and the targets with cargo and a C++ compiler; installs nothing else"
    );
    let host = host()?;
    let build = [
        "build",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-fuzz",
        "--features",
        "fuzzer",
        "--bins",
        "--target",
        &host,
        "--target-dir",
        "target/fuzz",
    ];
    cargo(&build, &[("RUSTFLAGS", COVERAGE)])?;
    let binaries = root().join("target/fuzz").join(&host).join("debug");
    let mut crashes = 0;
    for target in TARGETS
        .iter()
        .filter(|t| options.target.as_deref().is_none_or(|wanted| wanted == **t))
    {
        let fuzzer = Fuzzer::new(target, &binaries)?;
        let found = fuzzer.fuzz(options.minutes)?;
        println!(
            "{target}: {} executions in {:.1} minutes, {} each second, {} crashes",
            found.executions, found.minutes, found.rate, found.crashes
        );
        crashes += found.crashes;
        if options.keep {
            fuzzer.keep()?;
        }
        if options.write {
            write(target, found)?;
        }
    }
    if crashes == 0 {
        return Ok(());
    }
    Err(format!(
        "{crashes} crashes; their inputs are in target/fuzz/crashes"
    ))
}

fn host() -> Result<String, String> {
    let about = output(Command::new("rustc").arg("-vV"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(String::from)
        .ok_or_else(|| "rustc does not say for what it builds".into())
}

/// What a run came to.
struct Found {
    /// Less than was asked for when a crash ended it.
    minutes: f64,
    executions: u64,
    rate: u64,
    crashes: usize,
}

/// One target, and its folders.
struct Fuzzer {
    binary: PathBuf,
    /// All that was ever found on this machine.
    work: PathBuf,
    /// What the project keeps.
    kept: PathBuf,
    crashes: PathBuf,
}

impl Fuzzer {
    fn new(target: &str, binaries: &Path) -> Result<Self, String> {
        let under = |folder: &str| root().join("target/fuzz").join(folder).join(target);
        let (work, crashes) = (under("corpora"), under("crashes"));
        let kept = root().join("fuzz/corpora").join(target);
        for folder in [&work, &crashes, &kept] {
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        let binary = binaries.join(format!("fuzz-{target}"));
        Ok(Self {
            binary,
            work,
            kept,
            crashes,
        })
    }

    fn fuzz(&self, minutes: f64) -> Result<Found, String> {
        let (before, start) = (files(&self.crashes)?.len(), Instant::now());
        let mut command = Command::new(&self.binary);
        command.args([&self.work, &self.kept]);
        command.arg(format!(
            "-dict={}",
            root().join("fuzz/words.dict").display()
        ));
        command.arg(format!("-artifact_prefix={}/", self.crashes.display()));
        command.arg(format!("-max_total_time={:.0}", minutes * 60.0));
        command.args([
            "-max_len=4096",
            "-timeout=20",
            "-report_slow_units=3600",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ]);
        let out = command
            .stdout(Stdio::null())
            .output()
            .map_err(|e| format!("{command:?}: {e}"))?;
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        let text = String::from_utf8_lossy(&out.stderr);
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|n| n.trim().parse().ok())
        };
        let crashes = files(&self.crashes)?.len() - before;
        if crashes > 0 || !out.status.success() {
            let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
            println!("{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
        let (Some(executions), Some(rate)) = (
            number("stat::number_of_executed_units:"),
            number("stat::average_exec_per_sec:"),
        ) else {
            return Err(format!("{}: no figures: {text}", self.binary.display()));
        };
        Ok(Found {
            minutes,
            executions,
            rate,
            crashes,
        })
    }

    /// Replaces the inputs that fuzzing named by those that are needed now; inputs with a name of
    /// their own stay.
    fn keep(&self) -> Outcome {
        let problem = |e: std::io::Error| format!("{}: {e}", self.kept.display());
        let chosen = self.work.with_extension("chosen");
        let _ = std::fs::remove_dir_all(&chosen);
        std::fs::create_dir_all(&chosen).map_err(problem)?;
        let mut command = Command::new(&self.binary);
        command.args(["-set_cover_merge=1", "-use_counters=0", "-max_len=2048"]);
        command.args([&chosen, &self.work, &self.kept]);
        let out = command.stdout(Stdio::null()).output().map_err(problem)?;
        if !out.status.success() {
            return Err(format!("merging ended with {}", out.status));
        }
        let by_hash = |path: &PathBuf| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.len() == 40 && name.bytes().all(|b| b.is_ascii_hexdigit())
        };
        for old in files(&self.kept)?.iter().filter(|path| by_hash(path)) {
            std::fs::remove_file(old).map_err(problem)?;
        }
        // The smallest first, while there is room.
        let mut chosen: Vec<(u64, PathBuf)> = files(&chosen)?
            .into_iter()
            .filter_map(|path| Some((path.metadata().ok()?.len(), path)))
            .collect();
        chosen.sort();
        let (mut count, mut bytes) = (0, 0);
        for (size, file) in chosen {
            if bytes + size > ROOM {
                break;
            }
            let name = file.file_name().unwrap_or_default();
            bytes += std::fs::copy(&file, self.kept.join(name)).map_err(problem)?;
            count += 1;
        }
        println!(
            "kept {count} inputs, {bytes} bytes, in {}",
            self.kept.display()
        );
        Ok(())
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect())
}

impl Found {
    /// With what earlier runs came to, by the table's row.
    fn and_before(mut self, row: &str) -> Self {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        self.minutes += cell(3).parse().unwrap_or(0.0);
        self.executions += cell(4).parse().unwrap_or(0);
        self.crashes += cell(6).parse().unwrap_or(0);
        self.rate = (self.executions as f64 / (self.minutes * 60.0)) as u64;
        self
    }
}

/// Adds a run to the target's row of the table; the others stay.
fn write(target: &str, found: Found) -> Outcome {
    let path = root().join(PAGE);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{PAGE}: {e}"))?;
    let block = &text[block(&text, "fuzzing")?];
    let mark = format!("| {target} |");
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default();
    let old = block.lines().find(|line| line.starts_with(&mark));
    let found = found.and_before(old.unwrap_or_default());
    let row = format!(
        "{mark} {} | {:.1} | {} | {} | {} |",
        date.trim(),
        found.minutes,
        found.executions,
        found.rate,
        found.crashes
    );
    let mut rows: Vec<String> = block
        .lines()
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .filter(|line| !line.is_empty() && !line.starts_with(&mark))
        .map(String::from)
        .collect();
    rows.push(row);
    rows.sort_by_key(|row| {
        TARGETS
            .iter()
            .position(|t| row.starts_with(&format!("| {t} |")))
    });
    let head = "| target | last on | minutes | executions | each second | crashes found |\n| --- | --- | --- | --- | --- | --- |";
    let new = with_block(&text, "fuzzing", &format!("{head}\n{}\n", rows.join("\n")))?;
    std::fs::write(&path, new).map_err(|e| format!("{PAGE}: {e}"))
}
