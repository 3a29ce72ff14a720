//! Streams that break, end, expire, are silent, or cannot be read (W7, W8).

use crate::driven::{Driven, chunk, event, status};
use resourcecache::{BadMessages, Timestamp, WatchConfig, WatchPosition, WatchSession, WatchState};

#[test]
fn a_stream_that_broke_goes_on_from_its_last_version() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    let bookmark = event("BOOKMARK", "", "15");
    driven.tell(stream, &event("ADDED", "b", "11")).unwrap();
    driven.tell(stream, &bookmark).unwrap();
    driven.nothing();
    driven.cut(stream);
    driven.nothing();
    assert_eq!(driven.session.state(), WatchState::BackingOff);
    let failure = driven.session.failure().unwrap();
    assert_eq!(failure.to_string(), "connection reset");
    let waited = driven.wait();
    assert!(waited <= 1_000);
    let watch = driven.watch();
    assert_eq!(watch.version.as_deref(), Some("15"));
    assert_eq!(driven.shown(), ["a", "b"]);
}

#[test]
fn a_stream_that_ends_in_health_is_opened_again_at_once() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.now = 10_000;
    driven.session.handle_closed(stream, driven.at());
    let watch = driven.watch();
    assert_eq!(watch.version.as_deref(), Some("10"));
    // One that ends at once is not.
    driven.session.handle_opened(watch.call, driven.at());
    driven.session.handle_closed(watch.call, driven.at());
    driven.nothing();
    assert_eq!(driven.session.state(), WatchState::BackingOff);
}

#[test]
fn waits_grow_are_drawn_from_the_seed_and_end_with_health() {
    let waits = |seed: u64| {
        let position = WatchPosition {
            version: Some("10".into()),
            sequence: None,
        };
        let session = WatchSession::resume(WatchConfig::kubernetes(), seed, position);
        let mut driven = Driven::with(session);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let watch = driven.watch();
            driven.cut(watch.call);
            driven.nothing();
            waits.push(driven.wait());
        }
        // Open for long enough, the next failure is the first again.
        let watch = driven.watch();
        driven.session.handle_opened(watch.call, driven.at());
        driven.now += 10_000;
        driven.cut(watch.call);
        driven.nothing();
        (waits, driven.wait())
    };
    let (one, after) = waits(1);
    assert_eq!(waits(1).0, one);
    assert_ne!(waits(2).0, one);
    let limits = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (wait, limit) in one.iter().zip(limits) {
        assert!(*wait <= limit, "{one:?}");
    }
    assert!(one.iter().any(|wait| *wait > 8_000), "{one:?}");
    assert!(after <= 1_000, "{after}");
}

#[test]
fn after_410_a_list_that_is_not_older_is_asked_for_at_once_but_not_for_ever() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.tell(stream, &event("ADDED", "b", "11")).unwrap();
    driven.now = 5_000;
    driven.tell(stream, &status(410, "Expired")).unwrap();
    assert_eq!(driven.session.position(), None);
    driven.closes(stream);
    let list = driven.list();
    assert!(driven.cache.should_poll(), "W1");
    assert_eq!(list.not_older_than.as_deref(), Some("11"));
    assert!(
        list.query()
            .contains(&("resourceVersionMatch", "NotOlderThan".into()))
    );
    driven.answer(list.call, &chunk(&["b"], "20", ""));
    let watch = driven.watch();
    assert_eq!(watch.version.as_deref(), Some("20"));
    assert!(!driven.cache.should_poll());
    driven.fail(watch.call, 410);
    driven.nothing();
    assert_eq!(driven.session.state(), WatchState::BackingOff);
    driven.now += 2_000;
    // Refused for the version as well, the newest is asked for.
    let list = driven.list();
    driven.fail(list.call, 410);
    driven.now += 4_000;
    assert_eq!(driven.list().not_older_than, None);
}

#[test]
fn other_errors_of_the_stream_go_on_from_the_last_version() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.tell(stream, &event("ADDED", "b", "11")).unwrap();
    driven.tell(stream, &status(500, "InternalError")).unwrap();
    driven.closes(stream);
    driven.nothing();
    driven.wait();
    let watch = driven.watch();
    assert_eq!(watch.version.as_deref(), Some("11"));
    // One that is refused for what it asks is not asked for in the same way again.
    driven.fail(watch.call, 400);
    driven.now += 2_000;
    driven.list();
}

#[test]
fn silence_counts_as_a_broken_stream() {
    let mut config = WatchConfig::kubernetes();
    config.idle_after_ms = Some(5_000);
    let (mut driven, stream) = Driven::watching(config, &["a"]);
    driven.now = 4_000;
    driven.session.handle_heard(stream, driven.at());
    driven.nothing();
    assert_eq!(driven.wait(), 5_000);
    driven.closes(stream);
    driven.nothing();
    let failure = driven.session.failure().unwrap().to_string();
    assert_eq!(failure, "nothing was heard for 5000 ms");
    driven.wait();
    assert_eq!(driven.watch().version.as_deref(), Some("10"));
}

#[test]
fn what_cannot_be_read_is_told_and_leads_to_a_list() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.now = 2_000;
    let error = driven.tell(stream, r#"{"type":"ADDED","object":{"metadata":{}}}"#);
    let error = error.unwrap_err().to_string();
    assert_eq!(
        error,
        r#"watch message: /object has no id under "/metadata/name""#
    );
    driven.closes(stream);
    let list = driven.list();
    driven.answer(list.call, &chunk(&["a", "b"], "12", ""));
    driven.watch();
    assert_eq!(driven.shown(), ["a", "b"]);

    let mut config = WatchConfig::kubernetes();
    config.bad_messages = BadMessages::Skip;
    let (mut driven, stream) = Driven::watching(config, &["a"]);
    let error = driven.tell(stream, r#"{"type":"ADDED","#).unwrap_err();
    assert!(error.to_string().contains("at byte 16"), "{error}");
    driven.nothing();
    assert!(driven.session.is_synced());
}

#[test]
fn every_wrong_message_says_what_is_wrong() {
    let schema = resourcecache::json::Schema::kubernetes();
    let wrong = [
        ("[]", "watch message: has no word under /type"),
        (
            r#"{"type":"PATCHED"}"#,
            r#"watch message: /type is "PATCHED", which is none of ADDED, MODIFIED, DELETED, BOOKMARK, ERROR"#,
        ),
        (
            r#"{"type":"BOOKMARK","object":{}}"#,
            "watch message: a bookmark without /object/metadata/resourceVersion",
        ),
        (
            r#"{"type":"ERROR","object":7}"#,
            "watch message: /object is no Status: invalid type: integer `7`, expected struct Status at line 1 column 1",
        ),
        (
            r#"{"type":"ADDED"}"#,
            "watch message: /object is no JSON object",
        ),
    ];
    for (message, problem) in wrong {
        let error = schema.watch_message(message.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
}

#[test]
fn what_comes_of_a_closed_stream_is_passed_over() {
    let (mut driven, old) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.cut(old);
    driven.nothing();
    driven.wait();
    let new = driven.watch().call;
    driven.session.handle_opened(new, driven.at());
    driven.tell(old, &event("ADDED", "x", "99")).unwrap();
    driven.tell(old, &status(410, "Expired")).unwrap();
    driven.cut(old);
    driven.session.handle_closed(old, driven.at());
    driven.nothing();
    assert_eq!(driven.shown(), ["a"]);
    assert_eq!(driven.version(), Some("10"));
    assert!(driven.session.is_synced());
}

#[test]
fn a_saved_position_needs_no_list() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.tell(stream, &event("ADDED", "b", "11")).unwrap();
    driven.nothing();
    let saved = serde_json::to_string(driven.session.position().unwrap()).unwrap();
    assert_eq!(saved, r#"{"version":"11"}"#);
    let position = serde_json::from_str(&saved).unwrap();
    let session = WatchSession::resume(WatchConfig::kubernetes(), 2, position);
    let mut again = Driven { session, ..driven };
    assert_eq!(again.watch().version.as_deref(), Some("11"));
    // What says nothing of a version is no position.
    let nowhere = WatchPosition::default();
    let session = WatchSession::resume(WatchConfig::kubernetes(), 2, nowhere);
    let mut again = Driven { session, ..again };
    again.list();
}

#[test]
fn offline_nothing_is_asked_and_online_again_nothing_waits() {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.cut(stream);
    driven.nothing();
    driven.session.set_online(false, driven.at());
    assert_eq!(driven.session.state(), WatchState::Offline);
    driven.nothing();
    assert_eq!(driven.session.poll_timeout(), None);
    driven.session.set_online(true, driven.at());
    let watch = driven.watch();
    assert_eq!(watch.version.as_deref(), Some("10"));
    driven.session.set_online(false, driven.at());
    driven.closes(watch.call);
    driven.nothing();
}

#[test]
fn who_is_too_slow_is_given_a_list() {
    let mut config = WatchConfig::kubernetes();
    config.max_waiting = 10;
    let (mut driven, stream) = Driven::watching(config, &["a"]);
    for version in 11..40 {
        driven
            .tell(stream, &event("ADDED", "b", &version.to_string()))
            .unwrap();
    }
    driven.closes(stream);
    driven.nothing();
    assert_eq!(driven.shown(), ["a"]);
    assert_eq!(driven.session.position(), None);
    driven.now = 2_000;
    let list = driven.list();
    assert_eq!(list.not_older_than.as_deref(), Some("10"));
}

#[test]
fn a_clock_that_steps_back_counts_as_no_time() {
    // T1
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a"]);
    driven.now = 100_000;
    driven.cut(stream);
    driven.nothing();
    driven.now = 40_000;
    driven.nothing();
    assert!(driven.wait() <= 1_000);
    driven.watch();
    assert!(driven.now >= 40_000 && driven.now <= 41_000);
    assert_eq!(driven.session.poll_timeout(), None::<Timestamp>);
}
