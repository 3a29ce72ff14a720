//! What is held back: offline, or so that it can be taken back.

use crate::*;

/// K2: offline it waits, for days, and no attempt is spent.
#[test]
fn offline_nothing_is_sent_and_nothing_ages() {
    const DAY: i64 = 86_400_000;
    let mut cache = cache(r#"[{"id":"a","n":1},{"id":"b"}]"#);
    cache.set_online(false, Timestamp(0)).unwrap();
    queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    queue(&mut cache, begin("b", Kind::Delete), 0);
    assert_eq!(sent(&mut cache, 0), [""; 0]);
    let old = Schema::default()
        .snapshot(br#"[{"id":"a","n":1},{"id":"b"}]"#)
        .unwrap();
    cache.merge(old, Timestamp(3 * DAY)).unwrap();
    cache
        .cleanup_stale_operations(0, Timestamp(3 * DAY))
        .unwrap();
    assert_eq!((settlements(&cache).len(), cache.queued()), (0, 2));
    assert_eq!(
        cache
            .visible()
            .map(|i| i.body().body().to_string())
            .collect::<Vec<_>>(),
        [r#"{"id":"a","n":2}"#]
    );
    // It is kept over a restart.
    let mut cache =
        JsonCache::restore(Config::default(), cache.record(), Timestamp(3 * DAY)).unwrap();
    assert!(!cache.is_online());
    cache.set_online(true, Timestamp(4 * DAY)).unwrap();
    assert_eq!(
        sent(&mut cache, 4 * DAY),
        [r#"update a {"id":"a","n":2}"#, r#"delete b {"id":"b"}"#]
    );
}

/// K2: a TTL counts from the sending.
#[test]
fn what_was_held_is_guarded_from_when_it_is_sent() {
    const DAY: i64 = 86_400_000;
    let mut cache = cache(r#"[{"id":"a"}]"#);
    cache.set_online(false, Timestamp(0)).unwrap();
    queue(&mut cache, begin("a", Kind::Delete), 0);
    cache.set_online(true, Timestamp(DAY)).unwrap();
    poll(&mut cache, DAY).unwrap();
    let lagging = Schema::default().snapshot(br#"[{"id":"a"}]"#).unwrap();
    cache.merge(lagging, Timestamp(DAY + 1)).unwrap();
    assert_eq!((cache.visible().count(), settlements(&cache).len()), (0, 0));
}

/// A deletion with a grace period costs nothing when it is taken back within.
#[test]
fn a_deletion_that_is_taken_back_in_time_was_never_sent() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let queued = cache
        .queue(begin("a", Kind::Delete), 5_000, Timestamp(0))
        .unwrap();
    assert_eq!(cache.visible().count(), 0, "hidden at once");
    assert_eq!(poll(&mut cache, 4_999), None);
    assert_eq!(cache.poll_timeout(), Some(Timestamp(5_000)));
    cache
        .cancel(queued.operation().unwrap(), Timestamp(4_999))
        .unwrap();
    assert_eq!(cache.visible().count(), 1);
    assert_eq!(poll(&mut cache, 9_000), None);
}

#[test]
fn what_is_queued_says_what_it_waits_for() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    cache.set_online(false, Timestamp(0)).unwrap();
    let operation = queue(&mut cache, begin("a", Kind::Delete), 0);
    assert_eq!(
        cache.explain("a").to_string(),
        "a is deleting, and hidden: it is queued to be sent (O1). What would change it: going \
        online; the user, by retrying it or taking it back."
    );
    cache.set_online(true, Timestamp(0)).unwrap();
    assert!(
        cache
            .explain("a")
            .to_string()
            .contains("being sent, from 1970-01-01T00:00:00.000Z on")
    );
    poll(&mut cache, 0).unwrap();
    assert_eq!(cache.explain("a").rule, Some("O8"));
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(0))
        .unwrap();
    assert!(
        cache
            .explain("a")
            .to_string()
            .contains("the next attempt at")
    );
}
