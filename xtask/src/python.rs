//! Builds the Python package, installs it into an environment of its own, and tests it there.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{Outcome, cargo_text, files, output, root, skipped};
use crate::{bench, redis};

pub(crate) const PACKAGE: &str = "bindings/python";

pub(crate) fn folder() -> PathBuf {
    root().join("target/python")
}

/// A program of the environment.
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(folder().join("venv/bin").join(name));
    command.current_dir(root().join(PACKAGE));
    command
}

/// Builds and tests. Without Python or its packages it is skipped; in CI that fails.
pub(crate) fn test() -> Outcome {
    if let Err(problem) = set_up() {
        return skipped(problem);
    }
    if let Err(problem) = redis::fetch() {
        println!("without Redis: {problem}");
    }
    install(&["--profile", "dev"])?;
    run("mypy", &["--strict", "src/resourcecache", "tests"])?;
    run(
        "basedpyright",
        &["--pythonpath", "../../target/python/venv/bin/python"],
    )?;
    run("pytest", &[])?;
    run(
        "pytest",
        &["--doctest-modules", "--pyargs", "resourcecache"],
    )?;
    same_as_rust()
}

/// Times a release beside what one would do without it, and writes docs/python-benchmarks.md.
pub(crate) fn bench() -> Outcome {
    set_up()?;
    install(&["--release"])?;
    let table = output(
        Command::new(folder().join("venv/bin/python")).arg("bindings/python/bench/bench.py"),
    )?;
    print!("{table}");
    bench::write_page("Python package", "python", &table)
}

/// Makes the virtual environment with the tools that `requirements-dev.txt` pins.
pub(crate) fn set_up() -> Outcome {
    let wanted = root().join(PACKAGE).join("requirements-dev.txt");
    let wanted = std::fs::read_to_string(&wanted).map_err(|e| format!("{PACKAGE}: {e}"))?;
    let stamp = folder().join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!(
        "makes target/python/venv, and installs into it what {PACKAGE}/requirements-dev.txt says"
    );
    let venv = folder().join("venv");
    let newest = "import sys; sys.exit(sys.version_info < (3, 10))";
    output(Command::new("python3").args(["-c", newest]))
        .map_err(|_| "there is no Python 3.10 or newer here".to_string())?;
    output(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv),
    )?;
    let requirements = "bindings/python/requirements-dev.txt";
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        requirements,
    ];
    output(Command::new(folder().join("venv/bin/python")).args(pip))?;
    std::fs::write(&stamp, wanted).map_err(|e| format!("target/python: {e}"))
}

/// Builds the wheel and installs it. Tests take the profile of all other tests, so that nothing compiles
/// twice.
fn install(profile: &[&str]) -> Outcome {
    let wheels = folder().join("wheels");
    // One wheel at a time: the one that was built last is the one that is tested.
    let _ = std::fs::remove_dir_all(&wheels);
    let mut build = program("maturin");
    build
        .args(["build", "--quiet", "--locked"])
        .args(profile)
        .arg("--out")
        .arg(&wheels);
    finished("maturin", &mut build)?;
    let wheel = files("target/python/wheels", "whl")?;
    let wheel = wheel.first().ok_or("maturin built no wheel")?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ];
    let mut pip_install = program("python");
    pip_install.args(pip).args(["--force-reinstall", wheel]);
    finished("pip", &mut pip_install)
}

/// The conformance runner prints what the Rust one prints.
fn same_as_rust() -> Outcome {
    let scenarios = files("tests/scenarios", "json")?;
    let fixed = [
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
    let rust = cargo_text(&fixed.into_iter().chain(named).collect::<Vec<_>>())?;
    let python = output(
        Command::new(folder().join("venv/bin/python"))
            .args(["-m", "resourcecache.conformance"])
            .args(&scenarios),
    )?;
    if python != rust {
        return Err("the conformance runners of Python and Rust print different things".into());
    }
    println!("{}", python.lines().last().unwrap_or_default());
    Ok(())
}

fn run(name: &str, arguments: &[&str]) -> Outcome {
    finished(name, program(name).args(arguments))
}

pub(crate) fn finished(name: &str, command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|e| format!("{name} cannot be started: {e}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{name} ended with {status}"))
}
