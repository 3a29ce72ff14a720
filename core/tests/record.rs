//! Saved states: what loads, and what is refused.

use resourcecache::json::{self, JsonPatch, Schema};
use resourcecache::{Config, ErrorKind, Event, JsonCache, Timestamp};
use serde_json::{Value, json};

fn cache() -> JsonCache {
    let mut cache = JsonCache::new(Config::default());
    let list = br#"[{"id":"a","n":1},{"id":"b"}]"#;
    cache
        .merge(Schema::default().snapshot(list).unwrap(), Timestamp(0))
        .unwrap();
    cache.mark_as_deleting("b", None, Timestamp(0)).unwrap();
    cache
}

fn restored(record: &Value) -> Result<JsonCache, String> {
    let record = serde_json::from_value(record.clone()).map_err(|e| e.to_string())?;
    JsonCache::restore(Config::default(), record, Timestamp(0)).map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::BadInput);
        error.to_string()
    })
}

#[test]
fn a_record_loads_and_goes_on() {
    let saved = serde_json::to_value(cache().record()).unwrap();
    assert_eq!(saved["version"], 1);
    let loaded = restored(&saved).unwrap();
    assert_eq!(loaded.visible().count(), 1);
    assert_eq!(
        serde_json::to_value(loaded.record()).unwrap()["rows"],
        saved["rows"]
    );
    assert!(loaded.changes_since(loaded.revision()).is_some());
    assert!(
        loaded.changes_since(resourcecache::Revision(0)).is_none(),
        "the log is not saved"
    );
}

#[test]
fn a_newer_version_is_refused_and_unknown_fields_are_ignored() {
    let mut saved = serde_json::to_value(cache().record()).unwrap();
    saved["colour"] = json!("red");
    assert!(restored(&saved).is_ok());
    saved["version"] = json!(2);
    let problem = restored(&saved).unwrap_err();
    assert!(problem.contains("newer version (2)"), "{problem}");
}

#[test]
fn a_damaged_record_is_refused() {
    let saved = serde_json::to_value(cache().record()).unwrap();
    let mut twice = saved.clone();
    let row = twice["rows"][0].clone();
    twice["rows"].as_array_mut().unwrap().push(row);
    assert!(restored(&twice).unwrap_err().contains("two rows"));
    let mut body = saved;
    body["rows"][0]["base"]["body"] = json!("{no json");
    assert!(restored(&body).is_err());
}

#[test]
fn a_list_of_v1_loads_and_what_we_write_v1_reads() {
    let v1 = br#"[{"id":"a","n":1},{"id":"b","_meta":{"status":"deleting","deletedAt":"1970-01-01T00:00:10.000Z","minTtl":60000,"team":"dns"}}]"#;
    let items = Schema::default().list_v1(v1).unwrap();
    let mut cache = JsonCache::new(Config::default());
    cache
        .apply(Event::ImportV1 { items }, Timestamp(20_000))
        .unwrap();
    assert_eq!(cache.visible().count(), 1);
    let again: Value = serde_json::from_str(&json::list_v1(&cache)).unwrap();
    assert_eq!(again[0], json!({"id": "a", "n": 1}));
    assert_eq!(again[1]["_meta"]["status"], "deleting");
    assert_eq!(again[1]["_meta"]["deletedAt"], "1970-01-01T00:00:10.000Z");
    assert_eq!(again[1]["_meta"]["minTtl"], 60000);
    assert_eq!(again[1]["_meta"]["team"], "dns");
    // The guard counts from the mark of v1.0.
    let list = || {
        Schema::default()
            .snapshot(br#"[{"id":"a","n":1},{"id":"b"}]"#)
            .unwrap()
    };
    cache.merge(list(), Timestamp(69_999)).unwrap();
    assert_eq!(cache.visible().count(), 1);
    cache.merge(list(), Timestamp(70_000)).unwrap();
    assert_eq!(cache.visible().count(), 2);
}

/// Found by fuzzing: a counter at its end overflowed when the state was loaded.
#[test]
fn counters_that_cannot_be_are_refused() {
    let saved = serde_json::to_value(cache().record()).unwrap();
    for counter in ["next_key", "next_operation", "revision", "seq"] {
        let mut damaged = saved.clone();
        damaged[counter] = json!(u64::MAX);
        assert!(
            restored(&damaged).unwrap_err().contains("damaged"),
            "{counter}"
        );
    }
    for (counter, value) in [
        ("next_place", -1),
        ("next_place", i64::MAX),
        ("next_operation", 1),
    ] {
        let mut damaged = saved.clone();
        damaged[counter] = json!(value);
        assert!(
            restored(&damaged).unwrap_err().contains("damaged"),
            "{counter}"
        );
    }
    let mut created = cache();
    let new = Schema::default().resource(br#"{"id":"new"}"#).unwrap();
    created.add_as_creating(new, Timestamp(0)).unwrap();
    let mut damaged = serde_json::to_value(created.record()).unwrap();
    assert!(restored(&damaged).is_ok());
    damaged["next_place"] = json!(0);
    assert!(restored(&damaged).unwrap_err().contains("damaged"));
}

/// Found by fuzzing: a row that had lost its place was given one, and what was saved then did not
/// load.
#[test]
fn a_row_without_place_gets_one_for_good() {
    let mut created = cache();
    let new = Schema::default().resource(br#"{"id":"new"}"#).unwrap();
    created.add_as_creating(new, Timestamp(0)).unwrap();
    let mut damaged = serde_json::to_value(created.record()).unwrap();
    damaged["rows"][2]["place"] = Value::Null;
    let loaded = restored(&damaged).unwrap();
    let again = restored(&serde_json::to_value(loaded.record()).unwrap()).unwrap();
    assert_eq!(again.visible().last().unwrap().id(), "new");
}

/// Found by fuzzing (R1): a number read back from a journal is the number that was written.
#[test]
fn fractions_of_progress_survive_a_journal() {
    let mut wrong = Vec::new();
    for n in 0..10_000_u32 {
        let progress = f64::from(n) * 0.01 / 0.987_654_321;
        let text =
            format!(r#"{{"update_metadata":{{"id":"b","patch":{{"progress":{progress}}}}}}}"#);
        let event: Event<json::JsonResource> = serde_json::from_str(&text).unwrap();
        let Event::UpdateMetadata { patch, .. } = event else {
            unreachable!()
        };
        if patch.progress != resourcecache::Change::Set(progress) {
            wrong.push(progress);
        }
    }
    assert_eq!(wrong, Vec::<f64>::new());
}

/// Found by fuzzing: what a patch sets is laid over a body as it is.
#[test]
fn patches_that_are_no_json_are_refused() {
    let patch = |path: &str, text: &str| {
        let fields = serde_json::json!({ "fields": [{ "path": path, "op": { "set": text } }] });
        serde_json::from_value::<JsonPatch>(fields)
    };
    assert!(patch("/n", "[1, {}]").is_ok());
    for text in ["{", "", " 1", "1 ", "1,2", "\"a"] {
        let refused = patch("/n", text).unwrap_err().to_string();
        assert!(refused.contains("/n is no JSON value"), "{refused}");
    }
    assert!(patch("", "{}").is_err());
    assert!(patch("/n", &"[".repeat(128)).is_err());
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert!(patch("/n", &deep(127)).is_ok());
    assert!(patch("/n", &deep(128)).is_err());
}
