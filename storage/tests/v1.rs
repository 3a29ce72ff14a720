//! From version 1.0 and back, with operations in flight. What v1.0 does with its array is written here
//! once more, as simply as it does it.

use std::sync::Arc;

use proptest::prelude::*;
use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Status, Timestamp};
use resourcecache_storage::{Error, MemoryStore, SqliteStore, Store, StoreErrorKind, StoredCache};
use serde_json::{Map, Value, json};

/// 2025-01-19T00:00:00Z
const DAY: i64 = 1_737_244_800_000;

fn iso(ms: i64) -> String {
    Timestamp(ms).to_rfc3339()
}

/// The array that v1.0 keeps, and what its methods do with it.
#[derive(Clone, Debug, Default, PartialEq)]
struct V1(Vec<Value>);

impl V1 {
    fn meta_of(&mut self, id: &str, meta: Option<Value>) {
        for item in self.0.iter_mut().filter(|item| item["id"] == id) {
            let item = item.as_object_mut().unwrap();
            item.remove("_meta");
            if let Some(meta) = &meta {
                item.insert("_meta".into(), meta.clone());
            }
        }
    }

    fn mark_as_processing(&mut self, id: &str, status: &str, now: i64) {
        let time = match status {
            "deleting" => "deletedAt",
            "creating" => "createdAt",
            _ => "updatedAt",
        };
        self.meta_of(id, Some(json!({"status": status, time: iso(now)})));
    }

    fn mark_as_deleting(&mut self, id: &str, min_ttl: u64, now: i64) {
        let meta = json!({"status": "deleting", "deletedAt": iso(now), "minTtl": min_ttl});
        self.meta_of(id, Some(meta));
    }

    fn add_as_creating(&mut self, id: &str, now: i64) {
        let meta = json!({"status": "creating", "createdAt": iso(now)});
        self.0.push(json!({"id": id, "name": "new", "_meta": meta}));
    }

    /// Fresh rows, with the marks of those that are known, but for deletions whose time is over.
    fn merge(&mut self, fresh: &[Value], now: i64) {
        let old = std::mem::take(&mut self.0);
        for item in fresh {
            let mut item = item.clone();
            let known = old.iter().find(|old| old["id"] == item["id"]);
            if let Some(meta) = known.and_then(|old| old.get("_meta")) {
                let ttl = meta["minTtl"].as_i64();
                let at = meta["deletedAt"]
                    .as_str()
                    .and_then(Timestamp::parse_rfc3339);
                let over = ttl.zip(at).is_some_and(|(ttl, at)| now - at.0 >= ttl);
                if !over {
                    item["_meta"] = meta.clone();
                }
            }
            self.0.push(item);
        }
    }

    fn visible(&self) -> Vec<String> {
        let shown = self
            .0
            .iter()
            .filter(|item| item["_meta"]["status"] != "deleting");
        shown
            .map(|item| item["id"].as_str().unwrap().into())
            .collect()
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).unwrap()
    }
}

fn import(list: &[u8], now: i64) -> Result<StoredCache<JsonResource>, Error> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    import_into(&store, list, now)
}

fn import_into(
    store: &Arc<dyn Store>,
    list: &[u8],
    now: i64,
) -> Result<StoredCache<JsonResource>, Error> {
    let (schema, config) = (Schema::default(), Config::default());
    StoredCache::import_v1(
        store.clone(),
        "zones",
        &schema,
        list,
        config,
        Timestamp(now),
    )
}

fn visible(cache: &StoredCache<JsonResource>) -> Vec<String> {
    cache
        .cache()
        .visible()
        .map(|item| item.id().into())
        .collect()
}

fn exported(cache: &StoredCache<JsonResource>) -> Vec<Value> {
    serde_json::from_str(&cache.export_v1()).unwrap()
}

/// Each status as v1.0 and the document's extensions of it write it, and what becomes of it.
#[test]
fn all_five_statuses_move_over_and_back() {
    let list = json!([
        {"id": "idle", "n": 1},
        {"id": "del", "_meta": {"status": "deleting", "deletedAt": iso(DAY), "minTtl": 60_000}},
        {"id": "upd", "n": 2, "_meta": {"status": "updating", "updatedAt": iso(DAY)}},
        {"id": "pro", "_meta": {"status": "processing", "startedAt": iso(DAY), "progress": 40,
            "stage": "verifying", "message": "soon", "team": "dns"}},
        {"id": "ret", "_meta": {"status": "retrying", "startedAt": iso(DAY), "retryCount": 2,
            "maxRetries": 5, "error": "503"}},
        {"id": "temp-1", "n": 3, "_meta": {"status": "creating", "createdAt": iso(DAY)}},
    ]);
    let text = serde_json::to_vec(&list).unwrap();
    let cache = import(&text, DAY + 5_000).unwrap();
    assert_eq!(visible(&cache), ["idle", "upd", "pro", "ret", "temp-1"]);
    for (id, status) in [
        ("del", Status::Deleting),
        ("upd", Status::Updating),
        ("pro", Status::Processing),
        ("ret", Status::Retrying),
        ("temp-1", Status::Creating),
    ] {
        assert_eq!(
            cache.cache().get_one(id).unwrap().status(),
            Some(status),
            "{id}"
        );
    }
    // Back: each field is as it was. (`startedAt` is ours to add.)
    let back = exported(&cache);
    assert_eq!(back.len(), 6);
    for (new, old) in back.iter().zip(list.as_array().unwrap()) {
        assert!(contains(new, old), "{new} has not all of {old}");
        assert_eq!(new.get("_meta").is_some(), old.get("_meta").is_some());
    }
    // And over again: the same is shown.
    let again = import(cache.export_v1().as_bytes(), DAY + 6_000).unwrap();
    assert_eq!(visible(&again), visible(&cache));
    assert_eq!(exported(&again), back);
}

fn contains(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => old
            .iter()
            .all(|(key, old)| new.get(key).is_some_and(|new| contains(new, old))),
        _ => new == old,
    }
}

#[test]
fn fields_that_are_missing_or_odd() {
    let now = DAY + 1_000;
    let deleting = |fields: Value| {
        let mut meta = Map::from_iter([("status".to_string(), json!("deleting"))]);
        meta.extend(fields.as_object().unwrap().clone());
        json!([{"id": "a", "_meta": meta}, {"id": "b"}])
    };
    // When the row shows again, if the server goes on listing it: the end of the guard.
    for (meta, until) in [
        (
            json!({"deletedAt": iso(DAY), "minTtl": 30_000}),
            DAY + 30_000,
        ),
        (json!({"deletedAt": iso(DAY)}), DAY + 60_000),
        (json!({"minTtl": 30_000}), now + 30_000),
        (json!({}), now + 60_000),
        (json!({"deletedAt": null, "minTtl": null}), now + 60_000),
        // A clock that was ahead does not hide it for longer.
        (json!({"deletedAt": iso(DAY + 9_000_000)}), now + 60_000),
        (
            json!({"deletedAt": "2025-01-19T01:00:00+01:00"}),
            DAY + 60_000,
        ),
        (
            json!({"deletedAt": "2025-01-19T00:00:00.000000Z"}),
            DAY + 60_000,
        ),
        (json!({"deletedAt": DAY}), DAY + 60_000),
        (json!({"deletedAt": "Invalid Date"}), now + 60_000),
        (json!({"deletedAt": ""}), now + 60_000),
        (
            json!({"deletedAt": "+275760-09-13T00:00:00.000Z"}),
            now + 60_000,
        ),
        (
            json!({"deletedAt": "-000001-01-01T00:00:00.000Z"}),
            now + 60_000,
        ),
        (
            json!({"deletedAt": "0000-01-01T00:00:00+14:00"}),
            now + 60_000,
        ),
        (json!({"deletedAt": {"$date": 7}}), now + 60_000),
        (json!({"deletedAt": 1e300}), now + 60_000),
        (
            json!({"deletedAt": iso(DAY), "minTtl": 30_000.4}),
            DAY + 30_000,
        ),
        (
            json!({"deletedAt": iso(DAY), "minTtl": 90_000.000_000_01}),
            DAY + 90_000,
        ),
    ] {
        let list = serde_json::to_vec(&deleting(meta.clone())).unwrap();
        let mut cache = import(&list, now).unwrap_or_else(|error| panic!("{meta}: {error}"));
        assert_eq!(visible(&cache), ["b"], "{meta}");
        let back = exported(&cache);
        assert_eq!(back[0]["_meta"]["status"], "deleting", "{meta}");
        let fresh = || {
            let list = br#"[{"id":"a"},{"id":"b"}]"#;
            Event::Merge(Schema::default().snapshot(list).unwrap())
        };
        cache.apply(fresh(), Timestamp(until - 1)).unwrap();
        assert_eq!(visible(&cache), ["b"], "{meta}: too early");
        cache.apply(fresh(), Timestamp(until)).unwrap();
        assert_eq!(visible(&cache), ["a", "b"], "{meta}: it is hidden for ever");
    }
    // The guard is over already, or there is none: the next list decides.
    for meta in [
        json!({"deletedAt": iso(DAY), "minTtl": 0}),
        json!({"deletedAt": iso(DAY), "minTtl": -5}),
        json!({"deletedAt": iso(0), "minTtl": 1_000}),
        json!({"deletedAt": "0000-01-01T00:00:00Z", "minTtl": 1_000}),
    ] {
        let list = serde_json::to_vec(&deleting(meta.clone())).unwrap();
        let mut cache = import(&list, now).unwrap_or_else(|error| panic!("{meta}: {error}"));
        let fresh = Schema::default()
            .snapshot(br#"[{"id":"a"},{"id":"b"}]"#)
            .unwrap();
        cache
            .apply(Event::Merge(fresh), Timestamp(now + 1))
            .unwrap();
        assert_eq!(visible(&cache), ["a", "b"], "{meta}");
    }
    // No mark at all.
    for meta in [json!(null), json!({}), json!({"minTtl": 60_000})] {
        let list = json!([{"id": "a", "_meta": meta}]);
        let cache = import(&serde_json::to_vec(&list).unwrap(), now).unwrap();
        assert_eq!(exported(&cache), [json!({"id": "a"})]);
        assert!(!cache.cache().is_processing("a"));
    }
}

/// Nothing is taken of a list in which anything is wrong, and the error says where.
#[test]
fn a_list_that_cannot_be_taken_leaves_nothing() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    for (list, said) in [
        (r#"[{"id":"a"},{"name":"no id"}]"#, "item 1"),
        (r#"[{"id":"a"},{"id":""}]"#, "item 1"),
        (
            r#"[{"id":"a","_meta":{"status":"archived"}}]"#,
            "item 0: _meta: unknown variant `archived`",
        ),
        (
            r#"[{"id":"a"},{"id":"b","_meta":"deleting"}]"#,
            "item 1: _meta",
        ),
        (
            r#"[{"id":"a","_meta":{"status":"updating","progress":101}}]"#,
            "item 0: _meta: progress",
        ),
        (
            r#"[{"id":"a","_meta":{"status":"deleting","minTtl":"soon"}}]"#,
            "item 0: _meta",
        ),
        (r#"{"id":"a"}"#, "array"),
        (r#"[{"id":"a"},"#, ""),
        ("", ""),
    ] {
        let error = import_into(&store, list.as_bytes(), DAY).expect_err(list);
        assert!(matches!(error, Error::Core(_)), "{list}: {error}");
        assert!(error.to_string().contains(said), "{list}: {error}");
        assert!(!error.is_retryable());
        assert_eq!(
            store.revision("zones").unwrap(),
            None,
            "{list}: nothing is there"
        );
        assert_eq!(store.keys(None, 10).unwrap(), [""; 0]);
    }
    // An empty one is one; `null` is what unstorage answers where nothing was kept.
    for list in [&b"[]"[..], b"null"] {
        import_into(&store, list, DAY).expect("an empty list");
        assert!(store.delete("zones", None).unwrap(), "it is there");
    }
}

#[test]
fn a_collection_that_exists_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(folder.path().join("a.sqlite")).unwrap());
    let first = import_into(&store, br#"[{"id":"a"}]"#, DAY).unwrap();
    let revision = store.revision("zones").unwrap();
    for list in [&br#"[{"id":"b"}]"#[..], b"[]", b"no list"] {
        let error = import_into(&store, list, DAY).expect_err("it is there");
        assert!(
            matches!(&error, Error::Store(e) if e.kind == StoreErrorKind::Exists),
            "{error}"
        );
        assert!(error.to_string().starts_with("zones: "), "{error}");
        assert!(!error.is_retryable());
        assert_eq!(store.revision("zones").unwrap(), revision);
    }
    let open = StoredCache::<JsonResource>::open(
        store.clone(),
        "zones",
        Config::default(),
        Timestamp(DAY),
    );
    assert_eq!(open.unwrap().cache().record(), first.cache().record());
    // Also one that is empty by now: it was here, and is newer.
    store.delete("zones", None).unwrap();
    import_into(&store, br#"[{"id":"b"}]"#, DAY).expect("it was deleted");
}

/// Of instances that move over at once, one does.
#[test]
fn of_several_that_import_at_once_one_does() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let store = &store;
                scope.spawn(move || {
                    let list = format!("[{{\"id\":\"from-{n}\"}}]");
                    match import_into(store, list.as_bytes(), DAY) {
                        Ok(cache) => Some(cache.export_v1()),
                        Err(Error::Store(e)) if e.kind == StoreErrorKind::Exists => None,
                        Err(error) => panic!("{error}"),
                    }
                })
            })
            .collect();
        let answers = threads.into_iter().map(|thread| thread.join().unwrap());
        answers.flatten().collect::<Vec<_>>()
    });
    assert_eq!(done.len(), 1, "{done:?}");
    assert_eq!(store.revision("zones").unwrap().map(|r| r.number), Some(1));
}

/// It goes on in another process, and in the store it is a collection as any other.
#[test]
fn what_was_imported_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let mut old = V1::default();
    old.merge(&[json!({"id": "a"}), json!({"id": "b"})], DAY);
    old.mark_as_deleting("a", 60_000, DAY);
    old.add_as_creating("temp-1", DAY);
    {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
        import_into(&store, &old.bytes(), DAY + 1_000).unwrap();
    }
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
    let now = Timestamp(DAY + 2_000);
    let mut cache =
        StoredCache::<JsonResource>::open(store, "zones", Config::default(), now).unwrap();
    assert_eq!(visible(&cache), ["b", "temp-1"]);
    let created = Schema::default().resource(br#"{"id":"c"}"#).unwrap();
    cache
        .update(|c| c.replace_created("temp-1", created.clone(), now))
        .unwrap();
    let list = br#"[{"id":"a"},{"id":"b"}]"#;
    let fresh = Event::Merge(Schema::default().snapshot(list).unwrap());
    cache.apply(fresh, now).unwrap();
    assert_eq!(
        visible(&cache),
        ["b", "c"],
        "v1.0 would have lost the new one"
    );
    let ids: Vec<Value> = exported(&cache)
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
}

/// What an app does with v1.0.
#[derive(Clone, Debug)]
enum Act {
    Merge(Vec<u8>),
    Delete(u8, u64),
    Process(u8, &'static str),
    Create(u8),
    Revert(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let id = 0..6_u8;
    let statuses = prop::sample::select(&["deleting", "updating", "processing"][..]);
    let ttl = prop::sample::select(&[0_u64, 1_000, 60_000][..]);
    let mut ids: Vec<u8> = (0..6).collect();
    ids.rotate_left(2);
    prop_oneof![
        3 => prop::sample::subsequence(ids, 0..=6).prop_map(Act::Merge),
        3 => (id.clone(), ttl).prop_map(|(id, ttl)| Act::Delete(id, ttl)),
        2 => (id.clone(), statuses).prop_map(|(id, status)| Act::Process(id, status)),
        2 => (0..3_u8).prop_map(Act::Create),
        1 => id.prop_map(Act::Revert),
    ]
}

fn fresh(ids: &[u8]) -> Vec<Value> {
    ids.iter()
        .map(|id| json!({"id": format!("z{id}"), "name": "x"}))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever v1.0 did: it moves over, shows the same, and moves back, where v1.0 goes on as if it had
    /// never been away. (Within five minutes: what is older is stale here, and lasts for ever there.)
    #[test]
    fn any_history_of_v1_moves_over_and_back(
        acts in prop::collection::vec((act(), 0..12_000_i64), 1..20),
        after in 0..100_000_i64,
        last in prop::sample::subsequence((0..6_u8).collect::<Vec<_>>(), 0..=6),
    ) {
        let (mut v1, mut now) = (V1::default(), DAY);
        for (act, wait) in acts {
            now += wait;
            match act {
                Act::Merge(ids) => v1.merge(&fresh(&ids), now),
                Act::Delete(id, ttl) => v1.mark_as_deleting(&format!("z{id}"), ttl, now),
                Act::Process(id, status) => v1.mark_as_processing(&format!("z{id}"), status, now),
                Act::Create(id) if v1.0.iter().all(|i| i["id"] != format!("t{id}")) => {
                    v1.add_as_creating(&format!("t{id}"), now);
                }
                Act::Create(_) => {}
                Act::Revert(id) => v1.meta_of(&format!("z{id}"), None),
            }
        }
        let cache = import(&v1.bytes(), now).unwrap();
        prop_assert_eq!(visible(&cache), v1.visible());
        let mut back = V1(exported(&cache));
        prop_assert_eq!(back.0.len(), v1.0.len());
        for (new, old) in back.0.iter().zip(&v1.0) {
            prop_assert!(contains(new, old), "{} has not all of {}", new, old);
            prop_assert_eq!(new.get("_meta").is_some(), old.get("_meta").is_some());
        }
        // v1.0 goes on with it as with its own.
        back.merge(&fresh(&last), now + after);
        v1.merge(&fresh(&last), now + after);
        prop_assert_eq!(back.visible(), v1.visible());
        let again = import(&back.bytes(), now + after).unwrap();
        prop_assert_eq!(visible(&again), v1.visible());
    }
}

/// An id that is there twice, as v1.0 shows it, is one row: the last body, the last mark.
#[test]
fn an_id_that_is_there_twice_is_one_row() {
    let mark = |at: i64| json!({"status": "deleting", "deletedAt": iso(at), "minTtl": 60_000});
    let list = json!([
        {"id": "a", "n": 1, "_meta": mark(DAY)},
        {"id": "b"},
        {"id": "a", "n": 2, "_meta": mark(DAY + 500)},
        {"id": 7},
        {"id": "7", "n": 3},
    ]);
    let cache = import(&serde_json::to_vec(&list).unwrap(), DAY + 1_000).unwrap();
    assert_eq!(visible(&cache), ["b", "7"]);
    assert_eq!(cache.cache().operations("a").len(), 1);
    let back = exported(&cache);
    assert_eq!(back.len(), 3);
    assert_eq!(
        (&back[0]["n"], &back[0]["_meta"]["deletedAt"]),
        (&json!(2), &json!(iso(DAY + 500)))
    );
}
