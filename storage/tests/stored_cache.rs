//! What a collection in a store commits, sends, and catches up with.

mod support;

use std::sync::Arc;

use resourcecache::{Config, Event, Kind, Snapshot, Timestamp};
use resourcecache_storage::{Error, MemoryStore, Store, StoreErrorKind, StoredCache};
use resourcecache_testing::Toy;

use support::Counting;

fn open(store: Arc<dyn Store>) -> StoredCache<Toy> {
    StoredCache::open(store, "zones", Config::default(), Timestamp(0)).unwrap()
}

fn list(count: u32) -> Event<Toy> {
    let items = (0..count).map(|id| Toy::new(format!("z{id}"), [0, 0, 0]));
    Event::Merge(Snapshot::complete(items.collect()))
}

/// One that polls writes nothing; the time goes with the next event.
#[test]
fn time_alone_is_not_committed() {
    let store = Counting::new(Arc::new(MemoryStore::new()));
    let mut zones = open(store.clone());
    zones.apply(list(2), Timestamp(1)).unwrap();
    store.take();
    for now in 2..50 {
        zones.apply(Event::HandleTimeout, Timestamp(now)).unwrap();
        let polled = zones.poll_attempt(Timestamp(now)).unwrap();
        assert_eq!(polled.value.0, None);
    }
    assert_eq!(store.take(), (0, 0, 0));
    zones
        .update(|zones| zones.mark_as_deleting("z0", None, Timestamp(50)))
        .unwrap();
    assert_eq!(store.take(), (0, 1, 0));
    assert_eq!(open(store).cache().record(), zones.cache().record());
}

/// Once, and then it is one of those that follow.
#[test]
fn a_sender_whose_lease_has_passed_on_is_told_so() {
    let store = Arc::new(MemoryStore::new());
    let (mut here, mut there) = (open(store.clone()), open(store));
    here.apply(list(1), Timestamp(1)).unwrap();
    let begin = Event::Begin {
        id: "z0".into(),
        kind: Kind::Delete,
        patch: None,
        min_ttl_ms: None,
    };
    let queue = Event::Queue {
        begin: Box::new(begin),
        send_after_ms: 0,
    };
    here.apply(queue, Timestamp(2)).unwrap();
    assert!(here.lead("here", 1).unwrap());
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(there.lead("there", 60_000).unwrap());
    let refused = here.poll_attempt(Timestamp(3)).unwrap_err();
    assert!(matches!(refused, Error::Store(error) if error.kind == StoreErrorKind::Fenced));
    assert_eq!(here.poll_attempt(Timestamp(3)).unwrap().value.0, None);
    there.sync().unwrap();
    let polled = there.poll_attempt(Timestamp(3)).unwrap();
    assert!(polled.value.0.is_some());
}

/// Further than anyone remembers what changed, or behind a deletion: all is read anew.
#[test]
fn one_that_is_far_behind_is_brought_to_what_is_there() {
    let store = Arc::new(MemoryStore::new());
    let (mut here, mut there) = (open(store.clone()), open(store.clone()));
    there.apply(list(3), Timestamp(1)).unwrap();
    here.sync().unwrap();
    for turn in 0..1_100 {
        there.apply(list(3 - turn % 2), Timestamp(2)).unwrap();
    }
    let seen = here.cache().revision();
    let changes = here.sync().unwrap();
    assert_eq!(changes.removed.len(), 1);
    assert_eq!(here.cache().record(), there.cache().record());
    assert_eq!(here.cache().changes_since(seen).unwrap().removed.len(), 1);

    store.delete("zones", None).unwrap();
    let mut anew = open(store);
    anew.apply(list(1), Timestamp(3)).unwrap();
    for zones in [&mut here, &mut there] {
        zones.sync().unwrap();
        assert_eq!(zones.revision(), anew.revision());
        assert_eq!(zones.cache().record(), anew.cache().record());
    }
}
