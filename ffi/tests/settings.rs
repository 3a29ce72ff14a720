//! Settings: every one of the core's can be given, and what is not given is the core's default.

use std::collections::{BTreeSet, HashMap};

use resourcecache_ffi::{
    Backoff, BadItems, CacheError, Config, HistoryLimits, JsonCache, Kind, Labels, NewItems,
    OnFailure, ProgressPlan, ProgressRule, RetryPolicy, Schema, Stage, StageEnd, VersionOrder,
};
use serde_json::Value;

fn keys(value: &Value) -> BTreeSet<String> {
    let fields = value.as_object().expect("an object");
    fields.keys().cloned().collect()
}

fn whole() -> Config {
    let stage = |name: &str, end| Stage {
        name: name.into(),
        weight: 2,
        expected_ms: Some(5),
        message: Some("m".into()),
        end,
    };
    let fail = StageEnd::Fail {
        error_at: Some("/error".into()),
    };
    let plan = ProgressPlan {
        stages: vec![
            stage("one", None),
            stage("done", Some(StageEnd::Complete)),
            stage("no", Some(fail)),
        ],
        rules: vec![ProgressRule {
            at: "/status".into(),
            stages: HashMap::from([("x".into(), "one".into())]),
        }],
        stalled_after_ms: Some(9),
    };
    Config {
        ttl_ms: Some(1),
        stale_after_ms: Some(2),
        completed_shown_ms: Some(3),
        error_shown_ms: Some(4),
        retry_backoff_ms: Some(5),
        retry: Some(RetryPolicy {
            backoff: Some(Backoff::Exponential {
                base_ms: 6,
                cap_ms: 7,
            }),
            max_attempts: Some(0),
            max_age_ms: Some(8),
            attempt_timeout_ms: Some(9),
            retryable: Some(vec![418]),
        }),
        max_under_way: Some(10),
        progress: Some(HashMap::from([(Kind::Create, plan)])),
        history: Some(HistoryLimits {
            steps: Some(11),
            bytes: Some(12),
        }),
        version_order: Some(VersionOrder::Integer),
        new_items: Some(NewItems::Start),
        on_failure: Some(OnFailure::Keep),
        bad_items: Some(BadItems::Skip),
        change_log: Some(13),
        outcome_log: Some(14),
        seed: Some(15),
    }
}

#[test]
fn every_setting_reaches_the_core() {
    let cache = JsonCache::new(Some(whole()), None, None).expect("good settings");
    let text = cache.config().expect("the settings");
    let got: resourcecache::Config = serde_json::from_str(&text).expect("the core's form");
    let own = serde_json::to_value(&got).expect("as JSON");
    let default = serde_json::to_value(resourcecache::Config::default()).expect("as JSON");
    for (name, value) in own.as_object().expect("an object") {
        // The seed is not told.
        assert!(
            name == "seed" || default[name] != *value,
            "{name} is still the default"
        );
    }
    assert_eq!(got.retry.max_attempts, None, "0 means never");
    assert_eq!(
        got.progress[&resourcecache::Kind::Create].stages[2].name,
        "no"
    );
}

#[test]
fn the_fields_are_the_cores_fields() {
    let of = |value: Value| keys(&value);
    let here = serde_json::to_value(whole()).expect("as JSON");
    let core = serde_json::to_value(resourcecache::Config::default()).expect("as JSON");
    assert_eq!(of(here.clone()), of(core.clone()));
    for part in ["retry", "history"] {
        assert_eq!(keys(&here[part]), keys(&core[part]), "{part}");
    }
    let schema = Schema {
        id: Some("/a".into()),
        uid: Some("/b".into()),
        version: Some("/c".into()),
        token: Some("/d".into()),
        items: Some("/e".into()),
        list_version: Some("/f".into()),
        continue_token: Some("/g".into()),
    };
    let core = serde_json::to_value(resourcecache::json::Schema::default()).expect("as JSON");
    assert_eq!(of(serde_json::to_value(schema).expect("as JSON")), of(core));
    let some = || Some("x".to_string());
    let labels = Labels {
        deleting: some(),
        creating: some(),
        updating: some(),
        processing: some(),
        retrying: some(),
        processed: some(),
        failed: some(),
    };
    let core = serde_json::to_value(resourcecache::Labels::default()).expect("as JSON");
    assert_eq!(of(serde_json::to_value(labels).expect("as JSON")), of(core));
}

#[test]
fn nothing_given_is_the_cores_default() {
    let cache = JsonCache::new(None, None, None).expect("the defaults");
    let got: resourcecache::Config =
        serde_json::from_str(&cache.config().expect("the settings")).expect("the core's form");
    assert_eq!(got, resourcecache::Config::default());
}

#[test]
fn bad_settings_are_refused_by_name() {
    let schema = Schema {
        id: Some("id".into()),
        ..Schema::default()
    };
    let refused = JsonCache::new(None, Some(schema), None)
        .err()
        .expect("no pointer");
    assert!(
        matches!(&refused, CacheError::BadInput { subject, .. } if subject == "schema"),
        "{refused}"
    );
    let twice = || Stage {
        name: "one".into(),
        weight: 1,
        expected_ms: None,
        message: None,
        end: None,
    };
    let plan = ProgressPlan {
        stages: vec![twice(), twice()],
        rules: vec![],
        stalled_after_ms: None,
    };
    let config = Config {
        progress: Some(HashMap::from([(Kind::Create, plan)])),
        ..Config::default()
    };
    let refused = JsonCache::new(Some(config), None, None)
        .err()
        .expect("two of one name");
    assert!(refused.to_string().contains("declared twice"), "{refused}");
}
