//! A creation that is listed goes on at the server (C1, C2, P4, L13).

use crate::*;

/// P4, C1, L13: a creation is listed, and goes on there; the guard against lists without it stays.
#[test]
fn a_creation_goes_on_when_it_is_listed() {
    let mut cache = with(Kind::Create, plan(), "[]");
    let new = item(r#"{"id":"a","status":"one"}"#);
    let operation = cache
        .add_as_creating(new.clone(), Timestamp(0))
        .unwrap()
        .operation()
        .unwrap();
    cache
        .acknowledge(operation, Some(new), Timestamp(10))
        .unwrap();
    assert_eq!(meta(&cache).status, Some(Status::Creating));
    assert_eq!(merge(&mut cache, r#"[{"id":"a","status":"one"}]"#, 20), []);
    assert_eq!(meta(&cache).status, Some(Status::Creating));
    merge(&mut cache, "[]", 30);
    assert!(cache.get_one("a").is_some_and(|item| item.is_visible()));
    merge(&mut cache, r#"[{"id":"a","status":"ready"}]"#, 40);
    let done = cache.handle_timeout(Timestamp(2_040)).unwrap().changes;
    assert_eq!(done.outcomes[0].settlement, Settlement::Confirmed);
    // The guard goes on in silence.
    merge(&mut cache, "[]", 3_000);
    assert!(cache.get_one("a").is_some());
    merge(&mut cache, "[]", 60_010);
    assert!(cache.get_one("a").is_none());
}

/// C2: its answer comes after a list had it, and another, which may lag behind, had not.
#[test]
fn a_late_answer_brings_a_creation_back_that_goes_on() {
    let mut cache = with(Kind::Create, plan(), "[]");
    let new = item(r#"{"id":"a","status":"one"}"#);
    let begun = cache.add_as_creating(new, Timestamp(0)).unwrap();
    merge(&mut cache, r#"[{"id":"a","status":"one","v":"1"}]"#, 20);
    merge(&mut cache, "[]", 60_000);
    assert!(cache.get_one("a").is_none_or(|row| !row.is_visible()));
    let made = item(r#"{"id":"a","status":"one","v":"1"}"#);
    cache
        .acknowledge(begun.operation().unwrap(), Some(made), Timestamp(60_001))
        .unwrap();
    let visible = |cache: &JsonCache| cache.get_one("a").is_some_and(|row| row.is_visible());
    assert!(visible(&cache));
    assert_eq!(meta(&cache).status, Some(Status::Creating));
    merge(&mut cache, "[]", 60_002);
    assert!(visible(&cache));
    merge(&mut cache, "[]", 200_000);
    assert!(!visible(&cache));
}

/// P4: listed before its call was answered, it is not sent again.
#[test]
fn what_is_listed_is_not_sent_again() {
    let mut cache = with(Kind::Create, plan(), "[]");
    let resource = item(r#"{"id":"a","status":"one"}"#);
    let create = Event::Create {
        resource,
        min_ttl_ms: None,
    };
    let operation = cache
        .queue(create, 0, Timestamp(0))
        .unwrap()
        .operation()
        .unwrap();
    assert!(cache.poll_attempt(Timestamp(0)).unwrap().0.is_some());
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 10);
    assert_eq!((cache.queued(), stage(&cache).as_str()), (0, "second"));
    // An edit need not wait for the answer.
    let edit = schema().merge_patch(br#"{"x":1}"#).unwrap();
    cache.mark_as_updating("a", edit, Timestamp(20)).unwrap();
    assert!(!cache.explain("a").to_string().contains("waits"));
    cache
        .fail(operation, "no answer", Retry::Backoff, Timestamp(30))
        .unwrap();
    assert_eq!(cache.operations("a")[0].state, State::Running(Kind::Create));
    // It still may be.
    let answer = Some(item(r#"{"id":"a","status":"one"}"#));
    cache.acknowledge(operation, answer, Timestamp(40)).unwrap();
    assert_eq!(
        cache.operations("a")[0].state,
        State::Acknowledged(Kind::Create)
    );
}

/// P4: a failed creation that is listed stays as the server has it.
#[test]
fn a_listed_creation_that_fails_stays() {
    let mut cache = with(Kind::Create, plan(), "[]");
    cache
        .add_as_creating(item(r#"{"id":"a","status":"one"}"#), Timestamp(0))
        .unwrap();
    merge(&mut cache, r#"[{"id":"a","status":"one"}]"#, 10);
    merge(
        &mut cache,
        r#"[{"id":"a","status":"bad","error":"taken"}]"#,
        20,
    );
    assert_eq!(meta(&cache).error.as_deref(), Some("taken"));
    cache.handle_timeout(Timestamp(5_020)).unwrap();
    merge(&mut cache, "[]", 5_030);
    assert!(cache.get_one("a").is_some_and(|item| item.is_visible()));
}

/// P4: taken back, what is listed stays.
#[test]
fn a_listed_creation_that_is_taken_back_stays() {
    let mut cache = with(Kind::Create, plan(), "[]");
    cache
        .add_as_creating(item(r#"{"id":"a","status":"one"}"#), Timestamp(0))
        .unwrap();
    merge(&mut cache, r#"[{"id":"a","status":"one"}]"#, 10);
    let ended = cache.revert("a", Timestamp(20)).unwrap().changes;
    assert_eq!(ended.outcomes[0].settlement, Settlement::Confirmed);
    merge(&mut cache, "[]", 30);
    assert!(cache.get_one("a").is_some_and(|item| item.is_visible()));
}

/// P4, K1: a listed creation that vanishes after its guard goes on as a mark, and ages.
#[test]
fn a_listed_creation_that_vanishes_is_given_up() {
    let mut cache = with(Kind::Create, plan(), "[]");
    cache
        .add_as_creating(item(r#"{"id":"a","status":"one"}"#), Timestamp(0))
        .unwrap();
    merge(&mut cache, r#"[{"id":"a","status":"one"}]"#, 10);
    merge(&mut cache, "[]", 60_000);
    assert!(cache.get_one("a").is_none());
    merge(&mut cache, r#"[{"id":"a"}]"#, 61_000);
    let ended = cache.handle_timeout(Timestamp(400_000)).unwrap().changes;
    assert_eq!(ended.outcomes[0].settlement, Settlement::Stale);
}
