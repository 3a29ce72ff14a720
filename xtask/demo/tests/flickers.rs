//! Ours does not flicker, the naive client does; and without its TTL ours does too.

use resourcecache_demo::{Screen, run, run_live, run_offline};

const QUIET: Screen = Screen {
    quiet: true,
    pause_ms: 0,
};

#[test]
fn ours_shows_no_flicker_where_the_naive_client_shows_every_sort() {
    let report = run(false, QUIET).unwrap();
    assert_eq!(report.resourcecache, 0, "{report:#?}");
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
    let report = run(true, QUIET).unwrap();
    assert!(report.resourcecache > 0, "{report:#?}");
}

#[test]
fn what_is_done_offline_is_held_shown_and_sent() {
    let report = run_offline(30, false, QUIET).unwrap();
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
