//! The main job, to watch: what a naive client shows of a lagging API, and what `resourcecache`
//! shows, side by side, with one judge for both.

mod api;
mod offline;
mod ours;
pub mod own;
mod scenarios;
mod screen;
mod sending;
mod stage;

use serde::Serialize;

pub use api::Error;
pub use resourcecache_judge::Flickers;
pub use screen::Screen;

/// One scenario's flickers.
#[derive(Clone, Debug, Serialize)]
pub struct Counted {
    /// Its name.
    pub scenario: &'static str,
    /// The naive client's.
    pub naive: Flickers,
    /// Ours.
    pub resourcecache: Flickers,
}

/// What was counted in all.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Each scenario.
    pub scenarios: Vec<Counted>,
    /// The naive client's flickers in all.
    pub naive: usize,
    /// Ours in all.
    pub resourcecache: usize,
}

/// Runs the three scenarios.
///
/// # Errors
///
/// The loopback, the terminal or the cache refuses something.
pub fn run(break_ttl: bool, screen: Screen) -> Result<Report, Error> {
    type Scenario = fn(bool, Screen) -> Result<scenarios::Counted, Error>;
    let all: [(&'static str, Scenario); 3] = [
        ("domain registration", scenarios::registration),
        ("bulk deletion", scenarios::bulk_deletion),
        ("update with retries", scenarios::retried_update),
    ];
    let mut counted = Vec::new();
    for (scenario, play) in all {
        counted.push(Counted::of(scenario, play(break_ttl, screen)?));
    }
    Ok(Report::of(counted))
}

/// Runs what happens when there is no network for so many seconds.
///
/// # Errors
///
/// As [`run`]; and when something that the user did was never sent.
pub fn run_offline(seconds: u64, break_ttl: bool, screen: Screen) -> Result<Report, Error> {
    let counted = offline::offline(seconds, break_ttl, screen)?;
    Ok(Report::of(vec![Counted::of("offline", counted)]))
}

impl Counted {
    fn of(scenario: &'static str, (naive, resourcecache): scenarios::Counted) -> Self {
        Self {
            scenario,
            naive,
            resourcecache,
        }
    }
}

impl Report {
    fn of(counted: Vec<Counted>) -> Self {
        let sum = |of: fn(&Counted) -> Flickers| counted.iter().map(|c| of(c).total()).sum();
        Self {
            naive: sum(|c| c.naive),
            resourcecache: sum(|c| c.resourcecache),
            scenarios: counted,
        }
    }
}
