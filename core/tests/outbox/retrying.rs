//! What becomes of an attempt that fails or is lost: another one, and when to give up.

use crate::*;

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
    assert_eq!(visible(&cache), ["b"]);
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
