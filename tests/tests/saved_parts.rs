//! The saved form in parts: what is written after each event makes up the whole state, can be taken
//! back, and brings another instance to the same.

mod common;

use std::collections::BTreeMap;

use proptest::prelude::*;
use resourcecache::{
    Changes, Config, Coverage, Delta, Event, Kind, Loader, ResourceCache, Saved, SavedKey,
    Snapshot, Timestamp,
};
use resourcecache_testing::{Player, Toy, strategies};

type Cache = ResourceCache<Toy>;
type Part = (SavedKey, Option<Vec<u8>>);

/// What a store would keep.
#[derive(Default)]
struct Disk(BTreeMap<SavedKey, Vec<u8>>);

impl Disk {
    fn write(&mut self, delta: &Delta<Toy>) -> Vec<Part> {
        let encode = |part: &Saved<Toy>| part.encode().unwrap();
        let parts = delta.parts.iter();
        let parts: Vec<Part> = parts
            .map(|(k, p)| (k.clone(), p.as_ref().map(encode)))
            .collect();
        for (key, part) in &parts {
            let known = self.0.get(key);
            if matches!(key, SavedKey::Body(_) | SavedKey::Marks(_) | SavedKey::Head) {
                assert_ne!(known, part.as_ref(), "{key:?} is written in vain");
            }
            match part {
                Some(part) => drop(self.0.insert(key.clone(), part.clone())),
                None => assert!(self.0.remove(key).is_some(), "{key:?} was never there"),
            }
        }
        parts
    }

    fn load(&self, config: &Config) -> Cache {
        let mut loader = Loader::new();
        for (key, part) in &self.0 {
            loader
                .add(key.clone(), Saved::decode(key, part).unwrap())
                .unwrap();
        }
        loader.finish(config.clone()).unwrap()
    }
}

fn decoded(parts: &[Part]) -> Vec<(SavedKey, Option<Saved<Toy>>)> {
    let decode = |(key, part): &Part| {
        let part = part.as_ref().map(|part| Saved::decode(key, part).unwrap());
        (key.clone(), part)
    };
    parts.iter().map(decode).collect()
}

fn bytes(cache: &Cache) -> String {
    serde_json::to_string(&cache.record()).unwrap()
}

type View = Vec<(u64, String)>;

fn view(cache: &Cache) -> View {
    let shown = |i: resourcecache::Item<'_, Toy>| {
        (
            i.key().0,
            format!("{} {:?} {:?}", i.id(), i.body(), i.meta()),
        )
    };
    cache.visible().map(shown).collect()
}

/// The old view with the changes applied, as a reader does it.
fn follow(mut view: View, changes: &Changes, cache: &Cache) -> View {
    view.retain(|row| {
        let removed = changes.removed.iter().any(|r| r.key.0 == row.0);
        !removed && changes.upserted.iter().all(|u| u.key.0 != row.0)
    });
    for upsert in &changes.upserted {
        let place =
            |after: resourcecache::RowKey| view.iter().position(|r| r.0 == after.0).unwrap() + 1;
        let at = upsert.after.map_or(0, place);
        let i = cache.row(upsert.key).unwrap();
        view.insert(
            at,
            (
                i.key().0,
                format!("{} {:?} {:?}", i.id(), i.body(), i.meta()),
            ),
        );
    }
    view
}

/// What follows an event.
#[derive(Clone, Copy, Debug)]
enum Then {
    Save,
    Revert,
    Carry,
}

fn event() -> impl Strategy<Value = Event<Toy>> {
    let ids = prop::sample::select(&["a", "b", "c", "d", "e", "f", "t1", "t2"][..]);
    let bodies = (ids.clone(), 0..3_i64).prop_map(|(id, n)| Toy::new(id, [n, 0, 0]));
    let patches = (0..3_i64, 0..2_usize).prop_map(|(n, field)| {
        let mut patch = [None; 3];
        patch[field] = Some(n);
        patch
    });
    let plain = strategies::event::<Toy>(bodies.clone(), patches.clone());
    let kind = prop::sample::select(&[Kind::Delete, Kind::Update][..]);
    let begin = |(id, kind, patch): (&str, Kind, _)| Event::Begin {
        id: id.into(),
        kind,
        patch: (kind == Kind::Update).then_some(patch),
        min_ttl_ms: None,
    };
    let create = |resource| Event::Create {
        resource,
        min_ttl_ms: None,
    };
    let verb = prop_oneof![
        3 => (ids.clone(), kind, patches).prop_map(begin),
        1 => bodies.clone().prop_map(create),
    ];
    let verb = verb.boxed();
    let list = prop::collection::vec(bodies, 0..7);
    let after = prop::option::of(ids.clone());
    prop_oneof![
        12 => plain,
        4 => list.clone().prop_map(|items| Event::Merge(Snapshot::complete(items))),
        2 => (list, after.clone(), after).prop_map(|(items, after, before)| {
            let (after, before) = (after.map(Into::into), before.map(Into::into));
            Event::Merge(Snapshot::complete(items).covering(Coverage::Page { after, before }))
        }),
        2 => verb.clone().prop_map(|begin| Event::Queue { begin: Box::new(begin), send_after_ms: 0 }),
        2 => Just(Event::PollAttempt),
        1 => any::<bool>().prop_map(|online| Event::SetOnline { online }),
        4 => verb.prop_map(|event| Event::Perform { label: "step".into(), event: Box::new(event) }),
        2 => Just(Event::Undo),
        1 => Just(Event::Redo),
        1 => Just(Event::BeginFetch),
    ]
}

fn config() -> Config {
    let mut config = Player::config();
    config.outcome_log = 4;
    config.history.steps = 3;
    config
}

fn happenings() -> impl Strategy<Value = Vec<(Event<Toy>, i64, Then)>> {
    let then = prop_oneof![3 => Just(Then::Save), 1 => Just(Then::Revert), 2 => Just(Then::Carry)];
    let wait = prop::sample::select(&[0_i64, 1, 100, 600, 2_000, 6_000][..]);
    prop::collection::vec((event(), wait, then), 1..40)
}

type Happenings = Vec<(Event<Toy>, i64, Then)>;

/// What is written is the whole state; what is not can be taken back; another instance that catches up
/// is as one that loads anew, and its readers are told.
fn play(happenings: Happenings) -> Result<(), TestCaseError> {
    let (mut disk, mut now) = (Disk::default(), 1_000_000);
    let mut cache = Cache::new(config());
    cache.track_saved();
    disk.write(&cache.delta());
    cache.delta_saved();
    let mut other = disk.load(&config());
    let mut seldom = disk.load(&config());
    let mut known = (view(&other), other.revision());
    for (event, wait, then) in happenings {
        now += wait;
        let _ = cache.apply(event, Timestamp(now));
        match then {
            Then::Save => {
                let delta = cache.delta();
                let parts = disk.write(&delta);
                cache.delta_saved();
                prop_assert!(cache.delta().is_empty(), "{:?}", cache.delta());
                prop_assert_eq!(bytes(&disk.load(&config())), bytes(&cache));
                let (old, revision) = std::mem::take(&mut known);
                let changes = other.catch_up(decoded(&parts)).unwrap();
                prop_assert_eq!(bytes(&other), bytes(&cache));
                prop_assert_eq!(follow(old.clone(), &changes, &other), view(&cache));
                let since = other.changes_since(revision);
                if let Some(since) = since {
                    prop_assert_eq!(follow(old, &since, &other), view(&cache));
                }
                prop_assert!(other.delta().is_empty());
                known = (view(&other), other.revision());
                // What it has done meanwhile, and not saved, is taken back first.
                let _ = other.apply(
                    Event::CleanupStaleOperations { older_than_ms: 0 },
                    Timestamp(now),
                );
                let _ = other.mark_as_deleting("a", None, Timestamp(now));
                if now % 3 == 0 {
                    other.revert_delta();
                    prop_assert_eq!(bytes(&other), bytes(&cache));
                }
            }
            Then::Revert => {
                cache.revert_delta();
                prop_assert_eq!(bytes(&disk.load(&config())), bytes(&cache));
                prop_assert!(cache.delta().is_empty(), "{:?}", cache.delta());
            }
            Then::Carry => {}
        }
    }
    cache.revert_delta();
    let old = view(&seldom);
    let changes = seldom.catch_up_with(disk.load(&config()));
    prop_assert_eq!(follow(old, &changes, &seldom), view(&cache));
    prop_assert_eq!(bytes(&seldom), bytes(&cache));
    prop_assert!(seldom.delta().is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(common::cases(6_000))]

    #[test]
    fn parts_make_up_the_record(happenings in happenings()) {
        play(happenings)?;
    }
}

/// Histories that were once played wrong.
#[test]
fn parts_make_up_the_record_of_known_histories() {
    let begin = || Event::Begin {
        id: "a".into(),
        kind: Kind::Update,
        patch: Some([Some(0), None, None]),
        min_ttl_ms: None,
    };
    let page = Coverage::Page {
        after: None,
        before: None,
    };
    let a = Snapshot::complete(vec![Toy::new("a", [0, 0, 0])]).covering(page);
    play(vec![
        (begin(), 600, Then::Save),
        (begin(), 1, Then::Save),
        (begin(), 1, Then::Save),
        (begin(), 1, Then::Save),
        (Event::Merge(a), 0, Then::Carry),
        (begin(), 0, Then::Save),
        (begin(), 0, Then::Save),
    ])
    .unwrap();
    let e = || Event::Merge(Snapshot::complete(vec![Toy::new("e", [2, 0, 0])]));
    let nothing = Event::Merge(Snapshot::complete(vec![]));
    play(vec![
        (e(), 0, Then::Save),
        (e(), 0, Then::Carry),
        (nothing, 0, Then::Revert),
        (begin(), 0, Then::Save),
    ])
    .unwrap();
}

fn list(ids: &[usize]) -> Event<Toy> {
    let items = ids.iter().map(|id| Toy::new(format!("z{id}"), [0, 0, 0]));
    Event::Merge(Snapshot::complete(items.collect()))
}

fn saved(cache: &mut Cache, disk: &mut Disk) -> usize {
    let delta = cache.delta();
    disk.write(&delta);
    cache.delta_saved();
    assert_eq!(bytes(&disk.load(cache.config())), bytes(cache));
    delta.parts.len()
}

/// Cost follows the change: what one verb, one row that goes or comes, and one that moves write.
#[test]
fn few_parts_are_written_for_a_small_change() {
    let mut disk = Disk::default();
    let mut cache = Cache::new(config());
    cache.track_saved();
    let mut ids: Vec<usize> = (0..1_000).collect();
    cache.apply(list(&ids), Timestamp(0)).unwrap();
    assert_eq!(
        saved(&mut cache, &mut disk),
        2_001,
        "a body and a place each, and the head"
    );
    cache.apply(list(&ids), Timestamp(1)).unwrap();
    assert_eq!(saved(&mut cache, &mut disk), 1, "the head alone");
    cache.mark_as_deleting("z500", None, Timestamp(2)).unwrap();
    assert_eq!(
        saved(&mut cache, &mut disk),
        4,
        "marks, operation, place, head"
    );
    ids.remove(0);
    cache.apply(list(&ids), Timestamp(3)).unwrap();
    assert!(
        saved(&mut cache, &mut disk) <= 6,
        "what goes at the head moves no other"
    );
    ids.insert(0, 5_000);
    cache.apply(list(&ids), Timestamp(4)).unwrap();
    assert!(saved(&mut cache, &mut disk) <= 5, "nor what comes");
    let moved = ids.remove(700);
    ids.insert(3, moved);
    cache.apply(list(&ids), Timestamp(5)).unwrap();
    assert!(saved(&mut cache, &mut disk) <= 3, "one place");
}
