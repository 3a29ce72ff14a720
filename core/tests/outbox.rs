//! The outbox: what is sent, in what order, how often, and what becomes of what is not answered.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Attempt, Backoff, Config, Error, Event, JsonCache, Kind, MetadataPatch, OnFailure, OperationId,
    Outcome, Retry, Settlement, State, Status, Timestamp,
};

type Queued = Event<JsonResource>;

fn cache(list: &str) -> JsonCache {
    with(Config::default(), list)
}

fn with(config: Config, list: &str) -> JsonCache {
    let mut cache = JsonCache::new(config);
    let list = Schema::default().snapshot(list.as_bytes()).unwrap();
    cache.merge(list, Timestamp(0)).unwrap();
    cache
}

fn item(text: &str) -> JsonResource {
    Schema::default().resource(text.as_bytes()).unwrap()
}

fn begin(id: &str, kind: Kind) -> Queued {
    let patch = None;
    Event::Begin {
        id: id.into(),
        kind,
        patch,
        min_ttl_ms: None,
    }
}

fn update(id: &str, patch: &str) -> Queued {
    let patch = Schema::default().merge_patch(patch.as_bytes()).unwrap();
    Event::Begin {
        id: id.into(),
        kind: Kind::Update,
        patch: Some(patch),
        min_ttl_ms: None,
    }
}

fn create(text: &str) -> Queued {
    Event::Create {
        resource: item(text),
        min_ttl_ms: None,
    }
}

fn queue(cache: &mut JsonCache, event: Queued, at: i64) -> OperationId {
    cache
        .queue(event, 0, Timestamp(at))
        .unwrap()
        .operation()
        .unwrap()
}

fn poll(cache: &mut JsonCache, at: i64) -> Option<Attempt<JsonResource>> {
    cache.poll_attempt(Timestamp(at)).unwrap().0
}

/// All that may be sent now, in words: `update a {"id":"a","n":2}`.
fn sent(cache: &mut JsonCache, at: i64) -> Vec<String> {
    std::iter::from_fn(|| poll(cache, at))
        .map(|a| {
            format!(
                "{} {} {}",
                a.kind,
                a.id,
                a.body.map_or(String::new(), |b| b.body().into())
            )
        })
        .collect()
}

fn settlements(cache: &JsonCache) -> Vec<(&str, Settlement)> {
    let outcome = |o: &Outcome| (o.kind.name(), o.settlement);
    cache.outcomes().map(outcome).collect()
}

/// The document's third scenario, without its loop: 1000 ms times the number of failures, three
/// attempts.
#[test]
fn an_update_is_tried_three_times() {
    let mut cache = cache(r#"[{"id":"a","n":1}]"#);
    let operation = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    let first = poll(&mut cache, 0).unwrap();
    assert_eq!(
        (first.operation, first.number, first.kind),
        (operation, 1, Kind::Update)
    );
    assert_eq!(first.body.unwrap().body(), r#"{"id":"a","n":2}"#);
    assert_eq!(poll(&mut cache, 0), None, "it is under way");
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(100))
        .unwrap();
    let meta = cache.get_one("a").unwrap().meta().unwrap();
    assert_eq!(meta.status, Some(Status::Retrying));
    assert_eq!((meta.retry_count, meta.max_retries), (Some(1), Some(3)));
    assert_eq!(meta.message.as_deref(), Some("Retry 1/3..."));
    assert_eq!(meta.next_attempt_at, Some(Timestamp(1_100)));
    assert_eq!(cache.poll_timeout(), Some(Timestamp(1_100)));
    assert_eq!(poll(&mut cache, 1_099), None);
    let second = poll(&mut cache, 1_100).unwrap();
    assert_eq!((second.number, &second.key), (2, &first.key));
    let meta = cache.get_one("a").unwrap().meta().unwrap();
    assert_eq!((meta.status, meta.message), (Some(Status::Updating), None));
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(1_200))
        .unwrap();
    assert_eq!(poll(&mut cache, 3_199), None);
    assert_eq!(poll(&mut cache, 3_200).unwrap().number, 3);
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(3_300))
        .unwrap();
    assert_eq!(settlements(&cache), [("update", Settlement::Failed)]);
    assert_eq!(
        cache.get_one("a").unwrap().body().body(),
        r#"{"id":"a","n":1}"#
    );
    assert_eq!(poll(&mut cache, 999_999), None);
}

/// `Retry-After` is honoured, and what no other attempt can mend is not tried again.
#[test]
fn a_status_says_whether_and_when_to_try_again() {
    let mut cache = cache(r#"[{"id":"a"},{"id":"b"}]"#);
    let a = queue(&mut cache, begin("a", Kind::Delete), 0);
    let b = queue(&mut cache, begin("b", Kind::Delete), 0);
    assert_eq!(sent(&mut cache, 0).len(), 2);
    let busy = Retry::ByStatus {
        status: 429,
        after_ms: Some(7_000),
    };
    cache.fail(a, "429", busy, Timestamp(0)).unwrap();
    let refused = Retry::ByStatus {
        status: 403,
        after_ms: Some(7_000),
    };
    cache.fail(b, "403", refused, Timestamp(0)).unwrap();
    assert_eq!(settlements(&cache), [("delete", Settlement::Failed)]);
    assert_eq!(
        cache
            .visible()
            .map(|i| i.id().to_string())
            .collect::<Vec<_>>(),
        ["b"]
    );
    assert_eq!(poll(&mut cache, 6_999), None);
    assert_eq!(poll(&mut cache, 7_000).unwrap().operation, a);
}

#[test]
fn an_attempt_that_nobody_answers_is_lost_and_tried_again() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let operation = queue(&mut cache, begin("a", Kind::Delete), 0);
    let key = poll(&mut cache, 0).unwrap().key;
    assert_eq!(cache.poll_timeout(), Some(Timestamp(30_000)));
    cache.handle_timeout(Timestamp(30_000)).unwrap();
    let meta = cache.get_one("a").unwrap().meta().unwrap();
    assert_eq!(meta.error.as_deref(), Some("no answer within 30000 ms"));
    assert_eq!(poll(&mut cache, 31_000).unwrap().key, key);
    // The answer to the first attempt after all.
    cache
        .acknowledge(operation, None, Timestamp(31_500))
        .unwrap();
    assert_eq!(poll(&mut cache, 99_000), None);
}

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

/// One that has failed for good, and is kept for the user to decide, stops nothing else.
#[test]
fn a_poisoned_operation_blocks_nothing() {
    let mut config = Config::default();
    config.on_failure = OnFailure::Keep;
    let mut cache = with(config, r#"[{"id":"a","n":1,"m":1}]"#);
    let poisoned = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    poll(&mut cache, 0).unwrap();
    queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    cache
        .fail(poisoned, "422", Retry::No, Timestamp(1))
        .unwrap();
    assert_eq!(sent(&mut cache, 1).len(), 1);
    // By hand it is tried again, with as many attempts as the first time.
    cache.attempt(poisoned, Timestamp(50)).unwrap();
    assert_eq!(poll(&mut cache, 60), None, "behind the other");
    cache
        .acknowledge(OperationId(poisoned.0 + 1), None, Timestamp(70))
        .unwrap();
    assert_eq!(poll(&mut cache, 70).unwrap().operation, poisoned);
    cache
        .fail(poisoned, "503", Retry::Backoff, Timestamp(80))
        .unwrap();
    assert_eq!(
        cache.operations("a")[0].state,
        State::Retrying(Kind::Update)
    );
}

/// What coalesces while nothing was sent: each pair, and what goes out.
#[test]
fn what_was_not_sent_coalesces() {
    let list = r#"[{"id":"a","n":1,"m":1}]"#;
    let pairs: [(Queued, Queued, &[&str]); 5] = [
        (
            create(r#"{"id":"x","n":1}"#),
            update("x", r#"{"n":2}"#),
            &[r#"create x {"id":"x","n":2}"#],
        ),
        (create(r#"{"id":"x"}"#), begin("x", Kind::Delete), &[]),
        (
            update("a", r#"{"n":2}"#),
            update("a", r#"{"m":2}"#),
            &[r#"update a {"id":"a","n":2,"m":2}"#],
        ),
        (
            update("a", r#"{"n":2}"#),
            begin("a", Kind::Delete),
            &[r#"delete a {"id":"a","n":2,"m":1}"#],
        ),
        (
            begin("a", Kind::Process),
            begin("a", Kind::Delete),
            &[r#"delete a {"id":"a","n":1,"m":1}"#],
        ),
    ];
    for (older, newer, expected) in pairs {
        let mut cache = cache(list);
        queue(&mut cache, older, 0);
        queue(&mut cache, newer, 0);
        assert_eq!(sent(&mut cache, 0), expected);
    }
}

/// Never once an attempt was sent.
#[test]
fn what_was_sent_goes_its_own_way() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    assert_eq!(sent(&mut cache, 0).len(), 1);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    cache
        .fail(first, "503", Retry::Backoff, Timestamp(0))
        .unwrap();
    queue(&mut cache, begin("a", Kind::Delete), 0);
    assert_eq!(
        sent(&mut cache, 1_000),
        [r#"update a {"id":"a","n":2,"m":1}"#]
    );
    cache.acknowledge(first, None, Timestamp(1_000)).unwrap();
    // The second edit, not sent yet, is not worth sending any more.
    assert_eq!(
        sent(&mut cache, 1_000),
        [r#"delete a {"id":"a","n":2,"m":2}"#]
    );
    assert!(cache.operations("a").iter().any(|o| o.id == second));
}

/// An edit that goes along with another shares its fate.
#[test]
fn one_answer_is_for_all_that_the_attempt_carried() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    let attempt = poll(&mut cache, 0).unwrap();
    assert_eq!((attempt.operation, attempt.patches.len()), (first, 2));
    cache
        .fail(first, "503", Retry::Backoff, Timestamp(0))
        .unwrap();
    assert!(
        cache
            .operations("a")
            .iter()
            .all(|o| o.state == State::Retrying(Kind::Update))
    );
    let third = queue(&mut cache, update("a", r#"{"n":3}"#), 500);
    let attempt = poll(&mut cache, 1_000).unwrap();
    assert_eq!((attempt.number, attempt.patches.len()), (2, 2));
    cache
        .acknowledge(
            first,
            Some(item(r#"{"id":"a","n":2,"m":2}"#)),
            Timestamp(1_100),
        )
        .unwrap();
    let states: Vec<_> = cache
        .operations("a")
        .iter()
        .map(|o| (o.id, o.state.name()))
        .collect();
    assert_eq!(
        states,
        [(first, "updated"), (second, "updated"), (third, "updating")]
    );
    assert_eq!(poll(&mut cache, 1_100).unwrap().operation, third);
}

/// L1: what is asked of a resource that is being created waits, and follows it to its real id, also
/// after a restart.
#[test]
fn an_edit_of_what_is_being_created_follows_it() {
    let mut cache = cache("[]");
    let creation = queue(&mut cache, create(r#"{"id":"temp-1","n":1}"#), 0);
    assert_eq!(sent(&mut cache, 0).len(), 1);
    queue(&mut cache, update("temp-1", r#"{"n":2}"#), 1);
    assert_eq!(poll(&mut cache, 1), None);
    let mut cache = JsonCache::restore(Config::default(), cache.record(), Timestamp(2)).unwrap();
    cache
        .acknowledge(creation, Some(item(r#"{"id":"7","n":1}"#)), Timestamp(3))
        .unwrap();
    assert_eq!(sent(&mut cache, 3), [r#"update 7 {"id":"7","n":2}"#]);
}

/// The creation's answer is for the edits that went with it.
#[test]
fn an_edit_that_went_with_its_creation_is_not_sent_again() {
    for answer in [Some(r#"{"id":"7","n":2}"#), None] {
        let mut cache = cache("[]");
        let creation = queue(&mut cache, create(r#"{"id":"temp-1","n":1}"#), 0);
        queue(&mut cache, update("temp-1", r#"{"n":2}"#), 0);
        assert_eq!(
            sent(&mut cache, 0),
            [r#"create temp-1 {"id":"temp-1","n":2}"#]
        );
        cache
            .acknowledge(creation, answer.map(item), Timestamp(1))
            .unwrap();
        assert_eq!(poll(&mut cache, 1), None);
        let shown: Vec<_> = cache
            .visible()
            .map(|i| i.body().body().contains(r#""n":2"#))
            .collect();
        assert_eq!(shown, [true]);
        assert_eq!(cache.queued(), 0);
    }
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

/// The same for what was not even created: in time, it is created; later, nothing is sent.
#[test]
fn a_creation_waits_for_what_may_end_it() {
    for taken_back in [true, false] {
        let mut cache = cache("[]");
        queue(&mut cache, create(r#"{"id":"x"}"#), 0);
        let deletion = cache
            .queue(begin("x", Kind::Delete), 5_000, Timestamp(0))
            .unwrap();
        assert_eq!(sent(&mut cache, 4_999), [""; 0]);
        if taken_back {
            cache
                .cancel(deletion.operation().unwrap(), Timestamp(4_999))
                .unwrap();
            assert_eq!(sent(&mut cache, 4_999).len(), 1);
        } else {
            assert_eq!(sent(&mut cache, 5_000), [""; 0]);
            let how = [
                ("delete", Settlement::Confirmed),
                ("create", Settlement::Cancelled),
            ];
            assert_eq!(settlements(&cache), how);
            assert_eq!((cache.all().count(), cache.queued()), (0, 0));
        }
    }
}

#[test]
fn giving_up_by_age_counts_from_the_first_attempt_that_could_be_sent() {
    let mut config = Config::default();
    config.retry.max_attempts = None;
    config.retry.max_age_ms = Some(10_000);
    config.retry.backoff = Backoff::Linear { step_ms: 4_000 };
    let mut cache = with(config, r#"[{"id":"a"}]"#);
    let operation = queue(&mut cache, begin("a", Kind::Delete), 0);
    poll(&mut cache, 0).unwrap();
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(0))
        .unwrap();
    cache.set_online(false, Timestamp(1_000)).unwrap();
    cache.set_online(true, Timestamp(900_000)).unwrap();
    poll(&mut cache, 900_000).unwrap();
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(900_000))
        .unwrap();
    poll(&mut cache, 908_000).unwrap();
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(908_000))
        .unwrap();
    assert_eq!(settlements(&cache), [("delete", Settlement::Failed)]);
}

/// Full jitter: within the limit, not always the same, and the same for the same seed.
#[test]
fn waits_are_drawn_from_the_seed() {
    let waits = |seed: u64| -> Vec<i64> {
        let mut config = Config::default();
        config.seed = seed;
        config.retry.backoff = Backoff::Exponential {
            base_ms: 1_000,
            cap_ms: 8_000,
        };
        config.retry.max_attempts = Some(20);
        let mut cache = with(config, r#"[{"id":"a"}]"#);
        let operation = queue(&mut cache, begin("a", Kind::Delete), 0);
        let mut now = 0;
        (1..=12_u32)
            .map(|failed| {
                poll(&mut cache, now).unwrap();
                cache
                    .fail(operation, "503", Retry::Backoff, Timestamp(now))
                    .unwrap();
                let next = cache
                    .get_one("a")
                    .unwrap()
                    .meta()
                    .unwrap()
                    .next_attempt_at
                    .unwrap()
                    .0;
                let wait = next - now;
                let limit = (1_000 << (failed - 1).min(3)).min(8_000);
                assert!((0..=limit).contains(&wait), "{wait} after {failed}");
                now = next;
                wait
            })
            .collect()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
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
fn only_what_begins_an_operation_can_be_queued() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let refused = cache.queue(Event::Remove { id: "a".into() }, 0, Timestamp(0));
    assert!(
        matches!(refused, Err(Error::BadInput { .. })),
        "{refused:?}"
    );
    assert_eq!(cache.queued(), 0);
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

#[test]
fn waits_beyond_all_calendars_are_saved_and_loaded() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let operation = queue(&mut cache, begin("a", Kind::Delete), 0);
    poll(&mut cache, 0).unwrap();
    cache
        .fail(operation, "503", Retry::After(u64::MAX), Timestamp(0))
        .unwrap();
    let saved = serde_json::to_string(&cache.record()).unwrap();
    let record = serde_json::from_str(&saved).unwrap();
    let mut loaded = JsonCache::restore(Config::default(), record, Timestamp(1)).unwrap();
    assert_eq!(poll(&mut loaded, 253_000_000_000_000), None);
    assert_eq!(loaded.queued(), 1);
}

#[test]
fn an_attempt_that_reports_progress_is_not_lost() {
    let mut cache = cache(r#"[{"id":"a"}]"#);
    let operation = queue(&mut cache, begin("a", Kind::Process), 0);
    poll(&mut cache, 0).unwrap();
    let half = MetadataPatch {
        progress: 50.0.into(),
        ..MetadataPatch::default()
    };
    cache.update_metadata("a", half, Timestamp(29_000)).unwrap();
    assert_eq!(cache.poll_timeout(), Some(Timestamp(59_000)));
    cache.handle_timeout(Timestamp(58_999)).unwrap();
    assert_eq!(
        cache.operations("a")[0].state,
        State::Running(Kind::Process)
    );
    assert!(cache.attempt_of(operation).is_some());
}

/// A deletion that is driven by hand does not hold up the creation that it waits for.
#[test]
fn a_creation_goes_out_before_a_deletion_by_hand() {
    let mut cache = cache("[]");
    let creation = queue(&mut cache, create(r#"{"id":"x"}"#), 0);
    cache.mark_as_deleting("x", None, Timestamp(0)).unwrap();
    assert_eq!(poll(&mut cache, 0).unwrap().operation, creation);
}

/// L14: only a failure's outcome has an error.
#[test]
fn an_outcome_tells_the_error_of_a_failure_only() {
    let mut cache = cache(r#"[{"id":"a"},{"id":"b"}]"#);
    let a = queue(&mut cache, begin("a", Kind::Delete), 0);
    let b = queue(&mut cache, begin("b", Kind::Delete), 0);
    assert_eq!(sent(&mut cache, 0).len(), 2);
    cache.fail(a, "403", Retry::No, Timestamp(1)).unwrap();
    cache.fail(b, "503", Retry::Backoff, Timestamp(1)).unwrap();
    cache.cancel(b, Timestamp(2)).unwrap();
    let errors: Vec<_> = cache.outcomes().map(|o| o.error.as_deref()).collect();
    assert_eq!(errors, [Some("403"), None]);
}

/// O6: by hand, it has all its attempts once more.
#[test]
fn attempts_are_counted_anew_when_the_user_asks_again() {
    let mut config = Config::default();
    config.on_failure = OnFailure::Keep;
    config.retry.max_attempts = Some(2);
    let mut cache = with(config, r#"[{"id":"a","n":1}]"#);
    let operation = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    for at in [0, 1_000] {
        poll(&mut cache, at).unwrap();
        cache
            .fail(operation, "503", Retry::Backoff, Timestamp(at))
            .unwrap();
    }
    assert_eq!(cache.operations("a")[0].state, State::Failed(Kind::Update));
    cache.attempt(operation, Timestamp(2_000)).unwrap();
    poll(&mut cache, 2_000).unwrap();
    cache
        .fail(operation, "503", Retry::Backoff, Timestamp(2_000))
        .unwrap();
    assert_eq!(
        cache.operations("a")[0].state,
        State::Retrying(Kind::Update)
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

/// O3: what went along with an edit that is taken back is sent by itself.
#[test]
fn what_was_carried_is_not_lost_with_its_carrier() {
    let mut cache = cache(r#"[{"id":"a","n":1,"m":1}]"#);
    let first = queue(&mut cache, update("a", r#"{"n":2}"#), 0);
    let second = queue(&mut cache, update("a", r#"{"m":2}"#), 0);
    assert_eq!(poll(&mut cache, 0).unwrap().patches.len(), 2);
    cache.cancel(first, Timestamp(1)).unwrap();
    assert_eq!(poll(&mut cache, 1).unwrap().operation, second);
}
