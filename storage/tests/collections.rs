//! Many collections behind one store: what memory holds of them.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Kind, Timestamp};
use resourcecache_storage::{
    Collections, Error, Limits, MemoryStore, SqliteStore, Store, StoreError, StoreErrorKind,
};
use support::Counting;

type Projects = Collections<JsonResource>;

fn list(ids: std::ops::Range<usize>) -> Event<JsonResource> {
    let pad = "x".repeat(200);
    let items: Vec<String> = ids
        .map(|id| format!("{{\"id\":\"z{id}\",\"pad\":\"{pad}\"}}"))
        .collect();
    let list = format!("[{}]", items.join(","));
    Event::Merge(Schema::default().snapshot(list.as_bytes()).unwrap())
}

fn create(id: &str) -> Event<JsonResource> {
    let body = format!("{{\"id\":\"{id}\"}}");
    Event::Create {
        resource: Schema::default().resource(body.as_bytes()).unwrap(),
        min_ttl_ms: None,
    }
}

fn merge(projects: &Projects, key: &str, count: usize, now: i64) {
    let now = Timestamp(now);
    let merged = projects.with(key, now, |zones| zones.apply(list(0..count), now));
    merged.unwrap();
}

fn visible(projects: &Projects, key: &str, now: i64) -> usize {
    let visible = |zones: &mut resourcecache_storage::StoredCache<JsonResource>| {
        Ok(zones.cache().visible().count())
    };
    projects.with(key, Timestamp(now), visible).unwrap()
}

fn over(store: Arc<dyn Store>, change: impl FnOnce(&mut Limits)) -> (Projects, Arc<Counting>) {
    let store = Counting::new(store);
    let mut limits = Limits::default();
    change(&mut limits);
    let projects = Collections::new(store.clone(), Config::default(), limits);
    (projects, store)
}

/// Thousands of projects: each is read once when it is used, an idle one never, and memory stays
/// within its limit.
fn thousands(store: Arc<dyn Store>) {
    const PROJECTS: usize = 3_000;
    const EACH: usize = 10;
    let (projects, store) = over(store, |limits| limits.bytes = 4 << 20);
    let key = |n: usize| format!("dns-zones:project-{n}");
    for n in 0..PROJECTS {
        merge(&projects, &key(n), EACH, n as i64);
        assert!(projects.bytes() <= 4 << 20, "{}", projects.bytes());
    }
    assert_eq!(
        store.take(),
        (PROJECTS, PROJECTS, 0),
        "one read and one commit each"
    );
    let held = projects.len();
    assert!(held > 100 && held < PROJECTS / 2, "{held}");
    assert_eq!(projects.resources(), held * EACH);
    // Those that were used last are held: they are not read again.
    for n in PROJECTS - held..PROJECTS {
        assert_eq!(visible(&projects, &key(n), 3_000), EACH);
    }
    assert_eq!(store.take(), (0, 0, 0), "what memory holds is not read");
    // A portal on which a few are looked at: the others cost nothing.
    for round in 0..20 {
        for n in 0..50 {
            assert_eq!(visible(&projects, &key(n), 4_000 + round), EACH);
        }
    }
    assert_eq!(store.take(), (50, 0, 0));
    let fresh =
        Collections::<JsonResource>::new(store.clone(), Config::default(), Limits::default());
    assert_eq!((fresh.len(), fresh.bytes()), (0, 0));
    assert_eq!(store.take(), (0, 0, 0), "opening reads nothing");
    println!(
        "collections: {PROJECTS} of {EACH} resources each, {held} held in {} bytes",
        projects.bytes()
    );
}

#[test]
fn thousands_of_projects_in_memory() {
    thousands(Arc::new(MemoryStore::new()));
}

#[test]
fn thousands_of_projects_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = resourcecache_storage::SqliteOptions::default();
    options.synchronous = resourcecache_storage::Synchronous::Normal;
    let store = SqliteStore::open_with(folder.path().join("a.sqlite"), options);
    thousands(Arc::new(store.unwrap()));
}

#[test]
fn the_one_that_was_not_used_for_the_longest_time_goes_first() {
    let (projects, store) = over(Arc::new(MemoryStore::new()), |l| l.collections = 3);
    for (now, key) in ["a", "b", "c", "a", "d"].into_iter().enumerate() {
        merge(&projects, key, 2, now as i64);
    }
    let held = ["a", "b", "c", "d"].map(|key| projects.holds(key));
    assert_eq!(held, [true, false, true, true]);
    store.take();
    assert_eq!(visible(&projects, "b", 9), 2);
    assert_eq!(store.take().0, 1);
    assert_eq!(
        ["a", "b", "c", "d"].map(|k| projects.holds(k)),
        [true, true, false, true]
    );
}

/// It may have missed that a row went, which nobody remembers.
#[test]
fn a_reader_of_one_that_was_dropped_takes_the_whole_view() {
    let (projects, _) = over(Arc::new(MemoryStore::new()), |_| {});
    let read = |since| {
        let told = projects.with("a", Timestamp(3), |zones| {
            let cache = zones.cache();
            Ok((cache.revision(), cache.changes_since(since)))
        });
        told.unwrap()
    };
    merge(&projects, "a", 3, 1);
    let (early, _) = read(resourcecache::Revision(0));
    merge(&projects, "a", 2, 2);
    let (late, told) = read(early);
    assert_eq!(told.map(|changes| changes.removed.len()), Some(1));
    assert_eq!(projects.evict(Timestamp(i64::MAX)), 1);
    assert_eq!(read(early), (late, None));
    let nothing = resourcecache::Changes {
        revision: late,
        ..Default::default()
    };
    assert_eq!(read(late), (late, Some(nothing)));
}

#[test]
fn resources_are_counted_through_changes_and_a_large_one_is_held_while_it_is_used() {
    let (projects, store) = over(Arc::new(MemoryStore::new()), |l| l.resources = 100);
    merge(&projects, "a", 60, 0);
    merge(&projects, "b", 40, 1);
    assert_eq!((projects.len(), projects.resources()), (2, 100));
    merge(&projects, "a", 30, 2);
    assert_eq!((projects.len(), projects.resources()), (2, 70));
    merge(&projects, "b", 71, 3);
    assert_eq!((projects.len(), projects.resources()), (1, 71), "a went");
    merge(&projects, "c", 500, 4);
    assert_eq!(
        (projects.len(), projects.resources()),
        (1, 500),
        "the last is held"
    );
    store.take();
    assert_eq!(visible(&projects, "c", 5), 500);
    assert_eq!(store.take(), (0, 0, 0));
    merge(&projects, "a", 1, 6);
    assert_eq!((projects.len(), projects.resources()), (1, 1));
}

/// Bytes follow the change in both directions, and lists that are merged again and again do not seem
/// to grow.
#[test]
fn bytes_follow_what_is_held() {
    let (projects, _) = over(Arc::new(MemoryStore::new()), |_| {});
    merge(&projects, "a", 1_000, 0);
    let large = projects.bytes();
    assert!((200_000..800_000).contains(&large), "{large}");
    for round in 1..50_i64 {
        let now = Timestamp(round);
        let edit = projects.with("a", now, |zones| {
            let id = format!("z{round}");
            zones.update(|z| {
                z.apply(
                    Event::Begin {
                        id: id.as_str().into(),
                        kind: Kind::Delete,
                        patch: None,
                        min_ttl_ms: None,
                    },
                    now,
                )
            })
        });
        edit.unwrap();
        merge(&projects, "a", 1_000 - (round % 2) as usize, round);
    }
    let after = projects.bytes();
    assert!(after < large * 2, "{after} after {large}");
    merge(&projects, "a", 1, 100_000_000);
    merge(&projects, "a", 1, 200_000_000);
    assert!(projects.bytes() < large, "{}", projects.bytes());
}

#[test]
fn what_nobody_uses_goes_by_its_age_and_a_clock_that_steps_back_makes_none_older() {
    let (projects, _) = over(Arc::new(MemoryStore::new()), |l| l.age_ms = 1_000);
    merge(&projects, "a", 1, 0);
    merge(&projects, "b", 1, 500);
    assert_eq!(projects.evict(Timestamp(999)), 0);
    assert_eq!(projects.evict(Timestamp(1_000)), 1);
    assert!(projects.holds("b"));
    assert_eq!(visible(&projects, "b", 1_400), 1);
    assert_eq!(projects.evict(Timestamp(0)), 0, "a step back is no time");
    assert_eq!(projects.evict(Timestamp(2_399)), 0);
    assert_eq!(visible(&projects, "a", 2_400), 1);
    assert!(!projects.holds("b"), "using another looks at the age, too");
    assert_eq!(projects.evict(Timestamp(i64::MAX)), 1);
    assert!(projects.is_empty());
    assert_eq!((projects.bytes(), projects.resources()), (0, 0));
}

#[test]
fn what_waits_to_be_sent_or_answered_is_not_dropped() {
    let (projects, store) = over(Arc::new(MemoryStore::new()), |limits| {
        limits.collections = 1;
        limits.age_ms = 10;
    });
    let now = Timestamp(0);
    let queue = |zones: &mut resourcecache_storage::StoredCache<JsonResource>| {
        zones.update(|z| z.queue(create("new"), 0, now))
    };
    projects.with("busy", now, queue).unwrap();
    for n in 0..20 {
        merge(&projects, &format!("idle-{n}"), 1, 100 * n);
    }
    assert_eq!(projects.evict(Timestamp(1 << 40)), 1);
    assert!(projects.holds("busy"), "it waits to be sent");
    assert_eq!(projects.unsent(), ["busy"]);
    let now = Timestamp(1 << 40);
    let attempt = projects
        .with("busy", now, |zones| Ok(zones.poll_attempt(now)?.value.0))
        .unwrap()
        .expect("it is to be sent");
    assert_eq!(projects.evict(Timestamp(1 << 41)), 0);
    assert!(projects.holds("busy"), "it waits for its answer");
    store.take();
    let acknowledge = Event::Acknowledge {
        operation: attempt.operation,
        answer: None,
    };
    let now = Timestamp(1 << 40);
    projects
        .with("busy", now, |zones| zones.apply(acknowledge, now))
        .unwrap();
    assert_eq!(store.take().0, 0, "it was in memory all the time");
    assert_eq!(projects.unsent(), [""; 0]);
    assert_eq!(projects.evict(Timestamp(1 << 42)), 1);
    assert!(projects.is_empty());
}

#[test]
fn deadlines_of_what_memory_holds_are_known_and_the_others_are_kept_when_they_are_read() {
    let (projects, _) = over(Arc::new(MemoryStore::new()), |l| l.collections = 2);
    for (key, now) in [("a", 0), ("b", 1_000)] {
        merge(&projects, key, 2, now);
        let begin = Event::Begin {
            id: "z1".into(),
            kind: Kind::Update,
            patch: None,
            min_ttl_ms: None,
        };
        let now = Timestamp(now);
        projects
            .with(key, now, |zones| zones.apply(begin, now))
            .unwrap();
    }
    let first = projects.poll_timeout().expect("a deadline");
    assert_eq!(projects.due(Timestamp(first.0 - 1)), [""; 0]);
    assert_eq!(projects.due(first), ["a"]);
    assert_eq!(projects.due(Timestamp(first.0 + 1_000)), ["a", "b"]);
    merge(&projects, "c", 2, 2_000);
    assert!(!projects.holds("a"));
    assert_eq!(projects.poll_timeout(), Some(Timestamp(first.0 + 1_000)));
    // Read late, it does what was due: the update was given up.
    let late = Timestamp(first.0 + 3_600_000);
    let outcomes = projects
        .with("a", late, |zones| Ok(zones.cache().outcomes().count()))
        .unwrap();
    assert_eq!(outcomes, 1);
}

/// Where instances share an outbox, one that was dropped and read again does not send by itself.
#[test]
fn an_outbox_that_is_shared_stays_so() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let (projects, _) = over(store.clone(), |l| l.collections = 1);
    let now = Timestamp(0);
    projects
        .with("a", now, |zones| zones.lead("here", 60_000))
        .unwrap();
    merge(&projects, "other", 1, 0);
    assert!(!projects.holds("a"));
    let queue = |zones: &mut resourcecache_storage::StoredCache<JsonResource>| {
        zones.update(|z| z.queue(create("new"), 0, now))
    };
    projects.with("a", now, queue).unwrap();
    let send = |zones: &mut resourcecache_storage::StoredCache<JsonResource>| {
        Ok(zones.poll_attempt(now)?.value.0.is_some())
    };
    assert!(!projects.with("a", now, send).unwrap(), "it does not lead");
    projects
        .with("a", now, |zones| zones.lead("here", 60_000))
        .unwrap();
    assert!(projects.with("a", now, send).unwrap());
}

/// Answers nothing for some keys.
#[test]
fn one_that_cannot_be_read_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path().join("a.sqlite")).unwrap());
    let (projects, _) = over(store.clone(), |_| {});
    merge(&projects, "a", 3, 0);
    store.close().unwrap();
    let error = projects
        .with("b", Timestamp(0), |_| Ok(()))
        .expect_err("the store is closed");
    assert!(
        matches!(&error, Error::Store(e) if e.kind == StoreErrorKind::Closed),
        "{error}"
    );
    assert_eq!((projects.len(), projects.holds("b")), (1, false));
    assert_eq!(
        visible(&projects, "a", 0),
        3,
        "what memory holds can be read"
    );
    store.reopen().unwrap();
    assert_eq!(visible(&projects, "b", 0), 0);
}

#[test]
fn a_panic_in_the_middle_leaves_what_is_committed() {
    let (projects, _) = over(Arc::new(MemoryStore::new()), |_| {});
    merge(&projects, "a", 3, 0);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let now = Timestamp(1);
        projects.with("a", now, |zones| {
            zones.update(|z| {
                z.mark_as_deleting("z1", None, now)?;
                panic!("as the test asks");
                #[allow(unreachable_code)]
                Ok(())
            })
        })
    }));
    assert!(panic.is_err());
    assert_eq!(projects.len(), 0, "what it left there is not known");
    assert_eq!(visible(&projects, "a", 2), 3);
    merge(&projects, "a", 4, 3);
    assert_eq!(visible(&projects, "a", 4), 4);
}

/// Threads use the same and different collections, while memory holds few of them.
#[test]
fn threads_share_it() {
    const THREADS: usize = 4;
    const EACH: usize = 150;
    let (projects, _) = over(Arc::new(MemoryStore::new()), |l| l.collections = 2);
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (projects, done) = (&projects, &done);
            scope.spawn(move || {
                for n in 0..EACH {
                    let key = format!("k{}", (n * 7 + thread) % 5);
                    let id = format!("t{thread}-{n}");
                    let now = Timestamp(n as i64);
                    let added = projects.with(&key, now, |zones| {
                        // No other thread has it meanwhile.
                        let before = zones.revision().map_or(0, |r| r.number);
                        let added = zones.apply(create(&id), now)?;
                        assert_eq!(zones.revision().map(|r| r.number), Some(before + 1));
                        assert_eq!(added.caught_up.len(), 0);
                        Ok(())
                    });
                    added.unwrap();
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let total: usize = (0..5)
        .map(|n| {
            let key = format!("k{n}");
            let all = |zones: &mut resourcecache_storage::StoredCache<JsonResource>| {
                Ok(zones.cache().all().count())
            };
            projects.with(&key, Timestamp(200), all).unwrap()
        })
        .sum();
    assert_eq!(total, THREADS * EACH);
    assert_eq!(done.into_inner(), total);
    assert!(projects.len() <= 2);
}

/// What `act` answers is answered.
#[test]
fn errors_of_what_is_done_are_answered() {
    let (projects, _) = over(Arc::new(MemoryStore::new()), |_| {});
    let error = projects.with("a", Timestamp(0), |_| {
        let error = StoreError::new(StoreErrorKind::Other, None, "as the test asks");
        Err::<(), _>(error.into())
    });
    assert!(error.unwrap_err().to_string().contains("as the test asks"));
    assert!(projects.holds("a"), "it was read");
}
