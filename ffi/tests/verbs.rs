//! The verbs across the border: what they take, what they answer, and what they refuse.

use std::sync::Arc;

use resourcecache_ffi::{
    Begin, CacheError, Coverage, Icon, JsonCache, Kind, Labels, ManualClock, Retry, Status, Step,
    Variant, cache_key, lifecycle_diagram,
};
use serde_json::{Value, json};

const LIST: &[u8] = br#"[{"id":"a","n":1},{"id":"b","n":1}]"#;

fn cache() -> (Arc<JsonCache>, Arc<ManualClock>) {
    let clock = ManualClock::new(0);
    let cache = JsonCache::new(None, None, Some(clock.clone())).expect("the defaults");
    cache.merge(LIST, None, None).expect("a good list");
    (cache, clock)
}

fn rows(text: &str) -> Vec<Value> {
    let rows = text.split('\u{1e}').skip(1);
    rows.map(|row| serde_json::from_str(row).expect("a row"))
        .collect()
}

fn ids(text: &str) -> Vec<String> {
    rows(text)
        .iter()
        .map(|row| row["id"].as_str().unwrap_or_default().into())
        .collect()
}

#[test]
fn a_deleted_row_stays_hidden_while_lists_still_have_it() {
    let (cache, clock) = cache();
    let begun = cache.mark_as_deleting("a".into(), None).expect("it begins");
    assert_eq!(
        (begun.operations.len(), begun.upserted, begun.removed),
        (1, 0, 1)
    );
    let rest: Value = serde_json::from_str(&begun.text).expect("the rest");
    assert_eq!(rest["removed"][0]["id"], "a");
    clock.set_ms(2_000);
    let merged = cache.merge(LIST, None, None).expect("the same list");
    assert_eq!(
        (merged.upserted, merged.removed, merged.text.as_str()),
        (0, 0, "")
    );
    assert_eq!(ids(&cache.visible().expect("a list")), ["b"]);
    assert_eq!(ids(&cache.all().expect("a list")), ["a", "b"]);
    assert_eq!(
        ids(&cache.get_by_status(Status::Deleting).expect("a list")),
        ["a"]
    );
    assert_eq!(cache.visible_count(), Ok(1));
    assert_eq!(cache.is_visible("a".into()), Ok(false));
    let explained: Value =
        serde_json::from_str(&cache.explain("a".into()).expect("why")).expect("JSON");
    assert_eq!(
        (&explained["rule"], &explained["state"]),
        (&json!("D1"), &json!("deleting"))
    );
    assert!(
        explained["text"]
            .as_str()
            .is_some_and(|text| text.starts_with("a is deleting, and hidden"))
    );
    let gone = cache
        .merge(br#"[{"id":"b","n":2}]"#, None, None)
        .expect("the next list");
    assert_eq!(gone.upserted, 1);
    assert_eq!(rows(&gone.text)[0]["body"], json!({"id": "b", "n": 2}));
    let rest: Value = serde_json::from_str(gone.text.split('\u{1e}').next().unwrap_or_default())
        .expect("the rest");
    assert_eq!(rest["outcomes"][0]["settlement"], "confirmed");
}

#[test]
fn rows_say_where_they_stand_and_how_they_look() {
    let (cache, _) = cache();
    cache
        .add_as_creating(br#"{"id":"t"}"#, None)
        .expect("it begins");
    cache
        .update_metadata("t".into(), br#"{"progress":0,"message":"soon"}"#)
        .expect("taken");
    let row: Value = serde_json::from_str(
        &cache
            .get_one("t".into())
            .expect("a row")
            .expect("it is there"),
    )
    .expect("JSON");
    assert_eq!(
        (&row["state"], &row["visible"]),
        (&json!("creating"), &json!(true))
    );
    assert_eq!(
        (&row["meta"]["progress"], &row["progress"]["percent"]),
        (&json!(0), &json!(0.0))
    );
    assert_eq!(row["badge"]["label"], "Creating...");
    let key = row["key"].as_u64().expect("a key");
    assert_eq!(cache.row(key), cache.get_one("t".into()));
    let all = cache
        .changes_since(0)
        .expect("changes")
        .expect("from the start");
    let all = rows(&all.text);
    assert_eq!(
        (&all[0]["after"], &all[2]["after"]),
        (&Value::Null, &all[1]["key"])
    );
    cache
        .set_labels(Labels {
            creating: Some("Wird angelegt".into()),
            ..Labels::default()
        })
        .expect("words");
    let badge = cache
        .badge("t".into())
        .expect("a badge")
        .expect("there is one");
    assert_eq!(
        (badge.label.as_str(), badge.variant, badge.icon),
        ("Wird angelegt", Variant::Default, Icon::Spinner)
    );
    assert_eq!(
        cache
            .progress("t".into())
            .expect("a bar")
            .map(|bar| bar.percent),
        Some(0.0)
    );
    assert_eq!(cache.badge("a".into()), Ok(None));
}

#[test]
fn refusals_carry_what_they_are_about_and_change_nothing() {
    let (cache, _) = cache();
    cache.mark_as_deleting("a".into(), None).expect("it begins");
    let before = cache.save().expect("a state");
    let error = cache
        .mark_as_updating("a".into(), br#"{"n":2}"#, None)
        .expect_err("L4");
    assert!(
        matches!(&error, CacheError::Transition { id, state, trigger, .. }
        if id == "a" && state == "deleting" && trigger == "begin update"),
        "{error:?}"
    );
    let error = cache
        .merge(br#"[{"id":"a"},{"id":"b"},{}]"#, None, None)
        .expect_err("S1");
    assert!(
        matches!(
            &error,
            CacheError::BadSnapshot {
                position: Some(2),
                ..
            }
        ),
        "{error:?}"
    );
    let error = cache.acknowledge(77, b"").expect_err("no such operation");
    assert!(
        matches!(
            &error,
            CacheError::NotFound {
                operation: Some(77),
                id: None,
                ..
            }
        ),
        "{error:?}"
    );
    let error = cache
        .update_in_place("x".into(), br#"{"n":1}"#)
        .expect_err("no such resource");
    assert!(
        matches!(&error, CacheError::NotFound { id: Some(id), .. } if id == "x"),
        "{error:?}"
    );
    let error = cache
        .add_as_creating(br#"{"id":"b"}"#, None)
        .expect_err("L6");
    assert!(
        matches!(&error, CacheError::AlreadyExists { id, .. } if id == "b"),
        "{error:?}"
    );
    let error = cache
        .update_metadata("b".into(), br#"{"progress":101}"#)
        .expect_err("M2");
    assert!(
        matches!(&error, CacheError::BadInput { subject, .. } if subject == "progress"),
        "{error:?}"
    );
    let ids = vec!["b".to_string(), "a".to_string()];
    let error = cache
        .batch_mark_as_processing(ids, Kind::Update, None)
        .expect_err("L4");
    let CacheError::Batch { refusals, kind, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (
            refusals.len(),
            refusals[0].position,
            refusals[0].id.as_str()
        ),
        (1, 1, "a")
    );
    assert_eq!(kind, "transition");
    assert_eq!(cache.save().expect("a state"), before);
}

#[test]
fn the_outbox_hands_out_what_is_to_be_sent() {
    let (cache, clock) = cache();
    let edit = Step {
        begin: Begin::Update {
            id: "a".into(),
            patch: r#"{"n":3}"#.into(),
        },
        min_ttl_ms: None,
        send_after_ms: None,
    };
    let operation = cache.queue(edit, 1_000).expect("it is queued").operations[0];
    assert_eq!(cache.queued(), Ok(1));
    assert!(
        cache.poll_attempt().expect("polled").attempt.is_none(),
        "not yet"
    );
    clock.set_ms(1_000);
    let attempt = cache.poll_attempt().expect("polled").attempt.expect("now");
    assert_eq!(
        (attempt.operation, attempt.number, attempt.kind),
        (operation, 1, Kind::Update)
    );
    assert_eq!(
        (attempt.patch.as_deref(), attempt.body.as_deref()),
        (Some(r#"{"n":3}"#), Some(r#"{"id":"a","n":3}"#))
    );
    assert_eq!(
        cache.attempt_of(operation).expect("asked"),
        Some(attempt.clone())
    );
    assert_eq!(
        cache
            .request_of(operation)
            .expect("asked")
            .map(|request| request.id),
        Some("a".into())
    );
    let busy = Retry::ByStatus {
        status: 503,
        after_ms: None,
    };
    cache
        .fail(operation, "503".into(), busy)
        .expect("it backs off");
    assert_eq!(cache.poll_timeout_ms(), Ok(Some(2_000)));
    clock.set_ms(2_000);
    let again = cache
        .poll_attempt()
        .expect("polled")
        .attempt
        .expect("again");
    assert_eq!((again.number, again.key), (2, attempt.key));
    cache
        .acknowledge(operation, br#"{"id":"a","n":3}"#)
        .expect("it is answered");
    assert_eq!(cache.queued(), Ok(0));
    cache.set_online(false).expect("offline");
    assert_eq!(cache.is_online(), Ok(false));
}

#[test]
fn steps_are_undone_and_redone() {
    let (cache, _) = cache();
    let delete = |id: &str| Step {
        begin: Begin::Delete { id: id.into() },
        min_ttl_ms: None,
        send_after_ms: Some(5_000),
    };
    cache
        .perform("Delete both".into(), vec![delete("a"), delete("b")])
        .expect("done");
    assert_eq!(cache.visible_count(), Ok(0));
    assert_eq!(cache.undo_label(), Ok(Some("Delete both".into())));
    cache.undo().expect("undone");
    assert_eq!(cache.visible_count(), Ok(2));
    assert_eq!(cache.redo_labels(), Ok(vec!["Delete both".into()]));
    cache.redo().expect("redone");
    assert_eq!(cache.visible_count(), Ok(0));
    cache.clear_history().expect("forgotten");
    assert_eq!(cache.undo_labels(), Ok(vec![]));
}

#[test]
fn pages_and_tokens_are_heeded() {
    let (cache, _) = cache();
    let old = cache.begin_fetch().expect("a token").token;
    cache
        .merge(br#"[{"id":"b","n":1}]"#, None, None)
        .expect("a newer list");
    cache.merge(LIST, Some(old), None).expect("an older one");
    assert_eq!(ids(&cache.visible().expect("a list")), ["b"], "S6");
    let page = Coverage::Page {
        after: Some("b".into()),
        before: None,
    };
    cache
        .merge(br#"[{"id":"c"}]"#, None, Some(page))
        .expect("a page");
    assert_eq!(ids(&cache.visible().expect("a list")), ["b", "c"]);
    let some = Coverage::Ids {
        ids: vec!["c".into()],
    };
    cache.merge(b"[]", None, Some(some)).expect("one id");
    assert_eq!(ids(&cache.visible().expect("a list")), ["b"]);
    assert_eq!(cache.count(LIST), Ok(2));
    cache
        .observe(br#"{"type":"ADDED","object":{"id":"d"}}"#)
        .expect("an event");
    assert_eq!(cache.is_visible("d".into()), Ok(true));
}

#[test]
fn a_state_is_saved_and_restored_and_a_journal_replayed() {
    let (cache, clock) = cache();
    let twin = JsonCache::new(None, None, Some(clock.clone())).expect("the defaults");
    twin.replay(b"").expect("nothing");
    let started = JsonCache::new(None, None, Some(clock.clone())).expect("the defaults");
    started.keep_journal(true).expect("kept");
    started.merge(LIST, None, None).expect("a good list");
    started.begin_fetch().expect("a token");
    clock.set_ms(5);
    let operation = started
        .mark_as_deleting("a".into(), Some(70_000))
        .expect("it begins")
        .operations[0];
    started
        .mark_as_updating("a".into(), b"{}", None)
        .expect_err("L4: not in the journal");
    started.poll_attempt().expect("polled");
    started.acknowledge(operation, b"").expect("answered");
    let journal = started.take_journal().expect("a journal");
    assert_eq!(journal.lines().count(), 5);
    assert_eq!(started.take_journal(), Ok(String::new()));
    twin.replay(journal.as_bytes()).expect("the same events");
    assert_eq!(twin.save(), started.save(), "R1");
    let saved = started.save().expect("a state");
    let restored =
        JsonCache::restore(saved.as_bytes(), None, None, Some(clock)).expect("a good state");
    assert_eq!(restored.is_visible("a".into()), Ok(false));
    let broken = JsonCache::restore(&saved.as_bytes()[1..], None, None, None)
        .err()
        .expect("no JSON");
    assert!(matches!(broken, CacheError::BadInput { .. }));
    // The same cache again, with the event written by hand.
    let applied = cache
        .apply_event(br#"{"remove":{"id":"a"}}"#)
        .expect("an event");
    assert_eq!(applied.removed, 1);
}

#[test]
fn a_list_of_v1_comes_in_and_goes_out() {
    let cache = JsonCache::new(None, None, Some(ManualClock::new(0))).expect("the defaults");
    cache
        .import_v1(br#"[{"id":"a","_meta":{"status":"deleting"}},{"id":"b"}]"#)
        .expect("a list of v1.0");
    assert_eq!(ids(&cache.visible().expect("a list")), ["b"]);
    assert!(
        cache
            .list_v1()
            .expect("a list")
            .contains(r#""status":"deleting""#)
    );
}

#[test]
fn keys_and_the_diagram_are_the_cores() {
    assert_eq!(
        cache_key("buckets".into(), vec!["eu".into(), "a:b".into()]),
        "buckets:eu:a%3Ab"
    );
    assert_eq!(lifecycle_diagram(), resourcecache::lifecycle_mermaid());
}

/// Each verb by its method, and as the text that is to be the same.
type Spoken = (
    fn(&JsonCache) -> Result<resourcecache_ffi::Applied, CacheError>,
    &'static str,
);

#[test]
fn a_verb_as_a_text_is_its_method() {
    const VERBS: [Spoken; 12] = [
        (
            |c| c.add_as_creating(br#"{"id":"t","n":0}"#, Some(9_000)),
            "{\"add_as_creating\":{\"min_ttl_ms\":9000}}\u{1e}{\"id\":\"t\",\"n\":0}",
        ),
        (
            |c| c.replace_created("t".into(), br#"{"id":"c","n":0}"#),
            "{\"replace_created\":{\"temp_id\":\"t\"}}\u{1e}{\"id\":\"c\",\"n\":0}",
        ),
        (
            |c| c.mark_as_updating("a".into(), br#"{"n":2}"#, Some(1)),
            "{\"mark_as_updating\":{\"id\":\"a\",\"min_ttl_ms\":1}}\u{1e}{\"n\":2}",
        ),
        (
            |c| c.mark_as_deleting("b".into(), None),
            "{\"mark_as_deleting\":{\"id\":\"b\"}}",
        ),
        (|c| c.revert("b".into()), "{\"revert\":{\"id\":\"b\"}}"),
        (
            |c| c.mark_as_processing("b".into(), Kind::Process),
            "{\"mark_as_processing\":{\"id\":\"b\",\"operation\":\"process\"}}",
        ),
        (
            |c| c.update_metadata("b".into(), br#"{"progress":20}"#),
            "{\"update_metadata\":{\"id\":\"b\"}}\u{1e}{\"progress\":20}",
        ),
        (|c| c.complete("b".into()), "{\"complete\":{\"id\":\"b\"}}"),
        (
            |c| c.update_in_place("b".into(), br#"{"n":5}"#),
            "{\"update_in_place\":{\"id\":\"b\"}}\u{1e}{\"n\":5}",
        ),
        (|c| c.remove("b".into()), "{\"remove\":{\"id\":\"b\"}}"),
        // What is refused is refused in the same words.
        (
            |c| c.mark_as_updating("a".into(), b"[", None),
            "{\"mark_as_updating\":{\"id\":\"a\"}}\u{1e}[",
        ),
        (|c| c.revert("x".into()), "{\"revert\":{\"id\":\"x\"}}"),
    ];
    let ((one, clock), (other, its)) = (cache(), cache());
    for (at, (method, text)) in VERBS.iter().enumerate() {
        for clock in [&clock, &its] {
            clock.set_ms(at as i64 * 100);
        }
        assert_eq!(other.apply_verb(text.as_bytes()), method(&one), "{text}");
        assert_eq!(other.save(), one.save(), "{text}");
    }
    let unknown = other.apply_verb(b"{\"drop\":{\"id\":\"a\"}}");
    assert!(
        matches!(&unknown, Err(CacheError::BadInput { subject, .. }) if subject == "verb"),
        "{unknown:?}"
    );
    assert_eq!(other.save(), one.save());
}

#[test]
fn an_answer_tells_what_is_due_next() {
    let (cache, clock) = cache();
    let begun = cache.mark_as_deleting("a".into(), None).expect("it begins");
    let due = cache.poll_timeout_ms().expect("it asks");
    assert!(due.is_some());
    assert_eq!(begun.due_ms, due);
    clock.set_ms(5);
    let reverted = cache.revert("a".into()).expect("it is taken back");
    assert_eq!(Ok(reverted.due_ms), cache.poll_timeout_ms());
    assert_ne!(reverted.due_ms, due);
}
