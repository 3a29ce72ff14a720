//! Random histories of several caches over one store, with conflicts, crashes and lost answers.

mod faulty;
mod play;

use std::sync::Arc;

use proptest::test_runner::{Config, RngSeed, TestRunner};
use resourcecache_storage::{MemoryStore, SqliteOptions, SqliteStore, Store, Synchronous};

use play::Counts;

fn runner(cases: u32) -> TestRunner {
    let asked = std::env::var("RESOURCECACHE_CASES");
    let asked: Option<u32> = asked.ok().and_then(|n| n.parse().ok());
    TestRunner::new(Config {
        rng_seed: asked.map_or(RngSeed::Fixed(20_250_119), |_| RngSeed::Random),
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        ..Config::default()
    })
}

fn check(what: &str, cases: u32, open: &dyn Fn() -> Arc<dyn Store>) {
    let counts = std::cell::RefCell::new((Counts::default(), 0));
    for caches in 2..=4 {
        let played = runner(cases / 3).run(&play::steps(caches), |steps| {
            let (counts, number) = &mut *counts.borrow_mut();
            *number += 1;
            let key = format!("{caches} caches, history {number}");
            play::play(caches, &steps, &key, open, counts)
        });
        if let Err(error) = played {
            panic!("{what}, {caches} caches: {error}");
        }
    }
    let (counts, number) = counts.into_inner();
    println!("{what}: {number} histories: {counts:?}");
    let each = [
        counts.conflicts,
        counts.failed,
        counts.crashes,
        counts.unheard,
    ];
    assert!(
        each.iter().all(|n| *n > 0),
        "{counts:?}: this tests nothing"
    );
}

#[test]
fn caches_over_memory_agree_with_one() {
    let store = Arc::new(MemoryStore::new());
    check("memory", 240, &move || store.clone());
}

/// Each instance with a connection of its own.
#[test]
fn caches_over_sqlite_agree_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let mut options = SqliteOptions::default();
    options.synchronous = Synchronous::Normal;
    check("sqlite", 60, &move || {
        Arc::new(SqliteStore::open_with(&path, options).unwrap())
    });
}
