//! A process that is killed loses nothing that it has acknowledged, and leaves nothing half done.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use resourcecache::{ResourceCache, Timestamp};
use resourcecache_storage::{SqliteStore, StoredCache};
use resourcecache_testing::Toy;

use crate::child::{Running, integrity, say, this};
use crate::history::{Dice, config, event};

const KILLS: u32 = 240;
const KEY: &str = "zones";

fn open(path: &str, now: Timestamp) -> StoredCache<Toy> {
    let store = Arc::new(SqliteStore::open(path).unwrap());
    StoredCache::open(store, KEY, config(), now).unwrap()
}

/// The child: applies event after event, and says before and after each.
pub(crate) fn play(from: u64, seed: u64, path: &str) {
    let mut cache = open(path, Timestamp(0));
    for number in from.. {
        let (event, now) = event(seed, number);
        say(&format!("begin {number}"));
        // Refused ones change nothing; a store that fails ends the child, which the parent sees.
        if let Err(error @ resourcecache_storage::Error::Store(_)) = cache.apply(event, now) {
            panic!("{error}");
        }
        say(&format!("done {number}"));
    }
}

fn record(cache: &ResourceCache<Toy>) -> String {
    serde_json::to_string(&cache.record()).unwrap()
}

/// Waits for less than a timer can measure.
fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
fn every_acknowledged_commit_survives_a_kill_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zones.sqlite");
    let text = path.to_str().unwrap();
    let seed = 20_250_119;
    let mut dice = Dice::new(seed);
    let mut plain = ResourceCache::<Toy>::new(config());
    let mut known = 0_u64; // events that are in `plain`
    let (mut within, mut between, mut kept, mut lost) = (0, 0, 0, 0);
    for kill in 0..KILLS {
        let mut child = Running::start(&mut this(), &format!("play {known} {seed} {text}"));
        let after = known + dice.below(12);
        let mut said = Vec::new();
        // Half of the kills follow a `begin`, the others a `done`.
        let last = if kill % 2 == 0 { "begin" } else { "done" };
        let last = format!("{last} {after}");
        while said.last() != Some(&last) {
            said.push(child.next().expect("the child goes on until it is killed"));
        }
        spin(Duration::from_micros(dice.below(400)));
        said.extend(child.kill());
        let done = said
            .iter()
            .rev()
            .find_map(|line| line.strip_prefix("done "));
        let done = done.map_or(known, |number| number.parse::<u64>().unwrap() + 1);
        let in_commit = said.last().is_some_and(|line| line.starts_with("begin"));
        if in_commit {
            within += 1;
        } else {
            between += 1;
        }
        while known < done {
            let (event, now) = event(seed, known);
            let _ = plain.apply(event, now);
            known += 1;
        }
        assert_eq!(integrity(&path), "ok", "after kill {kill}");
        let found = record(open(text, Timestamp(0)).cache());
        if found != record(&plain) {
            assert!(
                in_commit,
                "kill {kill}: what was acknowledged is lost, or half done"
            );
            let (event, now) = event(seed, known);
            let _ = plain.apply(event, now);
            known += 1;
            kept += 1;
            assert_eq!(found, record(&plain), "kill {kill}: half done");
        } else if in_commit {
            lost += 1;
        }
        // A commit that was not acknowledged is there whole, or not at all.
        check_whole(&path);
    }
    println!(
        "sqlite, {KILLS} kills over {known} events: {within} between begin and commit's answer ({kept} of these \
         had committed, {lost} had not), {between} between commits"
    );
    assert!(within >= KILLS / 4, "too few kills landed within a commit");
    assert!(lost > 0, "none landed before the commit");
}

fn check_whole(path: &Path) {
    let database = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT (SELECT number FROM collection) = (SELECT max(number) FROM commits)";
    assert!(
        database
            .query_row(sql, [], |row| row.get::<_, bool>(0))
            .unwrap_or(true)
    );
}
