//! What undo and redo do where the server had its own way: refusals, bounds, what is not known, and
//! what a caller sends by hand (H1 to H5). `tests/scenarios/undo.json` has the plain cases.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Applied, Config, Conflict, Error, Event, JsonCache, Kind, OnFailure, OperationId, Retry,
    Settlement, Timestamp,
};

fn item(text: &str) -> JsonResource {
    Schema::default().resource(text.as_bytes()).unwrap()
}

fn merge(cache: &mut JsonCache, list: &str, at: i64) {
    let list = Schema::default().snapshot(list.as_bytes()).unwrap();
    cache.merge(list, Timestamp(at)).unwrap();
}

fn with(config: Config, list: &str) -> JsonCache {
    let mut cache = JsonCache::new(config);
    merge(&mut cache, list, 0);
    cache
}

fn listing(list: &str) -> JsonCache {
    with(Config::default(), list)
}

fn edit(id: &str, patch: &str) -> Event<JsonResource> {
    let patch = Schema::default().merge_patch(patch.as_bytes()).unwrap();
    Event::Begin {
        id: id.into(),
        kind: Kind::Update,
        patch: Some(patch),
        min_ttl_ms: None,
    }
}

fn delete(id: &str) -> Event<JsonResource> {
    Event::Begin {
        id: id.into(),
        kind: Kind::Delete,
        patch: None,
        min_ttl_ms: None,
    }
}

fn create(text: &str) -> Event<JsonResource> {
    Event::Create {
        resource: item(text),
        min_ttl_ms: None,
    }
}

fn queue(begin: Event<JsonResource>) -> Event<JsonResource> {
    Event::Queue {
        begin: Box::new(begin),
        send_after_ms: 0,
    }
}

/// Performs it and gives the operation.
fn perform(cache: &mut JsonCache, event: Event<JsonResource>, at: i64) -> OperationId {
    let done = cache.perform("step", event, Timestamp(at)).unwrap();
    done.operation().unwrap()
}

fn undo(cache: &mut JsonCache, at: i64) -> Applied {
    cache.undo(Timestamp(at)).unwrap()
}

fn redo(cache: &mut JsonCache, at: i64) -> Applied {
    cache.redo(Timestamp(at)).unwrap()
}

fn shown(cache: &JsonCache) -> Vec<&str> {
    cache.visible().map(|item| item.body().body()).collect()
}

fn told(applied: &Applied) -> Vec<String> {
    applied.conflicts.iter().map(Conflict::to_string).collect()
}

/// H3: every way in which something is left alone, in words.
#[test]
fn conflicts_tell_the_user() {
    let mut cache = listing(r#"[{"id":"a","x":1,"deep":{"y":1}},{"id":"b"},{"id":"c"}]"#);
    perform(&mut cache, edit("a", r#"{"x":2,"deep":{"y":2}}"#), 0);
    let edited = cache.operations("a")[0].id;
    cache.acknowledge(edited, None, Timestamp(1)).unwrap();
    merge(
        &mut cache,
        r#"[{"id":"a","x":2,"deep":{"y":2}},{"id":"b"},{"id":"c"}]"#,
        2,
    );
    merge(
        &mut cache,
        r#"[{"id":"a","x":7,"deep":{"y":8}},{"id":"b"},{"id":"c"}]"#,
        3,
    );
    assert_eq!(
        told(&undo(&mut cache, 4)),
        ["a: changed since, and left as it is: /x, /deep/y"]
    );

    let deletion = perform(&mut cache, delete("b"), 5);
    cache.acknowledge(deletion, None, Timestamp(5)).unwrap();
    merge(&mut cache, r#"[{"id":"a"},{"id":"c"}]"#, 6);
    merge(&mut cache, r#"[{"id":"a"},{"id":"b"},{"id":"c"}]"#, 100_000);
    assert_eq!(
        told(&undo(&mut cache, 100_001)),
        ["b: is there, and left as it is"]
    );

    perform(&mut cache, edit("c", r#"{"x":1}"#), 200009);
    let edited = cache.operations("c")[0].id;
    cache.acknowledge(edited, None, Timestamp(200_000)).unwrap();
    merge(&mut cache, r#"[{"id":"c","x":1}]"#, 200010);
    merge(&mut cache, "[]", 200011);
    assert_eq!(
        told(&undo(&mut cache, 200012)),
        ["c: is not there any more"]
    );

    // Nobody knows what was deleted.
    perform(&mut cache, delete("ghost"), 200013);
    assert_eq!(
        told(&undo(&mut cache, 200014)),
        ["ghost: nobody knows what it was"]
    );
}

/// H2: a deletion that waits for the creation's answer is taken back as it was not sent.
#[test]
fn a_creation_that_is_being_sent_is_undone_and_redone_at_no_cost() {
    let mut cache = listing("[]");
    let creation = perform(&mut cache, create(r#"{"id":"tmp"}"#), 0);
    assert_eq!(undo(&mut cache, 1).operations.len(), 1);
    assert_eq!(cache.visible().count(), 0);
    let again = redo(&mut cache, 2);
    assert_eq!((again.operations.len(), again.conflicts.len()), (0, 0));
    let real = item(r#"{"id":"real"}"#);
    cache
        .acknowledge(creation, Some(real), Timestamp(3))
        .unwrap();
    assert_eq!(shown(&cache), [r#"{"id":"real"}"#]);
    assert_eq!(cache.undo_label(), Some("step"));
}

/// H1: only what begins an edit, a creation or a deletion is a step, and nothing in it may be one.
#[test]
fn what_is_no_step_is_refused_and_changes_nothing() {
    let mut cache = listing(r#"[{"id":"a"}]"#);
    let before = serde_json::to_string(&cache.record()).unwrap();
    let nested = Event::Perform {
        label: "inner".into(),
        event: Box::new(delete("a")),
    };
    let process = Event::Begin {
        id: "a".into(),
        kind: Kind::Process,
        patch: None,
        min_ttl_ms: None,
    };
    let bare = Event::Begin {
        id: "a".into(),
        kind: Kind::Update,
        patch: None,
        min_ttl_ms: None,
    };
    let refused = [
        process.clone(),
        bare,
        nested,
        Event::Undo,
        Event::HandleTimeout,
        Event::Batch(vec![delete("a"), process]),
        Event::Batch(vec![Event::Batch(vec![delete("a")])]),
        queue(Event::Batch(vec![delete("a")])),
    ];
    for event in refused {
        let error = cache.perform("x", event, Timestamp(1)).unwrap_err();
        assert!(
            matches!(&error, Error::BadInput { subject, .. } if subject == "perform"),
            "{error}"
        );
    }
    // A batch of which the last is refused does nothing, and is no step.
    let batch = Event::Batch(vec![
        delete("a"),
        create(r#"{"id":"a"}"#),
        create(r#"{"id":"a"}"#),
    ]);
    assert!(cache.perform("x", batch, Timestamp(1)).is_err());
    assert_eq!(serde_json::to_string(&cache.record()).unwrap(), before);
    // One that does nothing is none either.
    cache
        .perform("x", Event::Batch(vec![]), Timestamp(1))
        .unwrap();
    assert_eq!(cache.undo_label(), None);
}

/// H4: a failure that keeps the user's value is undone by dropping it.
#[test]
fn a_kept_failure_is_dropped() {
    let mut config = Config::default();
    config.on_failure = OnFailure::Keep;
    let mut cache = with(config, r#"[{"id":"a","x":1}]"#);
    let operation = perform(&mut cache, edit("a", r#"{"x":2}"#), 0);
    cache
        .fail(operation, "403", Retry::No, Timestamp(1))
        .unwrap();
    assert_eq!(shown(&cache), [r#"{"id":"a","x":2}"#]);
    assert_eq!(cache.undo_label(), Some("step"));
    let undone = undo(&mut cache, 2);
    assert_eq!((undone.operations.len(), undone.conflicts.len()), (0, 0));
    assert_eq!(shown(&cache), [r#"{"id":"a","x":1}"#]);
    // Again, and this time it may work.
    assert_eq!(redo(&mut cache, 3).operations.len(), 1);
    assert_eq!(shown(&cache), [r#"{"id":"a","x":2}"#]);
}

/// H4: what came to nothing is no step, in any kind.
#[test]
fn what_came_to_nothing_is_no_step() {
    let mut cache = listing(r#"[{"id":"a","x":1},{"id":"b"}]"#);
    for (event, at) in [
        (edit("a", r#"{"x":2}"#), 0),
        (delete("b"), 10_000),
        (create(r#"{"id":"c"}"#), 20_000),
    ] {
        let operation = perform(&mut cache, event, at);
        assert_eq!(cache.undo_label(), Some("step"));
        cache
            .fail(operation, "403", Retry::No, Timestamp(at + 1))
            .unwrap();
        cache.handle_timeout(Timestamp(at + 9_000)).unwrap();
        assert_eq!(cache.undo_label(), None);
        assert!(undo(&mut cache, at + 9_000).changes.is_empty());
        assert_eq!(cache.redo_label(), None);
    }
    // Nor is an edit to what was there already.
    perform(&mut cache, edit("a", r#"{"x":1}"#), 30_000);
    assert_eq!(cache.undo_label(), None);
}

/// H4: one part that failed does not keep the others from being undone.
#[test]
fn the_other_parts_of_a_step_are_undone() {
    let mut cache = listing(r#"[{"id":"a","x":1},{"id":"b","x":1}]"#);
    let batch = Event::Batch(vec![edit("a", r#"{"x":2}"#), edit("b", r#"{"x":2}"#)]);
    let done = cache.perform("both", batch, Timestamp(0)).unwrap();
    let [a, b] = done.operations[..] else {
        panic!("two operations")
    };
    cache.fail(a, "403", Retry::No, Timestamp(1)).unwrap();
    cache.acknowledge(b, None, Timestamp(1)).unwrap();
    cache.handle_timeout(Timestamp(60_000)).unwrap();
    let undone = undo(&mut cache, 60_000);
    assert_eq!((undone.operations.len(), undone.conflicts.len()), (1, 0));
    assert_eq!(
        cache.operations("b").last().unwrap().id,
        undone.operations[0]
    );
    // And only what was undone is redone.
    assert_eq!(redo(&mut cache, 60_001).operations.len(), 1);
}

/// H2: steps about a resource go on to the one that was created in its place.
#[test]
fn steps_follow_to_what_was_created_again() {
    let mut cache = listing(r#"[{"id":"a","x":1}]"#);
    let sent = |cache: &mut JsonCache, at: i64| {
        let (attempt, _) = cache.poll_attempt(Timestamp(at)).unwrap();
        let attempt = attempt.expect("one may be sent");
        let answer = attempt.body.filter(|_| attempt.kind != Kind::Delete);
        cache
            .acknowledge(attempt.operation, answer, Timestamp(at))
            .unwrap();
        attempt.kind
    };
    perform(&mut cache, queue(edit("a", r#"{"x":2}"#)), 0);
    assert_eq!(sent(&mut cache, 0), Kind::Update);
    merge(&mut cache, r#"[{"id":"a","x":2}]"#, 1);
    perform(&mut cache, queue(delete("a")), 2);
    assert_eq!(sent(&mut cache, 2), Kind::Delete);
    merge(&mut cache, "[]", 3);
    assert_eq!(cache.visible().count(), 0);

    undo(&mut cache, 4);
    assert_eq!(sent(&mut cache, 4), Kind::Create);
    assert_eq!(shown(&cache), [r#"{"id":"a","x":2}"#]);
    let undone = undo(&mut cache, 5);
    assert_eq!(undone.conflicts, []);
    assert_eq!(shown(&cache), [r#"{"id":"a","x":1}"#]);
    redo(&mut cache, 6);
    redo(&mut cache, 7);
    assert_eq!(cache.visible().count(), 0);
}

/// H2: by hand, a request that must wait for a creation's answer is there when that has come.
#[test]
fn a_caller_that_sends_by_hand_asks_what_to_send() {
    let mut cache = listing("[]");
    let creation = perform(&mut cache, create(r#"{"id":"tmp","x":1}"#), 0);
    let request = cache.request_of(creation).unwrap();
    assert_eq!(
        (request.kind, request.body.unwrap().body().to_string()),
        (Kind::Create, r#"{"id":"tmp","x":1}"#.to_string())
    );
    let [inverse] = undo(&mut cache, 1).operations[..] else {
        panic!("one operation")
    };
    assert_eq!(cache.request_of(inverse), None);
    let real = item(r#"{"id":"real","x":1}"#);
    cache
        .acknowledge(creation, Some(real), Timestamp(2))
        .unwrap();
    let request = cache.request_of(inverse).unwrap();
    assert_eq!((request.kind, request.id.as_str()), (Kind::Delete, "real"));
    cache.acknowledge(inverse, None, Timestamp(3)).unwrap();
    merge(&mut cache, "[]", 4);
    assert_eq!(cache.request_of(inverse), None);
    assert_eq!(cache.request_of(OperationId(99)), None);
}

/// H2: undoing what the caller could not send yet begins nothing.
#[test]
fn an_edit_that_waits_for_a_creation_is_taken_back() {
    let mut cache = listing("[]");
    cache
        .add_as_creating(item(r#"{"id":"tmp","x":1}"#), Timestamp(0))
        .unwrap();
    let edit = perform(&mut cache, edit("tmp", r#"{"x":2}"#), 1);
    let undone = undo(&mut cache, 2);
    assert_eq!(undone.operations, []);
    assert_eq!(
        undone
            .changes
            .outcomes
            .iter()
            .map(|o| (o.operation, o.settlement))
            .collect::<Vec<_>>(),
        [(edit, Settlement::Cancelled)]
    );
    assert_eq!(shown(&cache), [r#"{"id":"tmp","x":1}"#]);
}

/// H2: a part that is taken back lies beneath the edit by which the part before it was done again.
#[test]
fn parts_of_one_field_are_done_again_in_their_order() {
    let mut cache = listing("[]");
    cache
        .add_as_creating(item(r#"{"id":"a","x":1,"y":1}"#), Timestamp(0))
        .unwrap();
    let both = Event::Batch(vec![edit("a", r#"{"x":0,"y":2}"#), edit("a", r#"{"y":4}"#)]);
    perform(&mut cache, both, 0);
    // The last edit is said to have worked, though its call waits for the creation.
    cache.complete("a", Timestamp(1)).unwrap();
    assert_eq!(shown(&cache), [r#"{"id":"a","x":0,"y":4}"#]);
    undo(&mut cache, 2);
    assert_eq!(shown(&cache), [r#"{"id":"a","x":1,"y":1}"#]);
    redo(&mut cache, 3);
    assert_eq!(shown(&cache), [r#"{"id":"a","x":0,"y":4}"#]);
    undo(&mut cache, 4);
    assert_eq!(shown(&cache), [r#"{"id":"a","x":1,"y":1}"#]);
}

/// H5: the history is bounded by what it takes, and a step that is larger than all is not kept.
#[test]
fn the_history_is_bounded_by_bytes() {
    let mut config = Config::default();
    config.history.bytes = 4_000;
    let mut cache = with(config, r#"[{"id":"a","x":""}]"#);
    let long = |length: usize| queue(edit("a", &format!("{{\"x\":\"{}\"}}", "x".repeat(length))));
    for at in 0..20 {
        perform(&mut cache, long(200 + at), at as i64);
    }
    let kept = cache.undo_labels().count();
    assert!((3..15).contains(&kept), "{kept}");
    perform(&mut cache, long(5_000), 30);
    assert_eq!(cache.undo_labels().count(), 0);
    assert_eq!(cache.get_one("a").unwrap().body().body().len(), 5_000 + 17);
}

/// H5: what is loaded under narrower limits is cut to them.
#[test]
fn a_restored_history_keeps_its_bounds() {
    let mut cache = listing(r#"[{"id":"a","x":0}]"#);
    for x in 1..=5 {
        let event = queue(edit("a", &format!("{{\"x\":{x}}}")));
        cache.perform(x.to_string(), event, Timestamp(x)).unwrap();
    }
    undo(&mut cache, 6);
    let text = serde_json::to_string(&cache.record()).unwrap();
    let restore = |config: Config| {
        JsonCache::restore(config, serde_json::from_str(&text).unwrap(), Timestamp(7)).unwrap()
    };
    let same = restore(Config::default());
    assert_eq!(same.undo_labels().collect::<Vec<_>>(), ["4", "3", "2", "1"]);
    assert_eq!(same.redo_labels().collect::<Vec<_>>(), ["5"]);
    let mut config = Config::default();
    config.history.steps = 3;
    let mut fewer = restore(config);
    assert_eq!(fewer.undo_labels().collect::<Vec<_>>(), ["4", "3"]);
    undo(&mut fewer, 8);
    assert_eq!(shown(&fewer), [r#"{"id":"a","x":3}"#]);
    fewer.clear_history(Timestamp(9)).unwrap();
    assert_eq!((fewer.undo_label(), fewer.redo_label()), (None, None));
    assert_eq!(shown(&fewer), [r#"{"id":"a","x":3}"#]);
}
