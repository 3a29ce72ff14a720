//! Collections in a store: committed by every call, shared, refused without harm.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use resourcecache_ffi::{
    Begin, CacheError, Config, HostError, HostStore, JsonCache, ManualClock, Step, Store,
    StoredCollection, StoredPart,
};

const LIST: &[u8] = br#"[{"id":"a","n":1},{"id":"b","n":2},{"id":"c","n":3}]"#;

fn sqlite(path: &Path) -> Arc<Store> {
    Store::open(format!("sqlite:{}", path.display())).expect("a file can be made here")
}

fn open(store: &Arc<Store>, clock: &Arc<ManualClock>) -> Arc<JsonCache> {
    let config = Config {
        seed: Some(7),
        ..Config::default()
    };
    JsonCache::open(
        Arc::clone(store),
        "zones".into(),
        Some(config),
        None,
        Some(Arc::clone(clock)),
    )
    .expect("it can be read")
}

fn ids(cache: &JsonCache) -> Vec<String> {
    let rows = cache.visible().expect("whole");
    let rows = rows.split('\u{1e}').skip(1);
    let id = |row: &str| {
        let row: serde_json::Value = serde_json::from_str(row).expect("JSON");
        row["id"].as_str().expect("an id").to_string()
    };
    rows.map(id).collect()
}

fn problem_kind(error: &CacheError) -> (&str, bool) {
    match error {
        CacheError::Store {
            kind, retryable, ..
        } => (kind, *retryable),
        other => panic!("{other:?} is not of the store"),
    }
}

#[test]
fn every_call_is_there_after_the_file_is_opened_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("zones.sqlite");
    let clock = ManualClock::new(1_000);
    let before = {
        let cache = open(&sqlite(&path), &clock);
        cache.merge(LIST, None, None).expect("a list");
        cache
            .mark_as_deleting("a".into(), None)
            .expect("it is there");
        let update = Step {
            begin: Begin::Update {
                id: "b".into(),
                patch: r#"{"n":20}"#.into(),
            },
            min_ttl_ms: None,
            send_after_ms: None,
        };
        cache.queue(update, 0).expect("it is there");
        let sent = cache.poll_attempt().expect("one is due").attempt;
        assert!(sent.is_some());
        cache.save().expect("whole")
    };
    let cache = open(&sqlite(&path), &clock);
    assert_eq!(cache.save().expect("whole"), before);
    assert_eq!(ids(&cache), ["b", "c"]);
    assert_eq!(cache.key().expect("whole").as_deref(), Some("zones"));
    let keys = sqlite(&path).keys(None, 10).expect("it can be read");
    assert_eq!(keys, ["zones"]);
    clock.set_ms(1_000_000_000);
    let later = open(&sqlite(&path), &clock);
    let outcomes = later.outcomes().expect("whole");
    assert!(
        outcomes.contains("stale"),
        "what is due is done when it is opened: {outcomes}"
    );
}

#[test]
fn what_others_committed_comes_first_and_is_part_of_the_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("zones.sqlite");
    let clock = ManualClock::new(0);
    let (here, there) = (open(&sqlite(&path), &clock), open(&sqlite(&path), &clock));
    here.merge(LIST, None, None).expect("a list");
    let caught_up = there.sync().expect("it can be read");
    assert_eq!((caught_up.upserted, ids(&there).len()), (3, 3));
    here.mark_as_deleting("a".into(), None)
        .expect("it is there");
    here.update_in_place("b".into(), br#"{"n":9}"#)
        .expect("it is there");
    let both = there
        .mark_as_deleting("c".into(), None)
        .expect("it is there");
    assert_eq!((both.upserted, both.removed), (1, 2), "{both:?}");
    assert!(both.text.contains(r#""n":9"#), "{both:?}");
    assert_eq!(both.revision, there.revision().expect("whole"));
    here.sync().expect("it can be read");
    assert_eq!(here.save(), there.save());
    let watch = there
        .watch()
        .expect("a file")
        .expect("SQLite can be watched");
    assert_eq!(watch.wait(0), Ok(false));
    here.revert("c".into()).expect("it is there");
    assert_eq!(watch.wait(10_000), Ok(true));
}

#[test]
fn what_a_refused_call_caught_up_with_is_told_by_the_next() {
    let store = Store::open("memory:".into()).expect("always");
    let clock = ManualClock::new(0);
    let (here, there) = (open(&store, &clock), open(&store, &clock));
    here.merge(LIST, None, None).expect("a list");
    there.sync().expect("it can be read");
    here.mark_as_deleting("a".into(), None)
        .expect("it is there");
    let refused = there.mark_as_updating("a".into(), b"{}", None);
    assert!(
        matches!(refused, Err(CacheError::Transition { .. })),
        "{refused:?}"
    );
    let told = there
        .mark_as_deleting("b".into(), None)
        .expect("it is there");
    assert_eq!((told.upserted, told.removed), (0, 2), "{told:?}");
    let nothing = there.sync().expect("it can be read");
    assert_eq!(
        (nothing.upserted, nothing.removed),
        (0, 0),
        "once is enough"
    );
}

#[test]
fn one_of_several_sends() {
    let store = Store::open("memory:".into()).expect("always");
    let clock = ManualClock::new(0);
    let (here, there) = (open(&store, &clock), open(&store, &clock));
    assert_eq!(here.lead("here".into(), 60_000), Ok(true));
    assert_eq!(there.lead("there".into(), 60_000), Ok(false));
    here.merge(LIST, None, None).expect("a list");
    let delete = Step {
        begin: Begin::Delete { id: "a".into() },
        min_ttl_ms: None,
        send_after_ms: None,
    };
    there.queue(delete, 0).expect("it is there");
    assert_eq!(there.poll_attempt().expect("asked").attempt, None);
    here.sync().expect("it can be read");
    let sent = here
        .poll_attempt()
        .expect("asked")
        .attempt
        .expect("one is due");
    assert_eq!(sent.id, "a");
    here.step_down("here".into()).expect("it is told");
    assert_eq!(there.lead("there".into(), 60_000), Ok(true));
}

#[test]
fn a_closed_store_refuses_and_a_reopened_one_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    for store in [
        sqlite(&folder.path().join("zones.sqlite")),
        Store::open("memory:".into()).expect("always"),
    ] {
        let cache = open(&store, &ManualClock::new(0));
        cache.merge(LIST, None, None).expect("a list");
        store.disconnect().expect("it is open");
        let refused = cache.mark_as_deleting("a".into(), None);
        assert_eq!(
            problem_kind(&refused.expect_err("closed")),
            ("closed", false)
        );
        assert_eq!(
            ids(&cache),
            ["a", "b", "c"],
            "what is in memory can be read"
        );
        store.reconnect().expect("it is still there");
        cache
            .mark_as_deleting("a".into(), None)
            .expect("it is there");
        assert_eq!(store.delete("zones".into()), Ok(true));
        cache.sync().expect("it can be read");
        assert_eq!(ids(&cache), Vec::<String>::new());
    }
}

#[test]
fn a_collection_in_memory_alone_says_what_it_lacks() {
    let cache = JsonCache::new(None, None, None).expect("the defaults");
    let refused = cache.sync().expect_err("there is no store");
    assert!(refused.to_string().contains("in memory alone"), "{refused}");
    assert_eq!(cache.key(), Ok(None));
}

#[test]
fn addresses_that_name_no_store_are_refused_without_their_password() {
    for (address, told) in [
        ("", "write sqlite:PATH"),
        ("zones.sqlite", "write sqlite:PATH"),
        ("sqlite:", "names no file"),
        ("sqlite::memory:", "write memory:"),
        ("sqlite://zones.sqlite", "names a host"),
        ("memory:zones", "it has no name"),
        ("mysql://root:secret@host/", "mysql://...@host/"),
    ] {
        let Err(refused) = Store::open(address.into()) else {
            panic!("{address:?} was opened");
        };
        let text = refused.to_string();
        assert!(text.contains(told) && !text.contains("secret"), "{text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "not a database").expect("it can be written");
    let refused = Store::open(format!("sqlite:{}", path.display())).err();
    assert_eq!(problem_kind(&refused.expect("foreign")), ("foreign", false));
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_library_without_redis_says_so() {
    let refused = Store::open("redis://:secret@127.0.0.1/".into()).err();
    let text = refused.expect("it has none").to_string();
    assert!(
        text.contains("built without Redis") && !text.contains("secret"),
        "{text}"
    );
}

type Parts = BTreeMap<String, Vec<u8>>;

/// A store of the host's, as one writes it.
#[derive(Default)]
struct Shelf {
    kept: Mutex<BTreeMap<String, (String, Parts)>>,
    fails: AtomicBool,
}

impl HostStore for Shelf {
    fn load(&self, key: String) -> Result<Option<StoredCollection>, HostError> {
        let kept = self.kept.lock().expect("whole");
        Ok(kept.get(&key).map(|(revision, parts)| StoredCollection {
            revision: revision.clone(),
            parts: parts
                .iter()
                .map(|(name, bytes)| StoredPart {
                    name: name.clone(),
                    bytes: Some(bytes.clone()),
                })
                .collect(),
        }))
    }

    fn revision(&self, key: String) -> Result<Option<String>, HostError> {
        let kept = self.kept.lock().expect("whole");
        Ok(kept.get(&key).map(|(revision, _)| revision.clone()))
    }

    fn commit(
        &self,
        key: String,
        expected: Option<String>,
        revision: String,
        parts: Vec<StoredPart>,
    ) -> Result<bool, HostError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(HostError::Failed {
                problem: "the disk is full".into(),
            });
        }
        let mut kept = self.kept.lock().expect("whole");
        if kept.get(&key).map(|(revision, _)| revision) != expected.as_ref() {
            return Ok(false);
        }
        let collection = kept.entry(key).or_default();
        collection.0 = revision;
        for StoredPart { name, bytes } in parts {
            match bytes {
                Some(bytes) => drop(collection.1.insert(name, bytes)),
                None => drop(collection.1.remove(&name)),
            }
        }
        Ok(true)
    }

    fn keys(&self) -> Result<Vec<String>, HostError> {
        Ok(self.kept.lock().expect("whole").keys().cloned().collect())
    }

    fn delete(&self, key: String) -> Result<bool, HostError> {
        Ok(self.kept.lock().expect("whole").remove(&key).is_some())
    }
}

#[test]
fn a_store_of_the_host_keeps_shares_and_fails_without_harm() {
    let shelf = Arc::new(Shelf::default());
    let store = Store::hosted(shelf.clone());
    let clock = ManualClock::new(0);
    let (here, there) = (open(&store, &clock), open(&store, &clock));
    here.merge(LIST, None, None).expect("a list");
    let both = there
        .mark_as_deleting("b".into(), None)
        .expect("it is there");
    assert_eq!(
        (both.upserted, ids(&there)),
        (2, vec!["a".into(), "c".into()])
    );
    here.sync().expect("it can be read");
    assert_eq!(open(&store, &clock).save(), here.save());
    assert_eq!(here.save(), there.save());

    shelf.fails.store(true, Ordering::SeqCst);
    let before = here.save();
    let refused = here.mark_as_deleting("a".into(), None).expect_err("full");
    assert_eq!(problem_kind(&refused), ("other", false));
    assert!(
        refused.to_string().contains("the disk is full"),
        "{refused}"
    );
    assert_eq!(here.save(), before);
    shelf.fails.store(false, Ordering::SeqCst);
    here.mark_as_deleting("a".into(), None)
        .expect("it is there");

    assert_eq!(
        problem_kind(&here.lead("x".into(), 1).expect_err("none")),
        ("other", false)
    );
    assert_eq!(store.keys(Some("y".into()), 10), Ok(vec!["zones".into()]));
    assert_eq!(store.delete("zones".into()), Ok(true));
    there.sync().expect("it can be read");
    assert_eq!(ids(&there), Vec::<String>::new());
}
