//! What the document shows, with a typed resource.

use resourcecache::{
    Change, Config, Error, Kind, MetadataPatch, Resource, ResourceCache, Retry, Settlement,
    Snapshot, State, Status, Timestamp, Trigger,
};

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Zone {
    id: String,
    name: String,
}

impl Resource for Zone {
    type Patch = Option<String>;
    fn id(&self) -> &str {
        &self.id
    }
    fn apply(&self, patch: &Option<String>) -> Self {
        let name = patch.as_ref().unwrap_or(&self.name).clone();
        Self {
            name,
            ..self.clone()
        }
    }
    fn fields(patch: &Option<String>) -> Vec<Option<String>> {
        patch.iter().map(|name| Some(name.clone())).collect()
    }
    fn pick(&self, patch: &Option<String>) -> Option<String> {
        patch.as_ref().map(|_| self.name.clone())
    }
    fn diff(&self, newer: &Self) -> Option<String> {
        (self.name != newer.name).then(|| newer.name.clone())
    }
    fn overlaps(a: &Option<String>, b: &Option<String>) -> bool {
        a.is_some() && b.is_some()
    }
}

fn zone(id: &str) -> Zone {
    Zone {
        id: id.into(),
        name: format!("{id}.example"),
    }
}

fn list(ids: &[&str]) -> Snapshot<Zone> {
    Snapshot::complete(ids.iter().map(|id| zone(id)).collect())
}

fn cache(ids: &[&str]) -> ResourceCache<Zone> {
    let mut cache = ResourceCache::new(Config::default());
    cache.merge(list(ids), Timestamp(0)).unwrap();
    cache
}

fn shown(cache: &ResourceCache<Zone>) -> Vec<String> {
    cache.visible().map(|i| i.id().to_string()).collect()
}

fn settled(cache: &ResourceCache<Zone>) -> Vec<Settlement> {
    cache.outcomes().map(|o| o.settlement).collect()
}

/// D1, D3: the TTL table of the document.
#[test]
fn delete_flow_with_cache_should_handle_delayed_api_deletion() {
    let mut cache = cache(&["a", "b"]);
    cache
        .mark_as_deleting("a", Some(60_000), Timestamp(0))
        .unwrap();
    for at in [0, 10_000, 30_000, 59_999] {
        cache.merge(list(&["a", "b"]), Timestamp(at)).unwrap();
        assert_eq!(shown(&cache), ["b"], "at {at} ms");
        assert_eq!(cache.get_one("a").unwrap().status(), Some(Status::Deleting));
    }
    cache.merge(list(&["b"]), Timestamp(59_999)).unwrap();
    assert_eq!(settled(&cache), [Settlement::Confirmed]);
    // G2: a lagging replica shows it once more, and it stays hidden.
    cache.merge(list(&["a", "b"]), Timestamp(59_999)).unwrap();
    assert_eq!(shown(&cache), ["b"]);
}

/// D2: still listed after the TTL, it shows again and says so.
#[test]
fn a_deletion_that_never_happened_is_told() {
    let mut cache = cache(&["a", "b"]);
    cache.mark_as_deleting("a", None, Timestamp(0)).unwrap();
    cache.handle_timeout(Timestamp(65_000)).unwrap();
    assert_eq!(shown(&cache), ["b"], "time alone decides nothing (G3)");
    cache.merge(list(&["a", "b"]), Timestamp(65_000)).unwrap();
    assert_eq!(shown(&cache), ["a", "b"]);
    assert_eq!(settled(&cache), [Settlement::NotConfirmed]);
}

/// V2, L7: a failure shows the row again, with its error, until the error was shown.
#[test]
fn a_failed_deletion_is_visible_at_once() {
    let mut cache = cache(&["a"]);
    let op = cache
        .mark_as_deleting("a", None, Timestamp(0))
        .unwrap()
        .operation()
        .unwrap();
    assert_eq!(shown(&cache), [""; 0]);
    cache.fail(op, "403", Retry::No, Timestamp(100)).unwrap();
    assert_eq!(shown(&cache), ["a"]);
    assert_eq!(
        cache.get_one("a").unwrap().meta().unwrap().error.as_deref(),
        Some("403")
    );
    cache.handle_timeout(Timestamp(5_100)).unwrap();
    assert_eq!(cache.get_one("a").unwrap().meta(), None);
    assert_eq!(settled(&cache), [Settlement::Failed]);
}

/// C1, C2, V6, V7: one row from the temporary id to the real one.
#[test]
fn a_creation_keeps_its_row() {
    let mut cache = cache(&["a"]);
    cache.add_as_creating(zone("tmp"), Timestamp(0)).unwrap();
    let key = cache.get_one("tmp").unwrap().key();
    cache.merge(list(&["a"]), Timestamp(10)).unwrap();
    assert_eq!(shown(&cache), ["a", "tmp"]);
    cache
        .replace_created("tmp", zone("z9"), Timestamp(20))
        .unwrap();
    assert_eq!(shown(&cache), ["a", "z9"]);
    cache.merge(list(&["z9", "a"]), Timestamp(30)).unwrap();
    assert_eq!(shown(&cache), ["z9", "a"]);
    assert_eq!(cache.get_one("z9").unwrap().key(), key);
    assert_eq!(cache.get_one("tmp").unwrap().key(), key);
    assert_eq!(settled(&cache), [Settlement::Confirmed]);
    // G2: a lagging replica without it.
    cache.merge(list(&["a"]), Timestamp(40)).unwrap();
    assert_eq!(shown(&cache), ["a", "z9"]);
}

/// U2, U4, V4: an edit holds against the old value, and gives way to a new one.
#[test]
fn an_edit_does_not_jump_back() {
    let mut cache = cache(&["a"]);
    let op = cache
        .mark_as_updating("a", Some("new".into()), Timestamp(0))
        .unwrap()
        .operation()
        .unwrap();
    cache.acknowledge(op, None, Timestamp(10)).unwrap();
    cache.merge(list(&["a"]), Timestamp(20)).unwrap();
    assert_eq!(cache.get_one("a").unwrap().body().name, "new");
    let other = Zone {
        id: "a".into(),
        name: "other".into(),
    };
    cache
        .merge(Snapshot::complete(vec![other]), Timestamp(30))
        .unwrap();
    assert_eq!(cache.get_one("a").unwrap().body().name, "other");
    assert_eq!(settled(&cache), [Settlement::Superseded]);
}

/// L8, U6: the document closes a success by `update_in_place`, then `revert`.
#[test]
fn update_in_place_is_not_undone_by_revert() {
    let mut cache = cache(&["a"]);
    cache
        .mark_as_processing("a", Kind::Update, Timestamp(0))
        .unwrap();
    cache
        .update_in_place("a", Some("new".into()), Timestamp(10))
        .unwrap();
    cache.revert("a", Timestamp(20)).unwrap();
    cache.merge(list(&["a"]), Timestamp(30)).unwrap();
    assert_eq!(cache.get_one("a").unwrap().body().name, "new");
    assert_eq!(settled(&cache), [Settlement::Confirmed]);
}

/// M2, M3, L13: a registration with progress.
#[test]
fn a_process_shows_progress_and_lingers() {
    let mut cache = cache(&["a"]);
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    let patch = MetadataPatch {
        progress: Change::Set(0.0),
        ..MetadataPatch::default()
    };
    cache.update_metadata("a", patch, Timestamp(1)).unwrap();
    assert_eq!(
        cache.get_one("a").unwrap().meta().unwrap().progress,
        Some(0.0)
    );
    let bad = MetadataPatch {
        progress: Change::Set(f64::NAN),
        ..MetadataPatch::default()
    };
    assert!(matches!(
        cache.update_metadata("a", bad, Timestamp(2)),
        Err(Error::BadInput { .. })
    ));
    cache.complete("a", Timestamp(10)).unwrap();
    assert_eq!(cache.state("a"), Some(State::Acknowledged(Kind::Process)));
    cache.handle_timeout(Timestamp(2_010)).unwrap();
    assert_eq!(cache.state("a"), Some(State::Idle));
}

/// A refused batch changes nothing, and says which part was refused.
#[test]
fn a_batch_is_whole_or_not_at_all() {
    let mut cache = cache(&["a", "b"]);
    cache.mark_as_deleting("b", None, Timestamp(0)).unwrap();
    let error = cache
        .batch_mark_as_processing(&["a", "b"], Kind::Update, None, Timestamp(1))
        .unwrap_err();
    let Error::Batch { results } = error else {
        panic!("{error}")
    };
    assert!(results[0].1.is_none() && results[1].1.is_some());
    assert_eq!(cache.state("a"), Some(State::Idle));
}

/// T1: a clock that jumps back prolongs nothing.
#[test]
fn a_step_back_counts_as_no_time() {
    let mut cache = cache(&["a"]);
    cache
        .mark_as_deleting("a", None, Timestamp(100_000))
        .unwrap();
    cache.handle_timeout(Timestamp(130_000)).unwrap();
    cache.handle_timeout(Timestamp(0)).unwrap();
    cache.merge(list(&["a"]), Timestamp(29_999)).unwrap();
    assert_eq!(shown(&cache), [""; 0]);
    cache.merge(list(&["a"]), Timestamp(30_000)).unwrap();
    assert_eq!(shown(&cache), ["a"]);
}

/// A reader that applies `changes_since` holds the visible list.
#[test]
fn changes_rebuild_the_list() {
    let mut cache = cache(&["a", "b", "c"]);
    let from = cache.revision();
    let mut reader: Vec<_> = cache.visible().map(|i| i.key()).collect();
    cache
        .merge(list(&["c", "a", "d", "b"]), Timestamp(1))
        .unwrap();
    cache.mark_as_deleting("a", None, Timestamp(2)).unwrap();
    let changes = cache.changes_since(from).unwrap();
    reader.retain(|k| {
        !changes.removed.iter().any(|r| r.key == *k)
            && !changes.upserted.iter().any(|u| u.key == *k)
    });
    for upsert in &changes.upserted {
        let at = upsert
            .after
            .map_or(0, |k| reader.iter().position(|r| *r == k).unwrap() + 1);
        reader.insert(at, upsert.key);
    }
    assert_eq!(reader, cache.visible().map(|i| i.key()).collect::<Vec<_>>());
    assert!(
        cache
            .merge(list(&["c", "a", "d", "b"]), Timestamp(3))
            .unwrap()
            .changes
            .is_empty()
    );
}

/// Every pair that the table lacks is an error that names it.
#[test]
fn the_table_refuses_what_it_lacks() {
    let error = State::Idle.next(Trigger::Acknowledge).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a resource that is idle cannot acknowledge"
    );
    assert_eq!(
        State::edges().filter(|e| e.to == State::Forgotten).count(),
        1
    );
}

/// R1: what was saved goes on as if nothing had happened.
#[test]
fn a_saved_state_goes_on() {
    let mut cache = cache(&["a", "b"]);
    cache.mark_as_deleting("a", None, Timestamp(0)).unwrap();
    cache.add_as_creating(zone("c"), Timestamp(1)).unwrap();
    let bytes = serde_json::to_vec(&cache.record()).unwrap();
    let record = serde_json::from_slice(&bytes).unwrap();
    let mut loaded =
        ResourceCache::<Zone>::restore(Config::default(), record, Timestamp(1)).unwrap();
    cache.handle_timeout(Timestamp(1)).unwrap();
    for cache in [&mut cache, &mut loaded] {
        cache.merge(list(&["a", "b", "c"]), Timestamp(2)).unwrap();
        assert_eq!(shown(cache), ["b", "c"]);
    }
    assert_eq!(cache.record(), loaded.record());
}
