//! Cases of several instances at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, SavedKey, Timestamp};

use super::{Case, Open, body, changes, commit, fresh, load};
use crate::error::{Error, StoreErrorKind};
use crate::store::{Since, Store};
use crate::stored_cache::StoredCache;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "of writers at once, each commit is there exactly once",
        test: writers,
    },
    Case {
        name: "readers see whole commits",
        test: whole,
    },
    Case {
        name: "who watches hears of commits by others",
        test: watched,
    },
    Case {
        name: "two caches that take turns are as one",
        test: turns,
    },
    Case {
        name: "caches at once lose no event, and do none twice",
        test: caches,
    },
];

fn writers(open: &Open<'_>) {
    const WRITERS: u64 = 6;
    const EACH: u64 = 40;
    let key = fresh("writers");
    let stores: Vec<Arc<dyn Store>> = (0..WRITERS).map(|_| open()).collect();
    std::thread::scope(|scope| {
        for (writer, store) in (0_u64..).zip(&stores) {
            let key = &key;
            scope.spawn(move || {
                for n in 0..EACH {
                    append(&**store, key, writer * EACH + n);
                }
            });
        }
    });
    let (revision, parts) = load(&*open(), &key).expect("it is there");
    assert_eq!(
        revision.number,
        WRITERS * EACH,
        "one revision for each commit"
    );
    assert_eq!(parts.len() as u64, WRITERS * EACH + 1, "none is lost");
    assert_eq!(
        counter(&parts),
        WRITERS * EACH,
        "each followed on the one before"
    );
}

/// The part that every writer reads and counts up.
const COUNTER: u64 = u64::MAX >> 1;

fn counter(parts: &[(SavedKey, Vec<u8>)]) -> u64 {
    let found = parts.iter().find(|(name, _)| *name == body(COUNTER));
    found.map_or(0, |(_, bytes)| {
        u64::from_le_bytes(bytes[..].try_into().expect("eight bytes"))
    })
}

/// Commits one part, and counts up; again after each conflict.
fn append(store: &dyn Store, key: &str, n: u64) {
    let mut tries = Tries(1_000);
    loop {
        let (expect, parts) = load(store, key).unzip();
        let count = (counter(&parts.unwrap_or_default()) + 1).to_le_bytes();
        let content = n.to_le_bytes();
        let parts = [(body(n), Some(&content[..])), (body(COUNTER), Some(&count))];
        match store.commit(key, &commit(expect, &parts)) {
            Ok(_) => return,
            Err(error) => tries.again(&error.into()),
        }
    }
}

/// How often something is tried: more often than others can come first.
struct Tries(u32);

impl Tries {
    fn again(&mut self, error: &Error) {
        assert!(error.is_retryable(), "{error}");
        assert!(self.0 > 0, "it is refused for ever: {error}");
        self.0 -= 1;
        if !error.is(StoreErrorKind::Conflict) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Tells the other threads of a case that one has ended, also by a panic.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn whole(open: &Open<'_>) {
    let (store, key, done) = (open(), fresh("whole"), AtomicBool::new(false));
    let reads = AtomicUsize::new(0);
    let first = store.commit(&key, &commit(None, &[])).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (reader, key, done, reads) = (open(), &key, &done, &reads);
            scope.spawn(move || {
                let _ends = Ends(done);
                while !done.load(Ordering::Relaxed) {
                    let (revision, parts) = load(&*reader, key).expect("it is there");
                    let n = revision.number.to_le_bytes().to_vec();
                    let expected = if revision == first { 0 } else { 2 };
                    assert_eq!(parts.len(), expected);
                    assert!(
                        parts.iter().all(|(_, bytes)| *bytes == n),
                        "{parts:?} at {revision}"
                    );
                    if let (Since::Changes(now), parts) = changes(&*reader, key, first) {
                        let n = Some(now.number.to_le_bytes().to_vec());
                        assert!(
                            parts.iter().all(|(_, bytes)| *bytes == n),
                            "{parts:?} at {now}"
                        );
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _ends = Ends(&done);
        let mut last = first;
        for written in 0..100 {
            // However fast it is, some are read in between.
            while reads.load(Ordering::Relaxed) < written / 4 && !done.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            let n = last.next().number.to_le_bytes();
            let parts = [(body(1), Some(&n[..])), (body(2), Some(&n))];
            last = store
                .commit(&key, &commit(Some(last), &parts))
                .expect("one writer");
        }
    });
}

fn watched(open: &Open<'_>) {
    let (store, other, key) = (open(), open(), fresh("watched"));
    let first = store.commit(&key, &commit(None, &[])).unwrap();
    let Some(mut watch) = other.watch(&key).expect("watching") else {
        return; // this engine cannot
    };
    assert!(
        !watch.wait(Duration::from_millis(20)).unwrap(),
        "nothing has happened"
    );
    let second = store.commit(&key, &commit(Some(first), &[])).unwrap();
    assert!(
        watch.wait(Duration::from_secs(10)).unwrap(),
        "another instance has committed"
    );
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            store.commit(&key, &commit(Some(second), &[])).unwrap();
        });
        assert!(
            watch.wait(Duration::from_secs(10)).unwrap(),
            "while it waits"
        );
    });
    let mut waits = (0..10).map(|_| watch.wait(Duration::from_millis(50)).unwrap());
    assert!(
        waits.any(|heard| !heard),
        "it goes on to tell of what was told"
    );
}

type Cache = StoredCache<JsonResource>;

fn cache(open: &Open<'_>, key: &str) -> Cache {
    StoredCache::open(open(), key, Config::default(), Timestamp(0)).expect("opening")
}

fn list(ids: impl Iterator<Item = u64>) -> Event<JsonResource> {
    let items: Vec<String> = ids.map(|id| format!("{{\"id\":\"z{id}\"}}")).collect();
    let list = format!("[{}]", items.join(","));
    Event::Merge(Schema::default().snapshot(list.as_bytes()).expect("a list"))
}

fn turns(open: &Open<'_>) {
    let key = fresh("turns");
    let (mut one, mut two) = (cache(open, &key), cache(open, &key));
    let mut alone = resourcecache::JsonCache::new(Config::default());
    for n in 0..30_u64 {
        let now = Timestamp(n as i64 * 1_000);
        let event = match n % 5 {
            0 => list(n..n + 20),
            4 => list((n..n + 20).rev()),
            3 => Event::Revert {
                id: format!("z{}", n + 2).into(),
            },
            _ => Event::Begin {
                id: format!("z{}", n + 3).into(),
                kind: resourcecache::Kind::Delete,
                patch: None,
                min_ttl_ms: None,
            },
        };
        let expected = alone.apply(event.clone(), now).expect("it is accepted");
        let turn = if n % 2 == 0 { &mut one } else { &mut two };
        let got = turn.apply(event, now).expect("it is committed");
        assert_eq!(got.value, expected, "event {n}");
        assert_eq!(turn.cache().record(), alone.record(), "event {n}");
        assert_eq!(
            cache(open, &key).cache().record(),
            alone.record(),
            "loaded anew, event {n}"
        );
    }
    two.sync().expect("reading");
    one.sync().expect("reading");
    assert_eq!(one.cache().record(), two.cache().record());
}

fn caches(open: &Open<'_>) {
    const CACHES: u64 = 4;
    const EACH: u64 = 25;
    let key = fresh("caches");
    cache(open, &key)
        .apply(list(0..CACHES * EACH), Timestamp(0))
        .expect("it is committed");
    std::thread::scope(|scope| {
        for n in 0..CACHES {
            let key = &key;
            scope.spawn(move || {
                let mut cache = cache(open, key);
                for id in n * EACH..(n + 1) * EACH {
                    let id = format!("z{id}");
                    let mut tries = Tries(20);
                    while let Err(error) =
                        cache.update(|c| c.mark_as_deleting(id.as_str(), None, Timestamp(1)))
                    {
                        tries.again(&error);
                    }
                }
            });
        }
    });
    let all = cache(open, &key);
    assert_eq!(all.cache().visible().count(), 0, "no deletion is lost");
    let next = all.cache().record();
    let next = serde_json::to_value(&next).expect("a record")["next_operation"].as_u64();
    assert_eq!(next, Some(CACHES * EACH + 1), "none was done twice");
    let commits = all.revision().map(|revision| revision.number);
    assert_eq!(commits, Some(1 + CACHES * EACH));
    let conflict = StoreErrorKind::Conflict;
    let late = open()
        .commit(&key, &commit(None, &[]))
        .expect_err("it is there");
    assert_eq!(late.kind, conflict);
}
