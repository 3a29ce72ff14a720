//! A watch session without IO: what it asks for, and what it makes of what comes.

use std::sync::Arc;

use resourcecache_ffi::{
    Config, Feed, FeedWords, JsonCache, ManualClock, NamedOperation, QueryParameter, VersionOrder,
    WatchAction, WatchFailure, WatchPosition, WatchSession, WatchSettings, WatchState,
    kubernetes_schema,
};

struct Watched {
    clock: Arc<ManualClock>,
    cache: Arc<JsonCache>,
    session: Arc<WatchSession>,
}

fn settings() -> WatchSettings {
    WatchSettings {
        seed: Some(1),
        ..WatchSettings::default()
    }
}

fn pods(position: Option<WatchPosition>) -> Watched {
    let clock = ManualClock::new(1_000);
    let config = Config {
        version_order: Some(VersionOrder::Integer),
        ..Config::default()
    };
    let schema = kubernetes_schema().expect("the core's own");
    let cache = JsonCache::new(Some(config), Some(schema), Some(Arc::clone(&clock)));
    let cache = cache.expect("good settings");
    let session = WatchSession::new(Arc::clone(&cache), Some(settings()), position);
    Watched {
        session: session.expect("good settings"),
        cache,
        clock,
    }
}

impl Watched {
    /// What it asks for by now, but for what it has applied.
    fn asked(&self) -> Vec<WatchAction> {
        let poll = || self.session.poll().expect("the cache is whole");
        let actions = std::iter::from_fn(poll);
        actions
            .filter(|action| !matches!(action, WatchAction::Applied { .. }))
            .collect()
    }

    fn list(&self) -> (u64, Vec<QueryParameter>) {
        match &self.asked()[..] {
            [WatchAction::ListCall { call, query, .. }] => (*call, query.clone()),
            other => panic!("{other:?} is no list"),
        }
    }

    fn watch(&self) -> (u64, Vec<QueryParameter>) {
        match &self.asked()[..] {
            [WatchAction::WatchCall { call, query, .. }] => (*call, query.clone()),
            other => panic!("{other:?} is no watch"),
        }
    }

    fn count(&self) -> u64 {
        self.cache.visible_count().expect("whole")
    }
}

fn value<'a>(query: &'a [QueryParameter], name: &str) -> Option<&'a str> {
    let found = query.iter().find(|parameter| parameter.name == name);
    found.map(|parameter| &*parameter.value)
}

fn pod(name: &str, version: u32) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","resourceVersion":"{version}"}}}}"#)
}

#[test]
fn a_list_then_a_stream_from_its_version_and_a_list_again_when_that_expires() {
    let watched = pods(None);
    let (list, query) = watched.list();
    assert_eq!(value(&query, "limit"), Some("500"));
    assert_eq!(watched.session.state(), WatchState::Listing);
    let chunk = format!(
        r#"{{"metadata":{{"resourceVersion":"7","continue":"next"}},"items":[{}]}}"#,
        pod("a", 3)
    );
    assert_eq!(watched.session.handle_list(list, chunk.as_bytes()), None);
    let (list, query) = watched.list();
    assert_eq!(value(&query, "continue"), Some("next"));
    assert_eq!(watched.count(), 0, "half a list is no list");
    let chunk = format!(
        r#"{{"metadata":{{"resourceVersion":"7"}},"items":[{}]}}"#,
        pod("b", 4)
    );
    assert_eq!(watched.session.handle_list(list, chunk.as_bytes()), None);
    let (stream, query) = watched.watch();
    assert_eq!(watched.count(), 2);
    assert_eq!(value(&query, "resourceVersion"), Some("7"));
    assert_eq!(value(&query, "allowWatchBookmarks"), Some("true"));
    watched.session.handle_opened(stream);
    assert!(watched.session.is_synced());

    let line = format!(r#"{{"type":"DELETED","object":{}}}"#, pod("a", 9));
    assert_eq!(
        watched
            .session
            .handle_message(stream, line.as_bytes(), None),
        None
    );
    assert_eq!(watched.asked(), []);
    assert_eq!(watched.count(), 1);
    let nine = WatchPosition {
        version: Some("9".into()),
        sequence: None,
    };
    assert_eq!(watched.session.position(), Some(nine.clone()));
    let go_on = pods(Some(nine));
    assert_eq!(value(&go_on.watch().1, "resourceVersion"), Some("9"));

    let gone = br#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#;
    watched.session.handle_status(stream, 410, gone, None);
    watched.clock.set_ms(60_000);
    let (_, query) = watched.list();
    assert_eq!(value(&query, "continue"), None);
    assert_eq!(watched.session.position(), None);
}

#[test]
fn failures_are_told_waited_for_and_forgotten() {
    let watched = pods(None);
    let (list, _) = watched.list();
    let refused = watched.session.handle_list(list, b"<html>");
    let problem = refused.expect("it is told");
    assert!(problem.contains("byte 0"), "{problem}");
    assert_eq!(watched.asked(), []);
    assert_eq!(watched.session.state(), WatchState::BackingOff);
    let at = watched.session.poll_timeout_ms().expect("it tries again");
    watched.clock.set_ms(at);
    let (list, _) = watched.list();
    let failure = WatchFailure {
        status: Some(429),
        reason: None,
        problem: "too many".into(),
        retry_after_ms: Some(70_000),
    };
    watched.session.handle_failed(list, failure.clone());
    assert_eq!(watched.session.failure(), Some(failure));
    assert!(watched.session.poll_timeout_ms() >= Some(at + 70_000));
    watched.session.set_online(false);
    assert_eq!(watched.session.state(), WatchState::Offline);
    watched.session.set_online(true);
    assert_eq!(watched.asked(), [], "the server's wait holds");
    let at = watched.session.poll_timeout_ms();
    watched.clock.set_ms(at.expect("it tries again"));
    let (list, _) = watched.list();
    let empty = br#"{"metadata":{"resourceVersion":"1"},"items":[]}"#;
    assert_eq!(watched.session.handle_list(list, empty), None);
    let (stream, _) = watched.watch();
    watched.session.handle_opened(stream);
    assert_eq!(watched.session.failure(), None);
    watched.session.handle_heard(stream);
    watched.session.handle_closed(stream);
    watched.clock.set_ms(watched.clock.now_ms() + 40_000);
    watched.watch();
    watched.session.relist();
    let closed_and_listed = watched.asked();
    let lists = |a: &WatchAction| matches!(a, WatchAction::ListCall { .. });
    assert!(closed_and_listed.iter().any(lists), "{closed_and_listed:?}");
}

#[test]
fn a_feed_is_read_by_its_own_words() {
    let clock = ManualClock::new(0);
    let cache = JsonCache::new(None, None, Some(Arc::clone(&clock))).expect("the defaults");
    let feed = Feed {
        resource: Some("/doc".into()),
        id: Some("/key".into()),
        error: Some("/why".into()),
        words: Some(FeedWords {
            modified: Some(vec!["set".into()]),
            deleted: Some(vec!["del".into()]),
            failed: Some(vec!["gave_up".into()]),
            ..FeedWords::default()
        }),
        ..Feed::default()
    };
    let settings = WatchSettings {
        feed: Some(feed),
        ..settings()
    };
    let session = WatchSession::new(Arc::clone(&cache), Some(settings), None);
    let session = session.expect("good settings");
    let watched = Watched {
        clock,
        cache,
        session,
    };
    // Nowhere to go on from: the stream is there before the list is asked for.
    let (stream, _) = watched.watch();
    watched.session.handle_opened(stream);
    let (list, _) = watched.list();
    watched.session.handle_list(list, br#"[{"id":"a"}]"#);
    let tell = |word: &str, data: &str| {
        let told = watched
            .session
            .handle_message(stream, data.as_bytes(), Some(word.into()));
        assert_eq!(watched.asked(), []);
        told
    };
    assert_eq!(tell("set", r#"{"doc":{"id":"b"}}"#), None);
    assert_eq!(watched.count(), 2);
    assert_eq!(tell("del", r#"{"key":"a"}"#), None);
    assert_eq!(watched.count(), 1);
    watched
        .cache
        .mark_as_deleting("b".into(), None)
        .expect("it is there");
    assert_eq!(tell("gave_up", r#"{"key":"b","why":"locked"}"#), None);
    assert_eq!(watched.count(), 1, "the deletion failed");
    let outcomes = watched.cache.outcomes().expect("whole");
    assert!(outcomes.contains("locked"), "{outcomes}");
    let unknown = watched
        .session
        .handle_message(stream, b"{}", Some("what".into()));
    assert!(unknown.is_some_and(|problem| problem.contains("FeedWords")));
}

#[test]
fn a_stream_without_bodies_can_be_observed_by_hand() {
    let cache = JsonCache::new(None, None, Some(ManualClock::new(0))).expect("the defaults");
    cache
        .merge(br#"[{"id":"a"},{"id":"b"}]"#, None, None)
        .expect("a list");
    let gone = cache
        .observe_deleted("a".into(), None)
        .expect("it is there");
    assert_eq!(gone.removed, 1);
    cache
        .mark_as_deleting("b".into(), None)
        .expect("it is there");
    let by_id = NamedOperation::Id { id: "b".into() };
    let failed = cache.observe_failed(by_id, "locked".into()).expect("known");
    assert!(failed.text.contains("locked"), "{failed:?}");
    assert_eq!(failed.upserted, 1);
    let unknown = NamedOperation::Key { key: "none".into() };
    let nothing = cache
        .observe_failed(unknown, "locked".into())
        .expect("stays");
    assert_eq!((nothing.upserted, nothing.removed), (0, 0));
}
