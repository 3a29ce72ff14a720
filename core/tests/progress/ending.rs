//! What ends it: a stage, a word of the user, an effect (P4).

use crate::*;

/// P4: the answer to the call is not the end; the ending stage is, and it shows for two seconds.
#[test]
fn an_ending_stage_completes() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    let operation = cache.operations("a")[0].id;
    cache.acknowledge(operation, None, Timestamp(100)).unwrap();
    cache.handle_timeout(Timestamp(10_000)).unwrap();
    assert_eq!(meta(&cache).status, Some(Status::Processing));
    assert_eq!(meta(&cache).completed_at, None);
    assert_eq!(
        merge(&mut cache, r#"[{"id":"a","status":"ready"}]"#, 20_000),
        []
    );
    let done = meta(&cache);
    assert_eq!(
        (done.progress, done.message.as_deref()),
        (Some(100.0), Some("Done!"))
    );
    assert_eq!(
        (done.completed_at, done.expected_at),
        (Some(Timestamp(20_000)), None)
    );
    // A replica that lags takes nothing back.
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 21_000);
    assert_eq!(percent(&cache), Some(100.0));
    let ended = cache.handle_timeout(Timestamp(22_000)).unwrap().changes;
    assert_eq!(ended.outcomes[0].settlement, Settlement::Confirmed);
    assert_eq!(
        (cache.state("a"), meta(&cache)),
        (Some(State::Idle), Metadata::default())
    );
}

/// P4: seen before the call was answered; the answer is welcome, and changes nothing.
#[test]
fn an_answer_after_the_end_is_no_news() {
    for refused in [false, true] {
        let mut cache = processing(r#"[{"id":"a"}]"#);
        let operation = cache.operations("a")[0].id;
        merge(&mut cache, r#"[{"id":"a","status":"ready"}]"#, 50);
        let told = meta(&cache);
        if refused {
            cache
                .fail(operation, "timeout", Retry::Backoff, Timestamp(60))
                .unwrap();
        } else {
            cache.acknowledge(operation, None, Timestamp(60)).unwrap();
        }
        assert_eq!(meta(&cache), told);
        assert_eq!(cache.poll_timeout(), Some(Timestamp(2_050)));
    }
}

/// P4: a failing stage fails it, with the server's words.
#[test]
fn a_failing_stage_fails() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    let outcomes = merge(
        &mut cache,
        r#"[{"id":"a","status":"bad","error":"no quota"}]"#,
        10,
    );
    assert_eq!(outcomes, [Settlement::Failed]);
    assert_eq!(meta(&cache).error.as_deref(), Some("no quota"));
    cache.handle_timeout(Timestamp(5_010)).unwrap();
    assert_eq!(cache.state("a"), Some(State::Idle));
    // Without words there, the stage's message or its name.
    let mut cache = processing(r#"[{"id":"a"}]"#);
    merge(&mut cache, r#"[{"id":"a","status":"bad"}]"#, 10);
    assert_eq!(meta(&cache).error.as_deref(), Some("First..."));
}

/// P4: an end that was there at the beginning counts once another value was seen, or after the guard.
#[test]
fn an_end_from_the_last_time_is_old() {
    let ready = r#"[{"id":"a","status":"ready","n":1}]"#;
    let mut cache = processing(r#"[{"id":"a","status":"ready"}]"#);
    merge(&mut cache, ready, 59_999);
    assert_eq!(stage(&cache), "first");
    merge(&mut cache, ready, 60_000);
    assert_eq!(
        (stage(&cache).as_str(), percent(&cache)),
        ("done", Some(100.0))
    );

    let mut cache = processing(r#"[{"id":"a","status":"ready"}]"#);
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 1_000);
    assert_eq!(stage(&cache), "second");
    merge(&mut cache, ready, 2_000);
    assert_eq!(stage(&cache), "done");
}

/// P4: accepted after a list had shown its end, it ends by it past the guard, and does not hang.
#[test]
fn what_had_failed_and_is_accepted_fails_past_its_guard() {
    let mut cache = with(Kind::Process, plan(), "[]");
    let begun = cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    let bad = r#"[{"id":"a","status":"bad","error":"full"}]"#;
    assert_eq!(merge(&mut cache, bad, 1), [Settlement::Failed]);
    cache
        .acknowledge(begun.operation().unwrap(), None, Timestamp(2))
        .unwrap();
    assert_eq!(merge(&mut cache, bad, 60_001), []);
    assert_eq!(merge(&mut cache, bad, 60_002), [Settlement::Failed]);
}

/// P4: a bookmark shows what is held once more, which may be older than an answer since.
#[test]
fn a_bookmark_names_no_stage() {
    let mut cache = processing(r#"[{"id":"a","status":"ready"}]"#);
    let patch = schema().merge_patch(br#"{"n":2}"#).unwrap();
    let edit = cache.mark_as_updating("a", patch, Timestamp(1)).unwrap();
    let answer = item(r#"{"id":"a","status":"two","n":2}"#);
    cache
        .acknowledge(edit.operation().unwrap(), Some(answer), Timestamp(2))
        .unwrap();
    assert_eq!(stage(&cache), "second");
    let bookmark = || WatchEvent::Bookmark { version: None };
    cache.observe(bookmark(), Timestamp(3)).unwrap();
    assert_eq!(stage(&cache), "second");

    // Past the guard, what was there when it began is its end.
    let mut cache = processing(r#"[{"id":"a","status":"ready"}]"#);
    cache.observe(bookmark(), Timestamp(59_999)).unwrap();
    assert_eq!(stage(&cache), "first");
    cache.observe(bookmark(), Timestamp(60_000)).unwrap();
    assert_eq!(stage(&cache), "done");
}

/// P4: what is reported by hand ends it as well, and so does `complete`.
#[test]
fn ends_by_hand() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    report(&mut cache, r#"{"stage":"done"}"#, 10);
    assert_eq!(
        (percent(&cache), cache.poll_timeout()),
        (Some(100.0), Some(Timestamp(2_010)))
    );
    let mut cache = processing(r#"[{"id":"a"}]"#);
    let operation = cache.operations("a")[0].id;
    cache.acknowledge(operation, None, Timestamp(5)).unwrap();
    cache.complete("a", Timestamp(10)).unwrap();
    assert_eq!(
        (percent(&cache), cache.poll_timeout()),
        (Some(100.0), Some(Timestamp(2_010)))
    );
}

/// P1: plans of updates and deletions tell how far they are; their effect ends them.
#[test]
fn an_update_ends_by_its_effect() {
    let mut cache = with(Kind::Update, plan(), r#"[{"id":"a","x":1}]"#);
    let patch = schema().merge_patch(br#"{"x":2}"#).unwrap();
    let operation = cache
        .mark_as_updating("a", patch, Timestamp(0))
        .unwrap()
        .operation()
        .unwrap();
    report(&mut cache, r#"{"stage":"done"}"#, 5);
    assert_eq!(cache.state("a"), Some(State::Running(Kind::Update)));
    cache.acknowledge(operation, None, Timestamp(10)).unwrap();
    assert_eq!(
        merge(&mut cache, r#"[{"id":"a","x":2}]"#, 20),
        [Settlement::Confirmed]
    );
}
