//! What a commit and loading cost in a store, beside the same work done by the raw engine, and beside
//! one JSON text under one key that is rewritten whole: `measure [N...]` prints the table of
//! docs/storage.md. `cargo xtask bench --storage` writes it there.

mod blob;
mod collection;
mod pairs;
mod raw_redis;
mod raw_sqlite;
mod recorder;
#[path = "../../../storage/tests/support/mod.rs"]
mod support;

use std::error::Error;
use std::sync::Arc;

use resourcecache_redis::Server;
use resourcecache_storage::redis::{RedisOptions, RedisStore};
use resourcecache_storage::{Commit, SqliteOptions, SqliteStore, Store, Synchronous};

use crate::collection::{KEY, Zones, load, mark, seeded};
use crate::pairs::{Pair, duration, least, least_pair, pair};
use crate::recorder::recorded;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Events whose commits are timed, in so many rounds.
const EVENTS: usize = 300;
const ROUNDS: usize = 10;
const LOADS: usize = 9;

fn main() -> Outcome<()> {
    let sizes: Vec<usize> = std::env::args().skip(1).flat_map(|n| n.parse()).collect();
    let sizes = match sizes[..] {
        [] => vec![1_000, 100_000],
        _ => sizes,
    };
    println!("| store | resources | what | raw engine | resourcecache | ratio | aim |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for n in &sizes {
        for synchronous in [Synchronous::Full, Synchronous::Normal] {
            sqlite(*n, synchronous)?;
        }
    }
    for n in &sizes {
        for fsync in ["always", "no"] {
            redis(*n, fsync)?;
        }
    }
    Ok(())
}

fn row(store: &str, n: usize, what: &str, pair: &Pair, aim: Option<f64>) {
    let aim = aim.map_or("-".into(), |aim| format!("≤ {aim}"));
    println!(
        "| {store} | {n} | {what} | {} | {} | {:.2} | {aim} |",
        duration(pair.raw),
        duration(pair.ours),
        pair.ratio
    );
}

/// A row that says how many times as long the way of version 1.0 takes.
fn blob_row(store: &str, n: usize, blob: std::time::Duration, ours: std::time::Duration) {
    let gain = blob.as_secs_f64() / ours.as_secs_f64();
    println!(
        "| {store} | {n} | one event, as version 1.0: one JSON text, rewritten | {} | {} | 1 : {gain:.0} | - |",
        duration(blob),
        duration(ours)
    );
}

/// Events on the collection, beside what writes the same commits by the raw engine.
fn events(
    cache: &mut Zones,
    n: usize,
    mut write: impl FnMut(&Commit) -> Outcome<()>,
) -> Outcome<Pair> {
    let commits = recorded(n, EVENTS)?;
    let ours = |turn| mark(cache, n, turn);
    pair(ROUNDS, EVENTS / ROUNDS, ours, |turn| write(&commits[turn]))
}

fn sqlite(n: usize, synchronous: Synchronous) -> Outcome<()> {
    let name = match synchronous {
        Synchronous::Full => "SQLite, `Full`",
        Synchronous::Normal => "SQLite, `Normal`",
    };
    eprintln!("{name}, {n} resources");
    let folder = tempfile::tempdir()?;
    let (ours, theirs) = (folder.path().join("ours"), folder.path().join("raw"));
    let mut options = SqliteOptions::default();
    options.synchronous = synchronous;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_with(&ours, options)?);
    let mut cache = seeded(store.clone(), n)?;
    {
        let raw = Arc::new(SqliteStore::open_with(&theirs, options)?);
        seeded(raw.clone(), n)?;
        raw.close()?;
    }
    let mut raw = raw_sqlite::Raw::open(&theirs, synchronous)?;
    let committed = events(&mut cache, n, |commit| raw.write(commit))?;
    row(name, n, "one event", &committed, Some(1.3));
    if synchronous == Synchronous::Normal {
        let loaded = least_pair(LOADS, |_| load(&store, n), |_| raw.read(n))?;
        row(name, n, "load", &loaded, Some(1.5));
    } else {
        let mut blob = blob::InSqlite::open(&folder.path().join("blob"), n)?;
        let blob = least(5, |turn| blob.write(turn))?;
        blob_row(name, n, blob, committed.ours);
    }
    Ok(())
}

fn redis(n: usize, fsync: &str) -> Outcome<()> {
    let name = format!("Redis, `appendfsync {fsync}`");
    let Some(server) = Server::start(&["--appendfsync", fsync]) else {
        return Ok(());
    };
    eprintln!("{name}, {n} resources");
    let open = |prefix: &str| -> Outcome<Arc<dyn Store>> {
        let mut options = RedisOptions::default();
        options.prefix = prefix.into();
        Ok(Arc::new(RedisStore::open(&server.url(), options)?))
    };
    let store = open("ours")?;
    let mut cache = seeded(store.clone(), n)?;
    seeded(open("raw")?, n)?;
    // What the script of that large commit left in the server's interpreter is not the events' to clear.
    server.ask::<()>(&["SCRIPT", "FLUSH", "SYNC"]);
    let mut raw = raw_redis::Raw::open(&server.url(), &format!("raw:{{{KEY}}}"))?;
    let committed = events(&mut cache, n, |commit| raw.write(commit))?;
    row(&name, n, "one event", &committed, Some(1.3));
    if fsync == "no" {
        let loaded = least_pair(LOADS, |_| load(&store, n), |_| raw.read(n))?;
        let read = least(LOADS, |_| {
            store.load(KEY, &mut |_, _| Ok(()))?;
            Ok(())
        })?;
        eprintln!("  {} of loading are reading", duration(read));
        row(&name, n, "load", &loaded, Some(1.5));
    } else {
        let mut blob = blob::InRedis::open(&server.url(), n)?;
        let blob = least(5, |turn| blob.write(turn))?;
        blob_row(&name, n, blob, committed.ours);
    }
    Ok(())
}
