//! The main job, to watch: what a naive client shows of a lagging API, and what `resourcecache`
//! shows, side by side, with one judge for both.

mod api;
mod ours;
pub mod own;
mod scenarios;
mod screen;
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
        let (naive, resourcecache) = play(break_ttl, screen)?;
        counted.push(Counted {
            scenario,
            naive,
            resourcecache,
        });
    }
    let sum = |of: fn(&Counted) -> Flickers| counted.iter().map(|c| of(c).total()).sum();
    Ok(Report {
        naive: sum(|c| c.naive),
        resourcecache: sum(|c| c.resourcecache),
        scenarios: counted,
    })
}
