//! The commands of this project: `cargo xtask demo`, `cargo xtask test`, and their parts.

mod bench;
mod count;
mod debian_root;
mod diagram;
mod fuzz;
mod generated;
mod kotlin;
mod load;
mod model;
mod model_check;
mod mutants;
mod packages;
mod pdns;
mod python;
mod python_packages;
mod redis;
mod run;
mod simulate;
mod storage_bench;
mod streams;
mod swift;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::{Outcome, cargo, step};

/// The commands of this project.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows what a naive client and resourcecache make of the same lagging API.
    Demo {
        /// For the demo; `--help` lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Sets everything up and runs every test.
    Test,
    /// Gets PowerDNS where it can, and runs the tests against it.
    Pdns,
    /// Gets etcd and libwebsockets' server where it can, and runs the watch adapters' tests.
    Streams,
    /// Builds the Python package, and tests it in an environment of its own.
    Python {
        /// Installs it from its sources and from an sdist into fresh environments instead, and runs the
        /// README's example and the demo there.
        #[arg(long)]
        fresh: bool,
        /// Builds release wheels instead: on Linux as manylinux2014, by zig.
        #[arg(long, conflicts_with = "fresh")]
        wheels: bool,
    },
    /// Gets a JDK and Maven where they are missing, builds the Kotlin library, and tests it.
    Kotlin {
        /// Builds the library for Android instead, by the NDK that ANDROID_NDK_HOME names.
        #[arg(long)]
        android: bool,
        /// Makes its documentation alone, by Dokka, as a release has it.
        #[arg(long, conflicts_with = "android")]
        docs: bool,
    },
    /// Gets Redis where it can, and runs the tests of the Redis store.
    Redis,
    /// Formatting, lints, documentation, licences, and what is generated or linked.
    Lint,
    /// Writes the lifecycle's diagram into the README.
    Diagram {
        /// Only checks that it is there as it should be.
        #[arg(long)]
        check: bool,
    },
    /// Runs the benchmarks, and writes docs/benchmarks.md and its plots.
    Bench {
        /// Only those of the Kotlin library; writes docs/kotlin-benchmarks.md.
        #[arg(long)]
        kotlin: bool,
        /// Only those of the Python package; writes docs/python-benchmarks.md.
        #[arg(long, conflicts_with = "only_write")]
        python: bool,
        /// Only those of the stores, beside SQLite and Redis themselves; writes docs/storage.md's table.
        #[arg(long, conflicts_with_all = ["only_write", "python"])]
        storage: bool,
        /// Only those of the Swift package; writes docs/swift-benchmarks.md.
        #[arg(long, conflicts_with_all = ["only_write", "python", "storage"])]
        swift: bool,
        /// Only those of the web package, in Node and in the Chromium that RESOURCECACHE_CHROMIUM names; writes
        /// docs/web-benchmarks.md.
        #[arg(long, conflicts_with_all = ["only_write", "python", "storage", "swift"])]
        web: bool,
        /// Only writes what the last run found.
        #[arg(long)]
        only_write: bool,
    },
    /// Counts the instructions of the main cases; more than 5 % more than written down fails.
    Count {
        /// Writes the counts down.
        #[arg(long)]
        write: bool,
    },
    /// Explores small worlds whole, and writes their sizes into docs/model-checking.md.
    ModelCheck {
        /// The large ones, which take minutes.
        #[arg(long)]
        large: bool,
    },
    /// Fuzzes with coverage, target by target: response, state, journal, scenario.
    Fuzz(fuzz::Options),
    /// Changes the core in one place at a time, and sees whether a test fails.
    Mutants(mutants::Options),
    /// Plays simulated histories, and holds every law to them; fails when one is broken.
    Simulate(simulate::Arguments),
    /// Gets a Swift toolchain where it can, builds the Swift package and tests it.
    Swift(swift::Options),
    /// Builds the web package (WebAssembly and TypeScript) and tests it.
    Web(web::Options),
    /// Plays 60,000 watch events on 100,000 resources, and writes what they cost into
    /// docs/watch-adapters.md; fails when that is not flat.
    Load,
    /// Checks that docs/model.md links every rule to tests that exist.
    Model,
}

fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Demo { arguments } => demo(&arguments),
        Command::Test => test(),
        Command::Pdns => powerdns(),
        Command::Streams => streams(),
        Command::Python { fresh: true, .. } => python_packages::fresh(),
        Command::Python { wheels: true, .. } => python_packages::wheels(),
        Command::Python { .. } => python::test(),
        Command::Kotlin { android: true, .. } => kotlin::android(),
        Command::Kotlin { docs: true, .. } => kotlin::docs(),
        Command::Kotlin { .. } => kotlin::test(),
        Command::Redis => real_redis(),
        Command::Lint => lint(),
        Command::Diagram { check } => diagram::run(check),
        Command::Bench { python: true, .. } => python::bench(),
        Command::Bench { kotlin: true, .. } => kotlin::bench(),
        Command::Bench { storage: true, .. } => storage_bench::run(),
        Command::Bench { swift: true, .. } => swift::bench(),
        Command::Bench { web: true, .. } => web::bench(),
        Command::Bench { only_write, .. } => bench::run(only_write),
        Command::Count { write } => count::run(write),
        Command::ModelCheck { large } => model_check::run(large),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Mutants(options) => mutants::run(&options),
        Command::Simulate(arguments) => simulate::run(&arguments),
        Command::Swift(options) => swift::run(&options),
        Command::Web(options) => web::run(&options),
        Command::Load => load::run(),
        Command::Model => model::check(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn demo(arguments: &[String]) -> Outcome {
    // As plain lines at the start, so that a newcomer knows what the wait is for.
    if !arguments.iter().any(|a| a == "--json") {
        eprintln!("demo: builds itself with cargo; installs nothing else");
    }
    let fixed = [
        "run",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-demo",
        "--bin",
        "demo",
        "--",
    ];
    let arguments = arguments.iter().map(String::as_str);
    cargo(&fixed.into_iter().chain(arguments).collect::<Vec<_>>(), &[])
}

fn test() -> Outcome {
    println!("test: builds with cargo (crates come from the registry); installs nothing");
    // The same packages each time: others would be built with other features.
    let workspace = [
        "test",
        "--workspace",
        "--locked",
        "--exclude",
        "resourcecache-pdns",
        "--exclude",
        "resourcecache-streams",
        "--exclude",
        "resourcecache-redis",
        "--exclude",
        "resourcecache-model-checking",
    ];
    step(
        "every test of the workspace but those of the next steps",
        || cargo(&workspace, &[]),
    )?;
    step("processes that share a file, or are killed: counts", || {
        let counted = ["--quiet", "--test", "processes", "--", "--nocapture"];
        run::cargo_counts(&[&workspace[..], &counted].concat(), "sqlite, ")
    })?;
    powerdns()?;
    streams()?;
    real_redis()?;
    step("small worlds, explored whole", model_check::test)?;
    step("conformance scenarios", || {
        let mut arguments = vec![
            "run",
            "--quiet",
            "--locked",
            "-p",
            "resourcecache-tests",
            "--bin",
            "conformance",
            "--",
        ];
        let files = run::files("tests/scenarios", "json")?;
        arguments.extend(files.iter().map(String::as_str));
        run::cargo_tail(&arguments, 1)
    })?;
    step("inputs that fuzzing found", || {
        let replay = [
            "test",
            "--quiet",
            "--locked",
            "-p",
            "resourcecache-fuzz",
            "--test",
            "corpora",
        ];
        cargo(&[&replay[..], &["--", "--nocapture"]].concat(), &[])
    })?;
    step("the demo, fast", || play(&["--fast"], 7))?;
    step("the configuration of generated code", generated::check)?;
    step("the Python package", python::test)?;
    step("the Kotlin library", kotlin::test)?;
    step("the Swift package", swift::test)?;
    step("the web package", web::test_all)?;
    step("the demo, live", || play(&["--fast", "--live"], 9))?;
    println!("test: Rust passed, and (unless skipped) Python, Kotlin, Swift and the web's");
    Ok(())
}

/// Runs the demo, and prints the last lines of it.
fn play(flags: &[&str], lines: usize) -> Outcome {
    let demo = ["run", "--quiet", "--locked", "-p", "resourcecache-demo"];
    run::cargo_tail(
        &[&demo[..], &["--bin", "demo", "--"], flags].concat(),
        lines,
    )
}

fn powerdns() -> Outcome {
    step("a real server: PowerDNS", pdns::test)
}

fn streams() -> Outcome {
    step("watch adapters, with etcd and libwebsockets", streams::test)
}

fn real_redis() -> Outcome {
    step("the Redis store, with Redis", redis::test)
}

fn lint() -> Outcome {
    step("format", || cargo(&["fmt", "--all", "--check"], &[]))?;
    step("clippy", || {
        cargo(
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
            &[],
        )
    })?;
    step("documentation", || {
        cargo(
            &["doc", "--workspace", "--no-deps", "--locked"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        )
    })?;
    step("the README's diagram", || diagram::run(true))?;
    step("docs/model.md", model::check)?;
    step("instructions of the main cases", || count::run(false))?;
    step("licences, sources, bans", run::deny)?;
    step("the core on its oldest compiler", run::oldest_compiler)
}
