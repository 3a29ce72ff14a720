//! PowerDNS lags as long as a test wants. The naive client flickers, ours does not, and ours says
//! how each change ended.
//!
//! Times are milliseconds that the tests pass in: nothing here waits for a clock.

use resourcecache::{Config, Kind, Outcome, Retry, Settlement, Timestamp};
use resourcecache_pdns::{Programs, Stage};

const TTL_MS: i64 = 5_000;
const STALE_MS: i64 = 60_000;
const THREE: [&str; 3] = ["a.example.", "b.example.", "c.example."];

/// Servers with these zones; `None`, which is said, where there is no PowerDNS. In CI that fails.
fn stage(zones: &[&str]) -> Option<Stage> {
    let mut config = Config::default();
    config.ttl_ms = TTL_MS.unsigned_abs();
    config.stale_after_ms = STALE_MS.unsigned_abs();
    match Programs::find() {
        Ok(programs) => Some(Stage::start(&programs, zones, config)),
        Err(missing) if std::env::var_os("CI").is_some() => {
            panic!("{missing}; `cargo xtask test` gets it by apt-get")
        }
        Err(missing) => {
            println!("skipped: {missing}; `cargo xtask test` gets it by apt-get");
            None
        }
    }
}

/// What settled, and how.
fn settled(outcomes: &[Outcome]) -> Vec<(&str, Kind, Settlement)> {
    let mut all: Vec<_> = outcomes
        .iter()
        .map(|o| (o.id.as_str(), o.kind, o.settlement))
        .collect();
    all.sort();
    all
}

#[test]
fn a_deleted_zone_does_not_come_back() {
    let Some(mut stage) = stage(&THREE) else {
        return;
    };
    let operation = stage.marks_deleted("b.example.");
    stage.at(500).deletes("b.example.", operation);
    for at in [1_000, 2_000, 3_000] {
        assert_eq!(stage.at(at).refresh(), [], "the list is old");
        assert_eq!(stage.shown(), ["a.example.", "c.example."]);
    }
    assert_eq!(stage.flickers("deletion"), (1, 0));
    stage.pair.catch_up();
    let outcomes = stage.at(4_000).refresh();
    assert_eq!(
        settled(&outcomes),
        [("b.example.", Kind::Delete, Settlement::Confirmed)]
    );
    assert_eq!(stage.shown(), ["a.example.", "c.example."]);
    assert!(!stage.cache.should_poll());
}

#[test]
fn a_new_zone_does_not_vanish() {
    let Some(mut stage) = stage(&THREE) else {
        return;
    };
    stage.at(500).creates("new.example.");
    let all = ["a.example.", "b.example.", "c.example.", "new.example."];
    let key = |stage: &Stage| stage.cache.get_one("new.example.").unwrap().key();
    let at_first = key(&stage);
    for at in [1_000, 2_000, 3_000] {
        assert_eq!(stage.at(at).refresh(), [], "the list is old");
        assert_eq!(stage.shown(), all);
    }
    assert_eq!(stage.flickers("creation"), (1, 0));
    stage.pair.catch_up();
    let outcomes = stage.at(4_000).refresh();
    assert_eq!(
        settled(&outcomes),
        [("new.example.", Kind::Create, Settlement::Confirmed)]
    );
    assert_eq!(stage.shown(), all);
    assert_eq!(key(&stage), at_first, "it is the same row");
    assert!(!stage.cache.should_poll());
}

#[test]
fn a_changed_zone_does_not_jump_back() {
    let Some(mut stage) = stage(&THREE) else {
        return;
    };
    stage.at(500).signs("a.example.", true);
    // The answer had a serial: a list with an older one decides nothing, not even after the TTL.
    for at in [1_000, 3_000, TTL_MS + 5_000, STALE_MS] {
        assert_eq!(stage.at(at).refresh(), [], "the list is old");
        assert!(stage.is_signed("a.example."), "at {at}");
    }
    assert_eq!(stage.flickers("change"), (1, 0));
    stage.pair.transfer("a.example.");
    let outcomes = stage.at(STALE_MS + 100).refresh();
    assert_eq!(
        settled(&outcomes),
        [("a.example.", Kind::Update, Settlement::Confirmed)]
    );
    assert!(stage.is_signed("a.example."));
    assert!(!stage.cache.should_poll());
}

#[test]
fn a_lag_beyond_the_ttl_is_told_and_the_servers_word_shows() {
    let Some(mut stage) = stage(&THREE) else {
        return;
    };
    let operation = stage.marks_deleted("a.example.");
    stage.at(1_000).deletes("a.example.", operation);
    stage.signs("b.example.", false);
    stage.creates("new.example.");
    for at in [1_500, 3_000, 1_000 + TTL_MS - 1] {
        assert_eq!(stage.at(at).refresh(), [], "the list is old");
        let wanted = ["b.example.", "c.example.", "new.example."];
        assert_eq!(stage.shown(), wanted, "at {at}");
        assert!(stage.is_signed("b.example."), "at {at}");
    }
    assert_eq!(stage.flickers("within the TTL"), (3, 0));

    let outcomes = stage.at(1_000 + TTL_MS).refresh();
    assert_eq!(
        settled(&outcomes),
        [
            ("a.example.", Kind::Delete, Settlement::NotConfirmed),
            ("b.example.", Kind::Update, Settlement::NotConfirmed),
            ("new.example.", Kind::Create, Settlement::NotConfirmed),
        ]
    );
    let listed = ["a.example.", "b.example.", "c.example."];
    assert_eq!(stage.shown(), listed);
    assert!(!stage.is_signed("b.example."));

    stage.pair.catch_up();
    stage.pair.transfer("b.example.");
    assert_eq!(stage.at(20_000).refresh(), [], "all has settled");
    let caught_up = ["b.example.", "c.example.", "new.example."];
    assert_eq!(stage.shown(), caught_up);
    assert!(stage.is_signed("b.example."));
    assert!(!stage.cache.should_poll());
}

#[test]
fn a_deletion_that_the_replica_drops_is_not_confirmed() {
    let Some(mut stage) = stage(&THREE) else {
        return;
    };
    let operation = stage.marks_deleted("b.example.");
    stage.deletes("b.example.", operation);
    // The replica has the catalog without the zone, and keeps the zone.
    stage.pair.catch_up_while_held();
    for at in [1_000, 2_500, TTL_MS - 1] {
        assert_eq!(stage.at(at).refresh(), [], "nothing is known yet");
        assert_eq!(stage.shown(), ["a.example.", "c.example."]);
    }
    assert_eq!(stage.flickers("dropped by the replica"), (1, 0));
    let outcomes = stage.at(TTL_MS).refresh();
    assert_eq!(
        settled(&outcomes),
        [("b.example.", Kind::Delete, Settlement::NotConfirmed)]
    );
    let all = ["a.example.", "b.example.", "c.example."];
    assert_eq!(stage.shown(), all);

    // The user tries again, and the primary has no such zone.
    let again = stage.at(10_000).marks_deleted("b.example.");
    assert_eq!(stage.shown(), ["a.example.", "c.example."]);
    let status = stage.pair.delete("b.example.");
    assert_eq!(status, 404);
    let failed = stage
        .cache
        .fail(again, status.to_string(), Retry::No, Timestamp(10_100));
    assert_eq!(
        settled(&failed.unwrap().changes.outcomes),
        [("b.example.", Kind::Delete, Settlement::Failed)]
    );
    assert_eq!(stage.shown(), all, "the replica's word");

    // Asked by hand once more, the replica does delete it.
    stage.pair.catch_up();
    stage.at(30_000).refresh();
    assert_eq!(stage.shown(), ["a.example.", "c.example."]);
    assert!(!stage.cache.should_poll());
}

#[test]
fn twenty_deletions_at_once_do_not_flicker() {
    let zones: Vec<String> = (0..20).map(|n| format!("zone-{n:02}.example.")).collect();
    let mut all: Vec<&str> = zones.iter().map(String::as_str).collect();
    all.push("kept.example.");
    let Some(mut stage) = stage(&all) else {
        return;
    };
    let selected = &all[..20];
    let marked = stage
        .cache
        .batch_mark_as_processing(selected, Kind::Delete, None, Timestamp(0));
    let operations = marked.unwrap().operations;
    stage.hides(selected);
    let mut confirmed = Vec::new();
    for (done, (zone, operation)) in selected.iter().zip(operations).enumerate() {
        let at = 100 * done as i64;
        stage.at(at).deletes(zone, operation);
        stage.hides(&[zone]);
        confirmed.extend(stage.at(at + 50).refresh());
        assert_eq!(stage.shown(), ["kept.example."]);
        if done == 9 {
            stage.pair.catch_up();
        }
    }
    assert_eq!(confirmed.len(), 10, "half of them were seen to be gone");
    stage.pair.catch_up();
    confirmed.extend(stage.at(3_000).refresh());
    let wanted = selected
        .iter()
        .map(|zone| (*zone, Kind::Delete, Settlement::Confirmed));
    assert_eq!(settled(&confirmed), wanted.collect::<Vec<_>>());
    assert_eq!(stage.shown(), ["kept.example."]);
    let (naive, ours) = stage.flickers("twenty deletions");
    assert!(naive > 0);
    assert_eq!(ours, 0);
    assert!(!stage.cache.should_poll());
}
