//! Through its stages: how far it is, how long it takes, what moves it (P1 to P3).

use crate::*;

/// P1: the stages' weights, and the part of its own; rounded down, and never falling.
#[test]
fn progress_comes_of_weights_and_never_falls() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    assert_eq!(
        (stage(&cache).as_str(), percent(&cache)),
        ("first", Some(0.0))
    );
    report(&mut cache, r#"{"stage":"second","stageProgress":50}"#, 10);
    // One of six, and half of three of six.
    assert_eq!(percent(&cache), Some(41.0));
    report(&mut cache, r#"{"stageProgress":20}"#, 20);
    assert_eq!(percent(&cache), Some(41.0));
    report(&mut cache, r#"{"stage":"first"}"#, 30);
    assert_eq!(
        (stage(&cache).as_str(), percent(&cache)),
        ("first", Some(41.0))
    );
    // Unless it is told to.
    report(&mut cache, r#"{"stage":"second","progress":5}"#, 40);
    assert_eq!(percent(&cache), Some(5.0));
    report(&mut cache, r#"{"stage":"of my own"}"#, 50);
    assert_eq!(
        (stage(&cache).as_str(), percent(&cache)),
        ("of my own", Some(5.0))
    );
}

/// P1: a stage tells its message, unless the report has one.
#[test]
fn a_stage_has_its_message() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    assert_eq!(meta(&cache).message.as_deref(), Some("First..."));
    report(&mut cache, r#"{"stage":"second"}"#, 10);
    assert_eq!(meta(&cache).message.as_deref(), Some("First..."));
    report(&mut cache, r#"{"stage":"first","message":"Again..."}"#, 20);
    assert_eq!(meta(&cache).message.as_deref(), Some("Again..."));
}

/// M2: a part of a stage is 0 to 100 as well.
#[test]
fn a_part_out_of_range_is_refused() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    let patch = MetadataPatch {
        stage_progress: Change::Set(101.0),
        ..MetadataPatch::default()
    };
    let before = cache.record();
    let refused = cache.update_metadata("a", patch, Timestamp(5)).unwrap_err();
    assert_eq!(refused.to_string(), "progress: 101 is not within 0 to 100");
    assert_eq!(cache.record(), before);
}

/// P2: what is left of this stage, and all behind it.
#[test]
fn the_time_left_is_that_of_the_stages_left() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    assert_eq!(meta(&cache).expected_at, Some(Timestamp(6_000)));
    report(&mut cache, r#"{"stage":"second"}"#, 500);
    assert_eq!(meta(&cache).expected_at, Some(Timestamp(5_500)));
    report(&mut cache, r#"{"stageProgress":50}"#, 3_500);
    assert_eq!(meta(&cache).expected_at, Some(Timestamp(7_000)));
    let bar = Progress::of(&cache.get_one("a").unwrap()).unwrap();
    assert_eq!(bar.left_ms(Timestamp(4_000)), Some(3_000));
    assert_eq!(bar.left_ms(Timestamp(9_000)), Some(0));
    // Backing off, nobody knows.
    let operation = cache.operations("a")[0].id;
    cache
        .fail(operation, "busy", Retry::Backoff, Timestamp(5_000))
        .unwrap();
    assert_eq!(meta(&cache).expected_at, None);
    cache.attempt(operation, Timestamp(6_000)).unwrap();
    assert_eq!(meta(&cache).expected_at, Some(Timestamp(9_500)));
}

/// P2: nobody knows how long a stage takes that does not say.
#[test]
fn a_stage_of_unknown_length_hides_the_time_left() {
    let stages = [
        Stage::new("x").expected_ms(5),
        Stage::new("y"),
        Stage::new("z").expected_ms(7),
    ];
    let mut cache = with(Kind::Process, ProgressPlan::new(stages), r#"[{"id":"a"}]"#);
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    assert_eq!(meta(&cache).expected_at, None);
    report(&mut cache, r#"{"stage":"z"}"#, 10);
    assert_eq!(meta(&cache).expected_at, Some(Timestamp(17)));
    assert_eq!(percent(&cache), Some(66.0));
}

/// P3: the first rule that knows the value counts; a value without meaning says nothing.
#[test]
fn lists_move_the_stage() {
    let mut cache = processing(r#"[{"id":"a","v":1}]"#);
    merge(
        &mut cache,
        r#"[{"id":"a","v":2,"status":"two","flag":false}]"#,
        10,
    );
    assert_eq!(stage(&cache), "second");
    merge(
        &mut cache,
        r#"[{"id":"a","v":3,"status":"two","flag":true}]"#,
        20,
    );
    assert_eq!(stage(&cache), "third");
    merge(
        &mut cache,
        r#"[{"id":"a","v":4,"status":"odd","flag":null}]"#,
        30,
    );
    assert_eq!(stage(&cache), "third");
}

/// P3: a copy without a version may be old; one that is newer says where it is.
#[test]
fn only_a_newer_version_moves_a_stage_back() {
    let mut cache = processing(r#"[{"id":"a"}]"#);
    merge(&mut cache, r#"[{"id":"a","flag":true}]"#, 10);
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 20);
    assert_eq!(stage(&cache), "third");
    let mut cache = processing(r#"[{"id":"a","v":1}]"#);
    merge(&mut cache, r#"[{"id":"a","v":2,"flag":true}]"#, 10);
    let before = percent(&cache);
    merge(&mut cache, r#"[{"id":"a","v":3,"status":"two"}]"#, 20);
    assert_eq!(stage(&cache), "second");
    assert_eq!(percent(&cache), before);
}

/// P3: what was asked for before the operation began is about the time before it.
#[test]
fn a_list_from_before_says_nothing() {
    let mut cache = with(Kind::Process, plan(), r#"[{"id":"a"}]"#);
    let (token, _) = cache.begin_fetch(Timestamp(5));
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(10))
        .unwrap();
    let late = schema()
        .snapshot(br#"[{"id":"a","status":"ready"}]"#)
        .unwrap();
    cache.merge(late.with_token(token), Timestamp(20)).unwrap();
    assert_eq!(
        (stage(&cache).as_str(), cache.state("a")),
        ("first", Some(State::Running(Kind::Process)))
    );
    merge(&mut cache, r#"[{"id":"a","status":"ready","n":1}]"#, 30);
    assert_eq!(stage(&cache), "first");
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 40);
    merge(&mut cache, r#"[{"id":"a","status":"ready"}]"#, 50);
    assert_eq!(stage(&cache), "done");
}

/// The plan goes on where it was after a restart.
#[test]
fn a_restart_goes_on() {
    let mut cache = processing(r#"[{"id":"a","status":"ready"}]"#);
    merge(&mut cache, r#"[{"id":"a","status":"two"}]"#, 10);
    let text = serde_json::to_string(&cache.record()).unwrap();
    let record = serde_json::from_str(&text).unwrap();
    let mut again = JsonCache::restore(cache.config().clone(), record, Timestamp(20)).unwrap();
    assert_eq!(meta(&again), meta(&cache));
    merge(&mut again, r#"[{"id":"a","status":"ready"}]"#, 30);
    assert_eq!(stage(&again), "done");
}

/// What is misspelt is named.
#[test]
fn a_plan_is_checked() {
    let problem = |plan: ProgressPlan| plan.check().unwrap_err().to_string();
    assert!(plan().check().is_ok());
    let twice = ProgressPlan::new([Stage::new("x"), Stage::new("x")]);
    assert_eq!(
        problem(twice),
        r#"stage "x": is declared twice; give each a name of its own"#
    );
    let unknown = ProgressPlan::new([Stage::new("x")]).rule("/s", [("1", "y")]);
    assert_eq!(
        problem(unknown),
        r#"stage "y": a rule names it, and it is not declared"#
    );
    let weightless = ProgressPlan::new([Stage::new("x").weight(0)]);
    assert!(problem(weightless).contains("no stage has a weight"));
}
