//! Feeds of any server: sequence numbers, batches, ids only, failed operations (W9, W10).

use crate::driven::Driven;
use resourcecache::json::{Feed, Schema};
use resourcecache::{CallId, Initial, Resume, Settlement, WatchConfig, WatchFailure};

fn feed() -> Feed {
    serde_json::from_str(
        r#"{"word": "/op", "resource": "/doc", "id": "/id", "sequence": "/n",
            "key": "/key", "error": "/why",
            "words": {"modified": ["set"], "deleted": ["del"], "touched": ["changed"],
                      "ready": ["subscribed"], "failed": ["failed"], "ignored": ["ping"],
                      "snapshot": ["all"], "expired": ["gone"]}}"#,
    )
    .unwrap()
}

fn listed(config: WatchConfig) -> (Driven, CallId) {
    let mut driven = Driven::new(config);
    driven.schema = Schema {
        version: Some("/v".parse().unwrap()),
        token: Some("/token".parse().unwrap()),
        ..Schema::default()
    };
    let watch = driven.watch();
    driven.session.handle_opened(watch.call, driven.at());
    let list = driven.list();
    assert_eq!(list.query(), []);
    driven.answer(list.call, r#"[{"id":"a","v":1}]"#);
    driven.nothing();
    (driven, watch.call)
}

#[test]
fn a_stream_that_cannot_go_on_is_opened_before_the_list() {
    let (mut driven, stream) = listed(WatchConfig::feed());
    assert!(driven.session.is_synced());
    let set = r#"{"op":"set","doc":{"id":"b","v":2}}"#;
    driven.feed(stream, &feed(), set).unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["a", "b"]);
    driven.cut(stream);
    driven.nothing();
    assert_eq!(driven.session.position(), None, "what comes now is missed");
    driven.now = 5_000;
    let watch = driven.watch();
    driven.nothing(); // no list before it is open
    driven.session.handle_opened(watch.call, driven.at());
    driven.list();
}

#[test]
fn what_a_stream_tells_while_the_list_is_asked_for_is_newer() {
    let mut driven = Driven::new(WatchConfig::feed());
    driven.schema = Schema::default();
    let watch = driven.watch();
    driven.session.handle_opened(watch.call, driven.at());
    let list = driven.list();
    for message in [
        r#"{"op":"set","doc":{"id":"new"}}"#,
        r#"{"op":"set","doc":{"id":"old","x":2}}"#,
        r#"{"op":"set","doc":{"id":"gone"}}"#,
        r#"{"op":"del","id":"gone"}"#,
        r#"{"op":"del","id":"never seen"}"#,
    ] {
        driven.feed(watch.call, &feed(), message).unwrap();
    }
    driven.nothing();
    driven.answer(
        list.call,
        r#"[{"id":"old","x":1},{"id":"gone"},{"id":"never seen"}]"#,
    );
    driven.nothing();
    let mut shown = driven.shown();
    shown.sort();
    assert_eq!(shown, ["new", "old"]);
    let old = driven.cache.get_one("old").unwrap();
    assert_eq!(old.body().body(), r#"{"id":"old","x":2}"#);
}

#[test]
fn a_subscription_is_awaited() {
    let mut config = WatchConfig::feed();
    config.awaits_ready = true;
    let mut driven = Driven::new(config);
    driven.schema = Schema::default();
    let watch = driven.watch();
    driven.session.handle_opened(watch.call, driven.at());
    driven.nothing();
    driven
        .feed(watch.call, &feed(), r#"{"op":"subscribed"}"#)
        .unwrap();
    driven.list();
}

#[test]
fn a_gap_leads_to_a_list_and_what_is_repeated_is_passed_over() {
    let mut config = WatchConfig::feed();
    config.resume = Resume::Sequence;
    let (mut driven, stream) = listed(config);
    driven.now = 5_000;
    let set = |n: u64, id: &str| format!(r#"{{"op":"set","n":{n},"doc":{{"id":"{id}"}}}}"#);
    driven.feed(stream, &feed(), &set(4, "b")).unwrap();
    driven.feed(stream, &feed(), &set(5, "c")).unwrap();
    driven
        .feed(stream, &feed(), r#"{"op":"del","n":4,"id":"a"}"#)
        .unwrap();
    driven
        .feed(stream, &feed(), r#"{"op":"del","n":5,"id":"a"}"#)
        .unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["a", "b", "c"]);
    assert_eq!(driven.session.position().unwrap().sequence, Some(5));
    driven.feed(stream, &feed(), &set(7, "d")).unwrap();
    let list = driven.list();
    assert_eq!(driven.shown(), ["a", "b", "c", "d"]);
    assert_eq!(driven.session.position(), None);
    driven.answer(list.call, r#"[{"id":"b"},{"id":"c"},{"id":"d"}]"#);
    driven.nothing();
    assert_eq!(driven.shown(), ["b", "c", "d"]);
    assert_eq!(driven.session.position().unwrap().sequence, Some(7));
    // It goes on from there, without a list; the first number missed is heard of again.
    driven.cut(stream);
    driven.nothing();
    driven.wait();
    let watch = driven.watch();
    assert_eq!(watch.sequence, Some(7));
    driven.session.handle_opened(watch.call, driven.at());
    driven.nothing();
    driven.now += 5_000;
    driven.feed(watch.call, &feed(), &set(9, "e")).unwrap();
    driven.list();
    // What the server no longer knows, it cannot go on from.
    driven
        .feed(watch.call, &feed(), r#"{"op":"gone","n":10}"#)
        .unwrap();
    driven.closes(watch.call);
    driven.now += 5_000;
    assert_eq!(driven.watch().sequence, None);
}

#[test]
fn what_changes_while_a_list_is_asked_for_leads_to_another() {
    let (mut driven, stream) = listed(WatchConfig::feed());
    let changed = r#"{"op":"changed"}"#;
    driven.feed(stream, &feed(), changed).unwrap();
    driven.nothing();
    assert_eq!(driven.wait(), 1_000, "not faster than the interval");
    let list = driven.list();
    driven.feed(stream, &feed(), changed).unwrap();
    driven.feed(stream, &feed(), changed).unwrap();
    driven.answer(list.call, r#"[{"id":"b"}]"#);
    driven.nothing();
    driven.wait();
    let list = driven.list();
    driven.answer(list.call, r#"[{"id":"c"}]"#);
    driven.nothing();
    assert_eq!(driven.shown(), ["c"]);
    assert_eq!(driven.session.poll_timeout(), None);
}

#[test]
fn a_snapshot_in_the_stream_is_a_list() {
    let mut config = WatchConfig::feed();
    config.initial = resourcecache::Initial::Stream;
    let mut driven = Driven::new(config);
    driven.schema = Schema::default();
    let stream = driven.watch().call;
    let all = r#"{"op":"all","doc":[{"id":"a"},{"id":"b"}]}"#;
    driven.feed(stream, &feed(), all).unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["a", "b"]);
    assert!(driven.session.is_synced());
    // Where something was missed, only another stream tells all there is.
    driven.now = 5_000;
    driven.feed(stream, &feed(), r#"{"op":"set"}"#).unwrap_err();
    driven.closes(stream);
    let again = driven.watch().call;
    driven
        .feed(again, &feed(), r#"{"op":"all","doc":[{"id":"b"}]}"#)
        .unwrap();
    driven.nothing();
    assert_eq!(driven.shown(), ["b"]);
}

#[test]
fn an_event_fails_the_operation_that_it_names() {
    // W10
    let (mut driven, stream) = listed(WatchConfig::feed());
    let now = driven.at();
    let patch = driven.schema.merge_patch(br#"{"x":1}"#).unwrap();
    let queued = resourcecache::Event::Queue {
        begin: Box::new(resourcecache::Event::Begin {
            id: "a".into(),
            kind: resourcecache::Kind::Update,
            patch: Some(patch.clone()),
            min_ttl_ms: None,
        }),
        send_after_ms: 0,
    };
    driven.cache.apply(queued, now).unwrap();
    let unsent = r#"{"op":"failed","id":"a","why":"of somebody else"}"#;
    driven.feed(stream, &feed(), unsent).unwrap();
    driven.nothing();
    assert_eq!(driven.cache.outcomes().count(), 0, "it was not sent yet");
    let (attempt, _) = driven.cache.poll_attempt(now).unwrap();
    let attempt = attempt.unwrap();
    driven
        .cache
        .acknowledge(attempt.operation, None, now)
        .unwrap();

    let failed = |by: &str, name: &str| {
        format!(r#"{{"op":"failed","{by}":"{name}","why":"quota is spent"}}"#)
    };
    driven
        .feed(stream, &feed(), &failed("key", "another"))
        .unwrap();
    driven
        .feed(stream, &feed(), &failed("id", "unknown"))
        .unwrap();
    driven.nothing();
    assert_eq!(driven.cache.outcomes().count(), 0);
    driven
        .feed(stream, &feed(), &failed("key", &attempt.key))
        .unwrap();
    driven.nothing();
    let outcome = driven.cache.outcomes().last().unwrap().clone();
    assert_eq!(
        (outcome.operation, outcome.settlement),
        (attempt.operation, Settlement::Failed)
    );
    assert_eq!(outcome.error.as_deref(), Some("quota is spent"));

    // A creation, by the client's token; an edit, by its resource.
    let new = driven
        .schema
        .resource(br#"{"id":"tmp","token":"t-1"}"#)
        .unwrap();
    driven.cache.add_as_creating(new, now).unwrap();
    driven.feed(stream, &feed(), &failed("key", "t-1")).unwrap();
    driven.nothing();
    let outcome = driven.cache.outcomes().last().unwrap().clone();
    assert_eq!(
        (outcome.id.as_str(), outcome.settlement),
        ("tmp", Settlement::Failed)
    );
    driven.cache.mark_as_deleting("a", None, now).unwrap();
    driven.feed(stream, &feed(), &failed("id", "a")).unwrap();
    driven.nothing();
    let outcome = driven.cache.outcomes().last().unwrap().clone();
    assert_eq!(
        (outcome.id.as_str(), outcome.settlement),
        ("a", Settlement::Failed)
    );
    assert!(driven.shown().contains(&"a".to_string()), "V2");
}

#[test]
fn a_message_may_have_several_events_of_one_version() {
    let feed: Feed = serde_json::from_str(
        r#"{"events": "/result/events", "word": "/type", "resource": "/kv", "version": "/rev",
            "id": "/kv/id", "words": {"modified": ["PUT"], "deleted": ["DELETE"]}}"#,
    )
    .unwrap();
    let message = r#"{"rev":"42","result":{"events":[
        {"type":"PUT","kv":{"id":"a"}}, {"type":"DELETE","kv":{"id":"b"}}]}}"#;
    let schema = Schema::default();
    let read = feed.message(&schema, message.as_bytes()).unwrap();
    assert_eq!(read.events.len(), 2);
    assert_eq!(read.version.as_deref(), Some("42"));
    let heartbeat = feed.message(&schema, br#"{"rev":"43"}"#).unwrap();
    assert_eq!(
        (heartbeat.events.len(), heartbeat.version.as_deref()),
        (0, Some("43"))
    );
    let wrong = [
        (
            r#"{"result":{"events":[{"type":"PUT","kv":{"id":"a"}},{"type":"PUT"}]}}"#,
            r#"feed message: event 1: has no resource under "/kv""#,
        ),
        (
            r#"{"result":{"events":[{"type":"DELETE","kv":{}}]}}"#,
            r#"feed message: event 0: has no id under "/kv/id""#,
        ),
        (
            r#"{"result":{"events":{}}}"#,
            r#"feed message: no array under "/result/events""#,
        ),
        (
            r#"{"result":{"events":[{"type":"MOVE"}]}}"#,
            "feed message: event 0: the word \"MOVE\" is none of added, created, PUT, DELETE, \
             bookmark, expired, snapshot, failed, heartbeat, ping; FeedWords says what words mean",
        ),
    ];
    for (message, problem) in wrong {
        let error = feed.message(&schema, message.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
}

/// A server that is too busy for lists, while its stream goes on: `Retry-After` counts (W7).
#[test]
fn what_a_stream_tells_does_not_shorten_the_wait_of_a_list_that_failed() {
    let (mut driven, stream) = listed(WatchConfig::feed());
    driven.now = 5_000;
    driven.feed(stream, &feed(), r#"{"op":"changed"}"#).unwrap();
    let list = driven.list();
    let busy = WatchFailure::status(503, "busy").with_retry_after(30_000);
    let at = driven.at();
    driven.session.handle_failed(list.call, busy, at);
    for _ in 0..3 {
        driven.now += 5_000;
        let set = r#"{"op":"set","doc":{"id":"b","v":2}}"#;
        driven.feed(stream, &feed(), set).unwrap();
        driven.nothing();
    }
    assert_eq!(driven.wait(), 15_000);
    // Nor does another failure with a shorter one.
    let list = driven.list();
    let busy = WatchFailure::status(503, "busy").with_retry_after(60_000);
    let at = driven.at();
    driven.session.handle_failed(list.call, busy, at);
    driven.cut(stream);
    driven.nothing();
    assert_eq!(driven.wait(), 60_000);
    driven.watch();
}

/// The stream broke, and the list that was asked for beside it is answered: that is no reason to
/// open the stream sooner (W7).
#[test]
fn a_list_that_succeeds_does_not_shorten_the_wait_of_a_stream_that_broke() {
    let (mut driven, stream) = listed(WatchConfig::feed());
    driven.now = 5_000;
    driven.feed(stream, &feed(), r#"{"op":"changed"}"#).unwrap();
    let list = driven.list();
    let busy = WatchFailure::status(503, "busy").with_retry_after(20_000);
    let at = driven.at();
    driven.session.handle_failed(stream, busy, at);
    driven.answer(list.call, r#"[{"id":"a","v":1},{"id":"c","v":4}]"#);
    driven.nothing();
    assert_eq!(driven.shown(), ["a", "c"]);
    assert_eq!(driven.wait(), 20_000);
    driven.watch();
}

/// The server says from which number the stream goes on, and that it is ready, in one message (W9).
#[test]
fn a_stream_is_ready_that_says_so_under_a_number_that_was_heard() {
    let mut config = WatchConfig::feed();
    (config.resume, config.awaits_ready) = (Resume::Sequence, true);
    let mut driven = Driven::new(config);
    driven.schema = Schema::default();
    let ready = r#"{"op":"subscribed","n":7}"#;
    let watch = driven.watch();
    driven.session.handle_opened(watch.call, driven.at());
    driven.feed(watch.call, &feed(), ready).unwrap();
    let list = driven.list();
    driven.cut(list.call);
    driven.cut(watch.call);
    driven.nothing();
    driven.wait();
    let watch = driven.watch();
    assert_eq!(watch.sequence, Some(7));
    driven.session.handle_opened(watch.call, driven.at());
    driven.feed(watch.call, &feed(), ready).unwrap();
    driven.wait();
    driven.list();
}

/// A stream that begins with all there is has told what its numbers leave out (W6, W9).
#[test]
fn a_snapshot_begins_the_count_anew() {
    let mut config = WatchConfig::feed();
    (config.resume, config.initial) = (Resume::Sequence, Initial::Stream);
    let mut driven = Driven::new(config);
    driven.schema = Schema::default();
    let all = |n: u64| format!(r#"{{"op":"all","n":{n},"doc":[{{"id":"a"}},{{"id":"b"}}]}}"#);
    let watch = driven.watch();
    driven.session.handle_opened(watch.call, driven.at());
    driven.feed(watch.call, &feed(), &all(3)).unwrap();
    driven.nothing();
    assert!(driven.session.is_synced());
    driven.session.relist(driven.at());
    driven.closes(watch.call);
    let watch = driven.watch();
    assert!(watch.initial_events);
    driven.session.handle_opened(watch.call, driven.at());
    driven.feed(watch.call, &feed(), &all(9)).unwrap();
    driven.nothing();
    assert!(driven.session.is_synced());
    assert_eq!(driven.session.position().unwrap().sequence, Some(9));
}
