//! What is not heard of: stalled, or given up (P5, P6).

use crate::*;

/// P5: silence is told, and any news ends it.
#[test]
fn silence_is_told() {
    let mut cache = with(
        Kind::Process,
        plan().stalled_after_ms(5_000),
        r#"[{"id":"a"}]"#,
    );
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    let stalled = cache
        .deadlines()
        .find(|d| d.reason == Reason::Stalled)
        .unwrap();
    assert_eq!(stalled.at, Timestamp(5_000));
    report(&mut cache, r#"{"stage":"second"}"#, 1_000);
    cache.handle_timeout(Timestamp(5_999)).unwrap();
    assert_eq!(meta(&cache).stalled, None);
    let told = cache.handle_timeout(Timestamp(6_000)).unwrap().changes;
    assert_eq!((told.upserted.len(), meta(&cache).stalled), (1, Some(true)));
    assert!(Progress::of(&cache.get_one("a").unwrap()).unwrap().stalled);
    assert!(cache.deadlines().all(|d| d.reason != Reason::Stalled));
    // A list that says the same is no news; one that says more is.
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 7_000);
    assert_eq!(meta(&cache).stalled, Some(true));
    merge(&mut cache, r#"[{"id":"a","flag":true}]"#, 8_000);
    assert_eq!(meta(&cache).stalled, None);
    cache.handle_timeout(Timestamp(13_000)).unwrap();
    assert_eq!(meta(&cache).stalled, Some(true));
    report(&mut cache, r#"{"stageProgress":10}"#, 14_000);
    assert_eq!(meta(&cache).stalled, None);
}

/// P5: what is queued or backing off is not stalled.
#[test]
fn what_waits_is_not_stalled() {
    let mut cache = with(
        Kind::Process,
        plan().stalled_after_ms(5_000),
        r#"[{"id":"a"}]"#,
    );
    let event = Event::Begin {
        id: "a".into(),
        kind: Kind::Process,
        patch: None,
        min_ttl_ms: None,
    };
    cache.set_online(false, Timestamp(0)).unwrap();
    let operation = cache
        .queue(event, 0, Timestamp(0))
        .unwrap()
        .operation()
        .unwrap();
    assert_eq!(meta(&cache).expected_at, None);
    cache.handle_timeout(Timestamp(100_000)).unwrap();
    cache.set_online(true, Timestamp(100_000)).unwrap();
    cache.poll_attempt(Timestamp(100_000)).unwrap();
    assert_eq!(meta(&cache).expected_at, Some(Timestamp(106_000)));
    cache
        .fail(operation, "busy", Retry::After(60_000), Timestamp(101_000))
        .unwrap();
    cache.handle_timeout(Timestamp(150_000)).unwrap();
    assert_eq!(meta(&cache).stalled, None);
}

/// P6: while the server says that it goes on, it is not given up.
#[test]
fn what_the_server_works_on_does_not_age() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 10);
    cache.handle_timeout(Timestamp(10_000_000)).unwrap();
    assert_eq!(stage(&cache), "second");
    merge(&mut cache, r#"[{"id":"a","status":"odd"}]"#, 10_000_000);
    cache.handle_timeout(Timestamp(10_299_999)).unwrap();
    assert_eq!(stage(&cache), "second");
    let ended = cache.handle_timeout(Timestamp(10_300_000)).unwrap().changes;
    assert_eq!(ended.outcomes[0].settlement, Settlement::Stale);
}
