//! A resource that a user edits all day: what is remembered of it stays small, and old values of it stay
//! old (U2).

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, JsonCache, Timestamp};

const SECOND: i64 = 1_000;

fn item(n: i64) -> JsonResource {
    let text = format!(r#"{{"id":"a","name":"the name stays","n":{n}}}"#);
    Schema::default().resource(text.as_bytes()).unwrap()
}

fn list(cache: &mut JsonCache, n: i64, at: i64) {
    let text = format!(r#"[{{"id":"a","name":"the name stays","n":{n}}}]"#);
    let snapshot = Schema::default().snapshot(text.as_bytes()).unwrap();
    cache.merge(snapshot, Timestamp(at)).unwrap();
}

fn shown(cache: &JsonCache) -> i64 {
    let body = cache.get_one("a").unwrap().body().body().to_string();
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    value["n"].as_i64().unwrap()
}

/// Edits the resource once a second, answered after half of one; the list shows it five seconds later.
fn edited(seconds: i64) -> JsonCache {
    let mut config = Config::default();
    config.outcome_log = 10;
    let mut cache = JsonCache::new(config);
    list(&mut cache, 0, 0);
    for n in 1..=seconds {
        let at = n * SECOND;
        let patch = Schema::default()
            .merge_patch(format!(r#"{{"n":{n}}}"#).as_bytes())
            .unwrap();
        let edit = cache.mark_as_updating("a", patch, Timestamp(at)).unwrap();
        let operation = edit.operation().unwrap();
        cache
            .acknowledge(operation, Some(item(n)), Timestamp(at + SECOND / 2))
            .unwrap();
        list(&mut cache, (n - 5).max(0), at + SECOND / 2 + 1);
        assert_eq!(shown(&cache), n);
    }
    cache
}

fn bytes(cache: &JsonCache) -> usize {
    serde_json::to_vec(&cache.record()).unwrap().len()
}

#[test]
fn what_is_edited_all_day_does_not_grow() {
    let (short, long) = (bytes(&edited(200)), bytes(&edited(400)));
    assert!(long < short + short / 10, "{short} bytes, then {long}");
    // Each edit once, of the last two minutes.
    assert!(short < 120 * 1_000, "{short} bytes");
}

#[test]
fn a_value_of_an_edit_before_the_last_is_old() {
    let mut cache = edited(20);
    list(&mut cache, 3, 20 * SECOND + 600);
    assert_eq!(shown(&cache), 20);
    // One that nobody here has made is not.
    list(&mut cache, 77, 20 * SECOND + 700);
    assert_eq!(shown(&cache), 77);
}
