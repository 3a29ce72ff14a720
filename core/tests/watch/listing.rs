//! Lists: whole, in chunks, expired, refused (W4, W5).

use crate::driven::{Driven, chunk, event};
use resourcecache::{WatchConfig, WatchFailure, WatchState};

#[test]
fn a_list_comes_first_and_the_stream_goes_on_from_it() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    assert_eq!(driven.session.state(), WatchState::Listing);
    let list = driven.list();
    let query = [("limit", "500".to_string())];
    assert_eq!(list.query(), query, "the newest, without a version");
    driven.nothing();
    driven.answer(list.call, &chunk(&["a", "b"], "10", ""));
    let watch = driven.watch();
    assert_eq!(driven.shown(), ["a", "b"]);
    let query: Vec<String> = watch
        .query()
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    let asked = "watch=true resourceVersion=10 allowWatchBookmarks=true";
    assert_eq!(query.join(" "), asked);
    assert_eq!(driven.session.state(), WatchState::Watching);
    assert!(!driven.session.is_synced(), "not before it is open");
    driven.session.handle_opened(watch.call, driven.at());
    assert!(driven.session.is_synced());
    driven.tell(watch.call, &event("ADDED", "c", "11")).unwrap();
    driven
        .tell(watch.call, &event("DELETED", "a", "12"))
        .unwrap();
    assert_eq!(driven.version(), Some("10"), "nothing is applied yet");
    driven.nothing();
    assert_eq!(driven.shown(), ["b", "c"]);
    assert_eq!(driven.version(), Some("12"));
}

#[test]
fn the_first_list_may_be_an_old_one() {
    let mut config = WatchConfig::kubernetes();
    config.first_list_may_be_old = true;
    let mut driven = Driven::new(config);
    assert_eq!(driven.list().not_older_than.as_deref(), Some("0"));
}

#[test]
fn chunks_are_merged_as_one_list_of_the_first_ones_version() {
    let mut config = WatchConfig::kubernetes();
    config.limit = Some(2);
    let mut driven = Driven::new(config);
    let first = driven.list();
    driven.answer(first.call, &chunk(&["a", "b"], "10", "k1"));
    let second = driven.list();
    assert_eq!(
        driven.shown(),
        Vec::<String>::new(),
        "not before all is there"
    );
    assert_eq!(driven.session.position(), None);
    let query = [("limit", "2".to_string()), ("continue", "k1".to_string())];
    assert_eq!(second.query(), query);
    // What comes of the first once more is passed over.
    driven.answer(first.call, &chunk(&["x"], "10", ""));
    driven.nothing();
    driven.answer(second.call, &chunk(&["c"], "13", ""));
    assert_eq!(driven.watch().version.as_deref(), Some("10"));
    assert_eq!(driven.shown(), ["a", "b", "c"]);
}

#[test]
fn a_bad_item_is_named_by_its_place_in_all_chunks() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    let first = driven.list();
    driven.answer(first.call, &chunk(&["a", "b"], "10", "k1"));
    let second = driven.list();
    let bad = r#"{"metadata":{"resourceVersion":"10"},"items":[{"metadata":{"name":"c"}},{}]}"#;
    driven.answer(second.call, bad);
    driven.nothing();
    let failure = driven.session.failure().unwrap().message.clone();
    assert!(failure.starts_with("item 3: has no id"), "{failure}");
    assert_eq!(driven.session.state(), WatchState::BackingOff);
    assert_eq!(driven.shown(), Vec::<String>::new());
    driven.wait();
    assert_eq!(driven.list().continue_token, None, "it begins again");
}

#[test]
fn a_token_that_expires_leads_to_a_whole_list() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    let first = driven.list();
    driven.answer(first.call, &chunk(&["a"], "10", "k1"));
    let second = driven.list();
    driven.fail(second.call, 410);
    let again = driven.list();
    assert_eq!(again.limit, None);
    assert_eq!(again.continue_token, None);
    driven.answer(again.call, &chunk(&["b"], "20", ""));
    assert_eq!(driven.watch().version.as_deref(), Some("20"));
    assert_eq!(driven.shown(), ["b"], "nothing of the first chunk");
}

#[test]
fn a_list_that_names_no_version_is_merged_and_asked_for_again() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    let list = driven.list();
    driven.answer(list.call, &chunk(&["a"], "", ""));
    driven.nothing();
    assert_eq!(driven.shown(), ["a"]);
    let failure = &driven.session.failure().unwrap().message;
    assert!(failure.contains("Schema::list_version"), "{failure}");
    driven.wait();
    driven.list();
}

#[test]
fn a_list_that_fails_is_tried_again_later() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    let list = driven.list();
    let busy = WatchFailure::status(429, "busy").with_retry_after(7_000);
    driven.session.handle_failed(list.call, busy, driven.at());
    driven.nothing();
    assert_eq!(driven.session.state(), WatchState::BackingOff);
    assert_eq!(driven.wait(), 7_000);
    let list = driven.list();
    // Malformed, it names where.
    let answer = driven.schema.list_answer(br#"{"items":[}"#);
    let error = driven.session.handle_list(list.call, answer, driven.at());
    assert!(error.unwrap_err().to_string().contains("at byte 10"));
    driven.nothing();
    assert_eq!(driven.session.state(), WatchState::BackingOff);
}

#[test]
fn a_list_that_is_not_answered_counts_as_failed() {
    let mut driven = Driven::new(WatchConfig::kubernetes());
    let list = driven.list();
    assert_eq!(driven.wait(), 60_000);
    driven.closes(list.call);
    driven.nothing();
    // It comes too late.
    driven.answer(list.call, &chunk(&["a"], "10", ""));
    driven.nothing();
    assert_eq!(driven.shown(), Vec::<String>::new());
    driven.wait();
    driven.list();
}
