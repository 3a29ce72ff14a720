//! The main job, to watch: what a naive client shows of a lagging API, and what `resourcecache`
//! shows, side by side, with one judge for both.

mod api;
mod audience;
mod killed;
mod live;
mod offline;
mod ours;
pub mod own;
mod scenarios;
mod screen;
mod sending;
mod stage;
mod storage;

use std::path::Path;

use serde::Serialize;

pub use api::Error;
pub use killed::{Settled, program};
pub use resourcecache_judge::Flickers;
pub use screen::Screen;
pub use storage::Storage;

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
    /// What came of the deletions in whose middle the program was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub killed: Option<Settled>,
}

/// Runs the four scenarios, with our collections in this store; `demo` is the demo's own program, which
/// the last one starts and kills.
///
/// # Errors
///
/// The loopback, the terminal, the store or the cache refuses something.
pub fn run(
    storage: &Storage,
    demo: &Path,
    break_ttl: bool,
    screen: Screen,
) -> Result<Report, Error> {
    type Scenario = fn(&Storage, bool, Screen) -> Result<scenarios::Counted, Error>;
    let all: [(&'static str, Scenario); 3] = [
        ("domain registration", scenarios::registration),
        ("bulk deletion", scenarios::bulk_deletion),
        ("update with retries", scenarios::retried_update),
    ];
    let mut counted = Vec::new();
    for (scenario, play) in all {
        counted.push(Counted::of(scenario, play(storage, break_ttl, screen)?));
    }
    let (last, killed) = killed::killed(storage, demo, break_ttl, screen)?;
    counted.push(Counted::of("killed in mid-deletion", last));
    for kind in ["domains", "zones", "records"] {
        storage.forget(kind)?;
    }
    let mut report = Report::of(counted);
    report.killed = Some(killed);
    Ok(report)
}

/// Runs what happens when there is no network for so many seconds.
///
/// # Errors
///
/// As [`run`]; and when something that the user did was never sent.
pub fn run_offline(
    seconds: u64,
    storage: &Storage,
    break_ttl: bool,
    screen: Screen,
) -> Result<Report, Error> {
    let counted = offline::offline(seconds, storage, break_ttl, screen)?;
    storage.forget("records")?;
    Ok(Report::of(vec![Counted::of("offline", counted)]))
}

/// What was counted live, by one kind of push.
#[derive(Clone, Debug, Serialize)]
pub struct Pushed {
    /// The kind of push.
    pub by: &'static str,
    /// Changes of the server whose time to our view was measured.
    pub changes: usize,
    /// Milliseconds from the server's change to our view: the median.
    pub median_ms: f64,
    /// The 99th percentile, reconnections included.
    pub p99_ms: f64,
    /// Connections of our client; each but the first was cut before.
    pub streams: u64,
}

/// Runs what happens when the server pushes, by WebSocket and as server-sent events, for so many
/// rounds of changes each.
///
/// # Errors
///
/// As [`run`]; and when our view is not what the server has in the end.
pub fn run_live(
    rounds: usize,
    break_ttl: bool,
    screen: Screen,
) -> Result<(Report, [Pushed; 2]), Error> {
    let [socket, events] = live::live(rounds, break_ttl, screen)?;
    let report = Report::of(vec![
        Counted::of("live by WebSocket", socket.counted),
        Counted::of("live by SSE", events.counted),
    ]);
    let pushed = |by, seen: live::Seen| {
        let waits = &seen.waits_us;
        let at = |percent: usize| waits.get(waits.len() * percent / 100).copied();
        let ms = |percent| at(percent).unwrap_or_default() as f64 / 1_000.0;
        Pushed {
            by,
            changes: waits.len(),
            median_ms: ms(50),
            p99_ms: ms(99),
            streams: seen.streams,
        }
    };
    let pushed = [pushed("WebSocket", socket), pushed("SSE", events)];
    Ok((report, pushed))
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
            killed: None,
        }
    }
}
