//! Stages declared once: how far an operation is, what a list says of it, and what ends it (P1 to P6).

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Change, Config, Event, JsonCache, Kind, Metadata, MetadataPatch, Progress, ProgressPlan,
    Reason, Retry, Settlement, Stage, State, Status, Timestamp, VersionOrder, WatchEvent,
};

/// One second, three, unknown to the server, then the end.
fn plan() -> ProgressPlan {
    ProgressPlan::new([
        Stage::new("first").message("First...").expected_ms(1_000),
        Stage::new("second").expected_ms(3_000).weight(3),
        Stage::new("third").expected_ms(2_000).weight(2),
        Stage::new("done").message("Done!").completes(),
        Stage::new("failed").fails(Some("/error")),
    ])
    .rule("/flag", [("true", "third")])
    .rule(
        "/status",
        [
            ("one", "first"),
            ("two", "second"),
            ("ready", "done"),
            ("bad", "failed"),
        ],
    )
}

fn with(kind: Kind, plan: ProgressPlan, list: &str) -> JsonCache {
    let mut config = Config::default();
    config.version_order = VersionOrder::Integer;
    config.progress.insert(kind, plan);
    let mut cache = JsonCache::new(config);
    merge(&mut cache, list, 0);
    cache
}

fn processing(list: &str) -> JsonCache {
    let mut cache = with(Kind::Process, plan(), list);
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    cache
}

fn schema() -> Schema {
    Schema {
        version: Some("/v".parse().unwrap()),
        ..Schema::default()
    }
}

fn item(text: &str) -> JsonResource {
    schema().resource(text.as_bytes()).unwrap()
}

fn merge(cache: &mut JsonCache, list: &str, at: i64) -> Vec<Settlement> {
    let list = schema().snapshot(list.as_bytes()).unwrap();
    let changes = cache.merge(list, Timestamp(at)).unwrap().changes;
    changes.outcomes.iter().map(|o| o.settlement).collect()
}

fn report(cache: &mut JsonCache, patch: &str, at: i64) {
    let patch: MetadataPatch = serde_json::from_str(patch).unwrap();
    cache.update_metadata("a", patch, Timestamp(at)).unwrap();
}

fn meta(cache: &JsonCache) -> Metadata {
    cache.get_one("a").unwrap().meta().unwrap_or_default()
}

fn stage(cache: &JsonCache) -> String {
    meta(cache).stage.unwrap_or_default()
}

fn percent(cache: &JsonCache) -> Option<f64> {
    meta(cache).progress
}

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
