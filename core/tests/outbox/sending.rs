//! What is handed out, in what order, with which key; and what a list says of it.

use crate::*;

#[test]
fn only_what_begins_an_operation_can_be_queued() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let refused = cache.queue(Event::Remove { id: "a".into() }, 0, Timestamp(0));
    assert!(
        matches!(refused, Err(Error::BadInput { .. })),
        "{refused:?}"
    );
    assert_eq!(cache.queued(), 0);
}

/// Operations on one resource go out in order, those on different ones side by side, up to a limit.
#[test]
fn one_resource_is_asked_one_thing_at_a_time() {
    let mut config = Config::default();
    config.max_under_way = 2;
    let mut cache = with(config, r#"[{"id":"a"},{"id":"b"},{"id":"c"}]"#);
    let first = queue(&mut cache, begin("a", Kind::Process), 0);
    let second = queue(&mut cache, begin("a", Kind::Process), 0);
    for id in ["b", "c"] {
        queue(&mut cache, begin(id, Kind::Delete), 0);
    }
    assert_eq!(poll(&mut cache, 0).unwrap().operation, first);
    assert_eq!(poll(&mut cache, 0).unwrap().id, "b");
    assert_eq!(poll(&mut cache, 0), None);
    cache.acknowledge(first, None, Timestamp(1)).unwrap();
    assert_eq!(poll(&mut cache, 1).unwrap().operation, second);
}

#[test]
fn keys_differ_by_operation_and_by_seed() {
    let key = |seed: u64| -> Vec<String> {
        let mut config = Config::default();
        config.seed = seed;
        let mut cache = with(config, r#"[{"id":"a"},{"id":"b"}]"#);
        queue(&mut cache, begin("a", Kind::Delete), 0);
        queue(&mut cache, begin("b", Kind::Delete), 0);
        std::iter::from_fn(|| poll(&mut cache, 0))
            .map(|a| a.key)
            .collect()
    };
    let mut keys = [key(1), key(2)].concat();
    assert!(keys.iter().all(|k| k.len() == 32));
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_restart_knows_what_is_under_way() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let operation = queue(&mut cache, begin("a", Kind::Delete), 0);
    let attempt = poll(&mut cache, 0);
    let mut again = JsonCache::restore(Config::default(), cache.record(), Timestamp(10)).unwrap();
    assert_eq!(again.attempt_of(operation), attempt);
    assert_eq!(poll(&mut again, 29_999), None);
    let second = poll(&mut again, 31_000).unwrap();
    assert_eq!((second.number, second.key), (2, attempt.unwrap().key));
}

/// O8: no list confirms a deletion that may not have arrived, since it may be older than what is to
/// be deleted; the server's word does.
#[test]
fn a_list_without_it_does_not_confirm_what_was_not_answered() {
    let mut cache = cache("[]");
    let creation = queue(&mut cache, create(r#"{"id":"x"}"#), 0);
    poll(&mut cache, 0).unwrap();
    cache
        .acknowledge(creation, Some(item(r#"{"id":"x"}"#)), Timestamp(0))
        .unwrap();
    queue(&mut cache, begin("x", Kind::Delete), 1);
    let lagging = Schema::default().snapshot(b"[]").unwrap();
    cache.merge(lagging, Timestamp(2)).unwrap();
    assert_eq!(sent(&mut cache, 3), [r#"delete x {"id":"x"}"#]);
    let gone = resourcecache::WatchEvent::Deleted(item(r#"{"id":"x"}"#));
    cache.observe(gone, Timestamp(4)).unwrap();
    assert_eq!(cache.queued(), 0);
    assert!(settlements(&cache).contains(&("delete", Settlement::Confirmed)));
}
