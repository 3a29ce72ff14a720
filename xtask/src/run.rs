//! Runs other programs, and says what they are for.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a command comes to; the error says what went wrong.
pub(crate) type Outcome = Result<(), String>;

/// The compiler to which the core keeps: Debian 13's.
const OLDEST: &str = "1.85";
const DENY: &str = "0.19";

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Runs a step under a heading, and says how long it took.
pub(crate) fn step(what: &str, act: impl FnOnce() -> Outcome) -> Outcome {
    println!("\n== {what}");
    let start = Instant::now();
    act().map_err(|problem| format!("{what}: {problem}"))?;
    println!(
        "== {what}: passed in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn finished(name: &str, command: &mut Command) -> Outcome {
    let status = command.current_dir(root()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name} ended with {status}")),
        Err(error) => Err(format!("{name} cannot be started: {error}")),
    }
}

/// What tests lack is not here: they are skipped, and say why; in CI that is an error.
pub(crate) fn skipped(problem: String) -> Outcome {
    if std::env::var_os("CI").is_some() {
        return Err(problem);
    }
    println!("skipped: {problem}");
    Ok(())
}

/// The README's example in this language, as its fence names it.
pub(crate) fn readme_example(language: &str) -> Result<String, String> {
    let readme = std::fs::read_to_string(root().join("README.md"));
    let readme = readme.map_err(|e| format!("README.md: {e}"))?;
    let code = readme
        .split_once(&format!("```{language}\n"))
        .and_then(|(_, rest)| rest.split_once("```"));
    code.map(|(code, _)| code.to_string())
        .ok_or_else(|| format!("README.md has no example in {language}"))
}

/// Builds the lagging server, which samples talk to in their tests; where it lies.
pub(crate) fn lagging_server() -> Result<PathBuf, String> {
    let package = "resourcecache-lagging-server";
    cargo(&["build", "--quiet", "--locked", "-p", package], &[])?;
    Ok(root().join("target/debug/lagging-server"))
}

/// Runs cargo.
pub(crate) fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let mut command = Command::new("cargo");
    command.args(arguments).envs(environment.iter().copied());
    finished("cargo", &mut command)
}

/// Runs cargo, and prints the last lines of what it prints; all of it when it fails.
pub(crate) fn cargo_tail(arguments: &[&str], lines: usize) -> Outcome {
    let text = cargo_text(arguments)?;
    let all: Vec<&str> = text.lines().collect();
    for line in &all[all.len().saturating_sub(lines)..] {
        println!("{line}");
    }
    Ok(())
}

/// Runs cargo: what it prints, which is shown when it fails.
pub(crate) fn cargo_text(arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .current_dir(root())
        .stderr(Stdio::inherit());
    let output = command
        .output()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    println!("{text}");
    Err(format!("ended with {}", output.status))
}

/// Runs tests, and prints those of their lines that begin so.
pub(crate) fn cargo_counts(arguments: &[&str], beginning: &str) -> Outcome {
    let text = cargo_text(arguments)?;
    // A line may stand behind what the test harness prints.
    for line in text.lines() {
        if let Some(at) = line.find(beginning) {
            println!("{}", &line[at..]);
        }
    }
    Ok(())
}

/// Where a block stands in a text, without its marks.
pub(crate) fn block(text: &str, name: &str) -> Result<Range<usize>, String> {
    let [begin, end] = ["begin", "end"].map(|mark| format!("<!-- {name}:{mark} -->"));
    let start = text.find(&begin).ok_or(format!("no {begin}"))? + begin.len();
    let length = text[start..].find(&end).ok_or(format!("no {end}"))?;
    Ok(start..start + length)
}

/// A text with what stands between the marks of a block replaced.
pub(crate) fn with_block(text: &str, name: &str, inside: &str) -> Result<String, String> {
    let old = block(text, name)?;
    let (before, after) = (&text[..old.start], &text[old.end..]);
    Ok(format!("{before}\n{inside}{after}"))
}

/// What a program prints. It runs in the project's folder, unless another is given.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    if command.get_current_dir().is_none() {
        command.current_dir(root());
    }
    let out = command.output();
    let out = out.map_err(|error| format!("{command:?} cannot be started: {error}"))?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        let said = said.trim_end();
        return Err(format!("{command:?} ended with {}\n{said}", out.status));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The files with this extension in a folder of the project, in order.
pub(crate) fn files(folder: &str, extension: &str) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(root().join(folder)).map_err(|e| format!("{folder}: {e}"))?;
    let mut files: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .map(|path| path.display().to_string())
        .collect();
    files.sort();
    Ok(files)
}

pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Checks licences, sources and bans; installs cargo-deny into target/tools where it is missing.
pub(crate) fn deny() -> Outcome {
    let own = root().join("target/tools/bin/cargo-deny");
    let program = if succeeds("cargo-deny", &["--version"]) {
        PathBuf::from("cargo-deny")
    } else {
        if !own.exists() {
            println!("installs cargo-deny {DENY} into target/tools");
            let version = format!("^{DENY}");
            cargo(
                &[
                    "install",
                    "cargo-deny",
                    "--locked",
                    "--root",
                    "target/tools",
                    "--version",
                    &version,
                ],
                &[],
            )?;
        }
        own
    };
    let mut command = Command::new(program);
    // The advisory database cannot be fetched everywhere.
    command.args(["--workspace", "check", "bans", "licenses", "sources"]);
    finished("cargo-deny", &mut command)
}

/// Builds the core with the oldest compiler that it keeps to, where rustup can get it.
pub(crate) fn oldest_compiler() -> Outcome {
    let toolchain = format!("+{OLDEST}");
    let check = [
        &*toolchain,
        "check",
        "-p",
        "resourcecache",
        "--locked",
        "--target-dir",
        "target/oldest",
    ];
    if !succeeds("cargo", &[&toolchain, "--version"]) {
        println!("installs Rust {OLDEST} by rustup");
        if !succeeds(
            "rustup",
            &["toolchain", "install", OLDEST, "--profile", "minimal"],
        ) {
            println!("skipped: Rust {OLDEST} is not here, and rustup cannot get it");
            return Ok(());
        }
    }
    cargo(&check, &[])
}
