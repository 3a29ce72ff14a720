//! How many parts a merge writes: those that changed, whatever the length of the list.

mod support;

use std::sync::Arc;

use resourcecache::{Config, Event, SavedKey, Snapshot, Timestamp};
use resourcecache_storage::{Commit, MemoryStore, StoredCache};
use resourcecache_testing::Toy;

use support::Counting;

/// Bodies, places, other parts, and those removed, of a commit.
fn counts(commit: &Commit) -> [usize; 4] {
    let mut counts = [0; 4];
    for (key, bytes) in &commit.parts {
        let which = match (key, bytes) {
            (_, None) => 3,
            (SavedKey::Body(_), _) => 0,
            (SavedKey::Place(_), _) => 1,
            _ => 2,
        };
        counts[which] += 1;
    }
    counts
}

struct Merged {
    store: Arc<Counting>,
    cache: StoredCache<Toy>,
    items: Vec<Toy>,
    turn: i64,
}

impl Merged {
    fn new(count: usize) -> Self {
        let store = Counting::new(Arc::new(MemoryStore::new()));
        let opened = StoredCache::open(store.clone(), "a", Config::default(), Timestamp(0));
        let mut merged = Self {
            store,
            cache: opened.unwrap(),
            items: (0..count)
                .map(|n| Toy::new(format!("z{n}"), [0, 0, 0]))
                .collect(),
            turn: 0,
        };
        assert_eq!(merged.merge(), [count, count, 1, 0], "all, and the head");
        merged
    }

    /// Bodies, places, other parts, and removed ones that the merge of the list wrote.
    fn merge(&mut self) -> [usize; 4] {
        self.turn += 1;
        let list = Snapshot::complete(self.items.clone());
        self.cache
            .apply(Event::Merge(list), Timestamp(self.turn))
            .unwrap();
        let again = StoredCache::<Toy>::open(
            self.store.clone(),
            "a",
            Config::default(),
            Timestamp(self.turn),
        );
        let listed: Vec<Toy> = again
            .unwrap()
            .cache()
            .visible()
            .map(|i| i.body().clone())
            .collect();
        assert_eq!(listed, self.items, "it is read as it was listed");
        counts(self.store.last.lock().unwrap().as_ref().unwrap())
    }
}

#[test]
fn a_merge_writes_the_hundredth_that_changed_and_the_places_that_moved() {
    for count in [1_000, 20_000] {
        let one_percent = count / 100;
        let mut merged = Merged::new(count);
        assert_eq!(
            merged.merge(),
            [0, 0, 1, 0],
            "the same list: the head, alone"
        );

        for at in (0..count).step_by(100) {
            merged.items[at] = Toy::new(format!("z{at}"), [1, 0, 0]);
        }
        assert_eq!(
            merged.merge(),
            [one_percent, 0, 1, 0],
            "changed in place, of {count}"
        );

        // Each hundredth goes to the place of the next one.
        for at in (50..count - 100).step_by(100) {
            let moved = merged.items.remove(at);
            merged.items.insert(at + 70, moved);
        }
        let moves = (50..count - 100).step_by(100).count();
        assert_eq!(merged.merge(), [0, moves, 1, 0], "moved, of {count}");

        for at in 0..one_percent {
            merged
                .items
                .insert(at * 101, Toy::new(format!("new{at}"), [0, 0, 0]));
        }
        let new = [one_percent, one_percent, 1, 0];
        assert_eq!(merged.merge(), new, "inserted, of {count}");

        let mut at = 0;
        merged.items.retain(|_| {
            at += 1;
            at % 101 != 0
        });
        let gone = count + one_percent - merged.items.len();
        let counts = merged.merge();
        assert_eq!(counts[0] + counts[1], 0, "removed, of {count}: {counts:?}");
        assert_eq!(
            counts[3],
            2 * gone,
            "body and place, of {count}: {counts:?}"
        );
        println!(
            "merge of {count}: {one_percent} changed, {moves} moved, {gone} removed; {counts:?}"
        );
    }
}
