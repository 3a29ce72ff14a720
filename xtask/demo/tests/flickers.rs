//! Ours does not flicker, the naive client does; and without its TTL ours does too.

use std::path::Path;

use resourcecache_demo::{Report, Screen, Settled, Storage, run, run_live, run_offline};

const QUIET: Screen = Screen {
    quiet: true,
    pause_ms: 0,
};

fn play(store: Option<&str>, break_ttl: bool) -> Report {
    let storage = Storage::open(store).unwrap();
    let demo = Path::new(env!("CARGO_BIN_EXE_demo"));
    run(&storage, demo, break_ttl, QUIET).unwrap()
}

#[test]
fn ours_shows_no_flicker_where_the_naive_client_shows_every_sort() {
    let report = play(None, false);
    assert_eq!(report.resourcecache, 0, "{report:#?}");
    let killed = report.killed.expect("it was killed");
    assert_eq!((killed.deleted, killed.failed), (3, 2), "nothing is lost");
    let last = report.scenarios.last().expect("scenarios");
    assert!(last.naive.came_back > 0, "{report:#?}");
    let naive = report
        .scenarios
        .iter()
        .map(|s| s.naive)
        .reduce(|a, b| a.plus(b))
        .unwrap();
    assert!(naive.came_back > 0, "{naive:?}");
    assert!(naive.vanished > 0, "{naive:?}");
    assert!(naive.jumped_back > 0, "{naive:?}");
}

#[test]
fn without_its_ttl_ours_flickers_too() {
    let report = play(None, true);
    assert!(report.resourcecache > 0, "{report:#?}");
}

/// What the store is for: without one, a program that is killed shows what was deleted again.
#[test]
fn in_memory_alone_what_was_asked_is_lost_with_the_program() {
    let report = play(Some("memory"), false);
    let (last, others) = report.scenarios.split_last().expect("scenarios");
    assert!(last.resourcecache.total() > 0, "{report:#?}");
    assert!(others.iter().all(|one| one.resourcecache.total() == 0));
    let nothing = Settled {
        deleted: 0,
        failed: 0,
    };
    assert_eq!(report.killed, Some(nothing), "{report:#?}");
}

#[test]
fn a_file_of_the_users_own_is_left_without_the_runs_collections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.sqlite");
    let address = format!("sqlite:{}", path.display());
    let report = play(Some(&address), false);
    assert_eq!(report.resourcecache, 0, "{report:#?}");
    let store = resourcecache_storage::SqliteStore::open(&path).unwrap();
    let keys = resourcecache_storage::Store::keys(&store, None, 10).unwrap();
    assert_eq!(keys, [""; 0]);
}

#[test]
fn what_is_no_store_is_said() {
    let error = Storage::open(Some("postgres://x")).unwrap_err().to_string();
    assert!(error.contains("sqlite:PATH"), "{error}");
}

#[test]
fn what_is_done_offline_is_held_shown_and_sent() {
    let report = run_offline(30, &Storage::open(None).unwrap(), false, QUIET).unwrap();
    assert_eq!(report.resourcecache, 0, "{report:#?}");
    assert!(report.naive > 0, "{report:#?}");
}

#[test]
fn what_is_pushed_is_shown_while_lists_lag() {
    let (report, pushed) = run_live(30, false, QUIET).unwrap();
    assert_eq!(report.resourcecache, 0, "{report:#?}");
    for one in &report.scenarios {
        assert!(one.naive.total() > 0, "{report:#?}");
    }
    for by in pushed {
        assert!(by.changes > 20, "{by:?}");
        assert!(by.streams > 1, "a cut is survived: {by:?}");
        assert!(by.median_ms < 500.0, "no list tells so soon: {by:?}");
    }
}
