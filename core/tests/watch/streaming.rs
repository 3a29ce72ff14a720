//! Streams that begin with all there is (W6).

use crate::driven::{Driven, chunk, event, initial_end};
use resourcecache::{Initial, WatchConfig, WatchState};

fn streaming() -> Driven {
    let mut config = WatchConfig::kubernetes();
    config.initial = Initial::Stream;
    Driven::new(config)
}

#[test]
fn what_is_not_told_before_the_end_of_the_initial_events_is_absent() {
    let mut driven = streaming();
    let watch = driven.watch();
    let query: Vec<String> = watch
        .query()
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let asked = "watch=true allowWatchBookmarks=true sendInitialEvents=true \
                 resourceVersionMatch=NotOlderThan";
    assert_eq!(query.join(" "), asked);
    for name in ["a", "b", "c"] {
        driven.tell(watch.call, &event("ADDED", name, "3")).unwrap();
    }
    driven
        .tell(watch.call, &event("DELETED", "b", "9"))
        .unwrap();
    driven
        .tell(watch.call, &event("MODIFIED", "a", "9"))
        .unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), Vec::<String>::new());
    assert_eq!(driven.session.state(), WatchState::Listing);
    assert_eq!(driven.session.position(), None);
    driven.tell(watch.call, &initial_end("10")).unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["a", "c"]);
    assert_eq!(driven.version(), Some("10"));
    assert!(driven.session.is_synced());
    driven.tell(watch.call, &event("ADDED", "d", "11")).unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["a", "c", "d"]);
    // The next one, after what cannot be gone on from, is not older, and drops what it lacks.
    driven.fail(watch.call, 410);
    let again = driven.watch();
    assert!(again.initial_events);
    assert_eq!(again.version.as_deref(), Some("11"));
    driven.tell(again.call, &event("ADDED", "d", "11")).unwrap();
    driven.tell(again.call, &initial_end("12")).unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["d"]);
}

#[test]
fn a_stream_that_breaks_before_that_begins_again() {
    let mut driven = streaming();
    let watch = driven.watch();
    driven.tell(watch.call, &event("ADDED", "a", "3")).unwrap();
    driven.cut(watch.call);
    driven.nothing();
    driven.wait();
    let again = driven.watch();
    assert!(again.initial_events);
    driven.tell(again.call, &event("ADDED", "b", "4")).unwrap();
    driven.tell(watch.call, &event("ADDED", "c", "4")).unwrap(); // of the one that broke
    driven.tell(again.call, &initial_end("10")).unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["b"]);
}

#[test]
fn a_server_that_refuses_is_asked_for_a_list() {
    let mut driven = streaming();
    let watch = driven.watch();
    driven.fail(watch.call, 422);
    let list = driven.list();
    driven.answer(list.call, &chunk(&["a"], "10", ""));
    let watch = driven.watch();
    assert!(!watch.initial_events);
    driven.now = 15_000;
    driven.fail(watch.call, 410);
    driven.list();
}

#[test]
fn a_server_that_does_not_come_to_the_end_is_asked_for_a_list() {
    let mut driven = streaming();
    let watch = driven.watch();
    driven.tell(watch.call, &event("ADDED", "a", "3")).unwrap();
    assert_eq!(driven.wait(), 60_000);
    driven.closes(watch.call);
    driven.list();
}

#[test]
fn a_version_ahead_of_the_servers_is_not_asked_for_again() {
    let mut driven = streaming();
    let watch = driven.watch();
    driven.tell(watch.call, &initial_end("10")).unwrap();
    driven.nothing();
    driven.session.relist(driven.at());
    driven.closes(watch.call);
    let again = driven.watch();
    assert_eq!(again.version.as_deref(), Some("10"));
    let body = br#"{"kind":"Status","code":504,"reason":"Timeout",
        "details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}}"#;
    let ahead = resourcecache::WatchFailure::kubernetes(504, body);
    driven.session.handle_failed(again.call, ahead, driven.at());
    assert_eq!(driven.watch().version, None);
}
