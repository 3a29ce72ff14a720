//! Plays simulated histories for as long as one likes, and says what they reached.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use resourcecache_testing::simulate::{Shrunk, Simulation, Violation, World};
use resourcecache_testing::{Coverage, Server};

use crate::run::{Outcome, root};

mod page;

/// What to play.
#[derive(Args)]
pub(crate) struct Arguments {
    /// How many histories.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many at a time.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Stops after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Writes what was found into docs/simulator.md.
    #[arg(long)]
    write: bool,
}

/// After so many violations one has enough to look at.
const ENOUGH: usize = 10;
/// Of so many seeds, one is played in a world with watch sessions too.
const WATCHED_OF: u64 = 4;

/// What all histories came to.
#[derive(Default)]
pub(crate) struct Total {
    pub(crate) histories: u64,
    pub(crate) steps: u64,
    pub(crate) coverage: Coverage,
    slowest: (Duration, u64),
    violations: Vec<Violation>,
}

impl Total {
    fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.steps += other.steps;
        self.coverage.add(&other.coverage);
        self.slowest = self.slowest.max(other.slowest);
        self.violations.extend(other.violations);
    }
}

/// Plays, and reports.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let start = Instant::now();
    let simulation = Simulation::ours();
    // A panic is told as a violation.
    std::panic::set_hook(Box::new(|_| {}));
    let mut total = play(&simulation, arguments, start);
    let took = start.elapsed();
    total.violations.sort_by_key(|violation| violation.seed);
    let files = shrink(&simulation, &total)?;
    let _ = std::panic::take_hook();
    print_coverage(&total.coverage);
    print_speed(&simulation, &total, took);
    for file in &files {
        println!("{file}");
    }
    let (histories, violations) = (total.histories, total.violations.len());
    if arguments.write && violations == 0 {
        page::write(&total)?;
    }
    println!("simulate: {histories} histories, {violations} violations");
    if violations == 0 {
        return Ok(());
    }
    Err("a law was broken".into())
}

fn play(simulation: &Simulation<Server>, arguments: &Arguments, start: Instant) -> Total {
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from.saturating_add(arguments.seeds);
    let stop = AtomicBool::new(false);
    let total = Mutex::new(Total::default());
    let over = || {
        let late = arguments
            .seconds
            .is_some_and(|s| start.elapsed().as_secs() >= s);
        late || stop.load(Ordering::Relaxed)
    };
    let work = || {
        let mut part = Total::default();
        while !over() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                break;
            }
            one(simulation, seed, &mut part);
            if seed.is_multiple_of(WATCHED_OF) {
                one(simulation, seed | World::WATCHED, &mut part);
            }
            let tells = part.histories.is_multiple_of(1_000) || !part.violations.is_empty();
            if tells && let Ok(mut total) = total.lock() {
                total.add(std::mem::take(&mut part));
                progress(&total, start);
                let enough = total.violations.len() >= ENOUGH;
                stop.fetch_or(enough, Ordering::Relaxed);
            }
        }
        if let Ok(mut total) = total.lock() {
            total.add(part);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(work);
        }
    });
    total.into_inner().unwrap_or_default()
}

fn one(simulation: &Simulation<Server>, seed: u64, part: &mut Total) {
    let begun = Instant::now();
    let run = simulation.run(seed);
    part.histories += 1;
    part.steps += run.history.steps.len() as u64;
    part.coverage.add(&run.coverage);
    part.slowest = part.slowest.max((begun.elapsed(), seed));
    part.violations.extend(run.violation);
}

fn progress(total: &Total, start: Instant) {
    let seconds = start.elapsed().as_secs_f64().max(0.001);
    eprint!(
        "\r{} histories, {:.0} a second, {} violations  ",
        total.histories,
        total.histories as f64 / seconds,
        total.violations.len()
    );
}

/// Shrinks the first violation of each law, and writes its scenario down.
fn shrink(simulation: &Simulation<Server>, total: &Total) -> Result<Vec<String>, String> {
    let folder = root().join("target/simulate");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut first: BTreeMap<&str, &Violation> = BTreeMap::new();
    for violation in &total.violations {
        first.entry(violation.law.name).or_insert(violation);
    }
    let mut lines = Vec::new();
    for violation in first.into_values() {
        let history = simulation.run(violation.seed).history;
        let Some(shrunk) = simulation.shrink(&history) else {
            lines.push(format!("\n{violation}\n  cannot be repeated"));
            continue;
        };
        let file = format!("target/simulate/{}.json", violation.seed);
        std::fs::write(root().join(&file), &shrunk.scenario).map_err(|e| format!("{file}: {e}"))?;
        lines.push(describe(&shrunk, &file));
    }
    Ok(lines)
}

fn describe(shrunk: &Shrunk<Server>, file: &str) -> String {
    let mut text = format!("\n{}\n", shrunk.violation);
    let _ = writeln!(text, "  the law: {}", shrunk.violation.law.says);
    for (number, step) in shrunk.history.steps.iter().enumerate() {
        let _ = writeln!(text, "  {number:3} {step:?}");
    }
    let _ = write!(text, "  as a scenario: {file}");
    text
}

fn print_coverage(coverage: &Coverage) {
    println!("\n{:22}{:18}{:>12}", "state", "trigger", "reached");
    for pair in Coverage::expected() {
        let count = coverage.transitions.get(&pair).copied().unwrap_or_default();
        let (state, trigger) = (pair.0.to_string(), pair.1.to_string());
        println!("{state:22}{trigger:18}{count:>12}");
    }
    for (outcome, count) in &coverage.outcomes {
        println!("{:40}{count:>12}", outcome.name());
    }
    println!("\n{:40}{:>12}", "rule", "met");
    for (rule, count) in &coverage.rules {
        println!("{rule:40}{count:>12}");
    }
    let unreached = coverage.unreached();
    println!(
        "\nunreached: {}",
        if unreached.is_empty() {
            "none".into()
        } else {
            unreached.join(", ")
        }
    );
}

fn print_speed(simulation: &Simulation<Server>, total: &Total, took: Duration) {
    let seconds = took.as_secs_f64().max(0.001);
    // Once more, alone: the machine may have been busy with something else.
    let again = |_| {
        let begun = Instant::now();
        simulation.run(total.slowest.1);
        begun.elapsed()
    };
    let alone = (0..3).map(again).min().unwrap_or_default();
    println!(
        "{} steps; {:.0} histories a second; the slowest: seed {}, {:.1} ms",
        total.steps,
        total.histories as f64 / seconds,
        total.slowest.1,
        alone.as_secs_f64() * 1_000.0
    );
}
