//! Several caches over one store, any of which is behind, loses an answer, or crashes at any time: what
//! they agree on is what one cache is at which the same events arrived in the store's order.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use resourcecache::{
    Changes, Config, Coverage, Event, Kind, ResourceCache, Revision, Snapshot, Timestamp,
};
use resourcecache_storage::{Error, Store, StoreErrorKind, StoredCache};
use resourcecache_testing::{Player, Toy, strategies};

use super::faulty::{Faulty, Log, Work};

/// What an instance does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// One event, or several in one commit.
    Do(Vec<Event<Toy>>),
    Sync,
    /// It is gone with all that it had in memory, and opens the collection anew.
    Crash,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    who: usize,
    wait: i64,
    act: Act,
    /// So many commits are done, and their answers lost.
    lose: u32,
    /// So many commits before that are not done.
    refuse: u32,
    /// After a store that failed, the instance is gone, too.
    crash: bool,
}

fn event() -> impl Strategy<Value = Event<Toy>> {
    let ids = prop::sample::select(&["a", "b", "c", "d", "e", "t1"][..]);
    let bodies = (ids.clone(), 0..3_i64).prop_map(|(id, n)| Toy::new(id, [n, 0, 0]));
    let patches = (0..3_i64).prop_map(|n| [Some(n), None, None]);
    let begin = (ids.clone(), any::<bool>(), 0..3_i64).prop_map(|(id, delete, n)| Event::Begin {
        id: id.into(),
        kind: if delete { Kind::Delete } else { Kind::Update },
        patch: (!delete).then_some([Some(n), None, None]),
        min_ttl_ms: None,
    });
    let begin = begin.boxed();
    let list = prop::collection::vec(bodies.clone(), 0..6);
    let after = prop::option::of(ids);
    prop_oneof![
        8 => strategies::event::<Toy>(bodies, patches),
        3 => list.clone().prop_map(|items| Event::Merge(Snapshot::complete(items))),
        1 => (list, after).prop_map(|(items, after)| {
            let page = Coverage::Page { after: after.map(Into::into), before: None };
            Event::Merge(Snapshot::complete(items).covering(page))
        }),
        2 => begin.clone().prop_map(|begin| Event::Queue { begin: Box::new(begin), send_after_ms: 0 }),
        2 => Just(Event::PollAttempt),
        1 => Just(Event::HandleTimeout),
        2 => begin.prop_map(|event| Event::Perform { label: "step".into(), event: Box::new(event) }),
        1 => Just(Event::Undo),
    ]
}

pub(crate) fn steps(caches: usize) -> impl Strategy<Value = Vec<Step>> {
    let act = prop_oneof![
        10 => event().prop_map(|event| Act::Do(vec![event])),
        2 => prop::collection::vec(event(), 2..4).prop_map(Act::Do),
        2 => Just(Act::Sync),
        1 => Just(Act::Crash),
    ];
    let wait = prop::sample::select(&[0_i64, 1, 100, 600, 2_000, 6_000, -500][..]);
    // Most do not fail; four in a row are more than a cache repeats.
    let lose = prop_oneof![14 => Just(0_u32), 2 => Just(1_u32), 1 => Just(4_u32)];
    let refuse = prop_oneof![20 => Just(0_u32), 1 => Just(1_u32), 1 => Just(4_u32)];
    let step = (0..caches, wait, act, lose, refuse, any::<bool>());
    let step = step.prop_map(|(who, wait, act, lose, refuse, crash)| Step {
        who,
        wait,
        act,
        lose,
        refuse,
        crash,
    });
    prop::collection::vec(step, 1..40)
}

fn config() -> Config {
    let mut config = Player::config();
    config.outcome_log = 4;
    config.history.steps = 3;
    config
}

type View = Vec<(u64, String)>;

fn shown(item: &resourcecache::Item<'_, Toy>) -> (u64, String) {
    let text = format!("{} {:?} {:?}", item.id(), item.body(), item.meta());
    (item.key().0, text)
}

fn view(cache: &ResourceCache<Toy>) -> View {
    cache.visible().map(|item| shown(&item)).collect()
}

/// The old view with the changes applied, as a reader does it.
fn follow(mut view: View, changes: &Changes, cache: &ResourceCache<Toy>) -> View {
    view.retain(|row| {
        let removed = changes.removed.iter().any(|r| r.key.0 == row.0);
        !removed && changes.upserted.iter().all(|u| u.key.0 != row.0)
    });
    for upsert in &changes.upserted {
        let place =
            |key: resourcecache::RowKey| view.iter().position(|r| r.0 == key.0).unwrap() + 1;
        let at = upsert.after.map_or(0, place);
        view.insert(at, shown(&cache.row(upsert.key).unwrap()));
    }
    view
}

fn bytes(cache: &ResourceCache<Toy>) -> String {
    serde_json::to_string(&cache.record()).unwrap()
}

/// One instance: its cache, its way to the store, and a reader of its view.
struct Instance {
    store: Arc<Faulty>,
    cache: StoredCache<Toy>,
    read: (View, Revision),
}

/// The model: the events in the store's order, at one cache.
struct Model {
    log: Arc<Mutex<Log>>,
    known: usize,
    plain: ResourceCache<Toy>,
}

fn apply(plain: &mut ResourceCache<Toy>, work: &Work) {
    for (event, now) in work {
        let done = plain.apply(event.clone(), *now);
        done.expect("what was committed was accepted, and is accepted in this order");
    }
}

impl Model {
    /// Applies what was committed since.
    fn follow(&mut self) {
        let log = self.log.lock().unwrap();
        for work in &log.works[self.known..] {
            apply(&mut self.plain, work);
        }
        self.known = log.works.len();
    }
}

/// What is counted over all histories, so that nobody takes them for harmless.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: usize,
    pub(crate) conflicts: usize,
    pub(crate) failed: usize,
    pub(crate) crashes: usize,
    pub(crate) unheard: usize,
}

impl Instance {
    fn open(store: Arc<Faulty>, key: &str, now: Timestamp, model: &mut Model) -> Self {
        model.follow();
        let due = model.known > 0 && model.plain.poll_timeout().is_some_and(|at| at <= now);
        let doing: Work = due
            .then_some((Event::HandleTimeout, now))
            .into_iter()
            .collect();
        store.forget();
        store.begin(doing.clone(), 0, 0);
        let cache = StoredCache::open(store.clone(), key, config(), now).expect("opening");
        if store.end() == 0 {
            store.carry(doing);
        }
        let read = (view(cache.cache()), cache.cache().revision());
        Self { store, cache, read }
    }

    /// A reader that asks what has changed since it asked last sees what is there.
    fn check_reader(&mut self) -> Result<(), TestCaseError> {
        let cache = self.cache.cache();
        let (old, revision) = std::mem::take(&mut self.read);
        if let Some(changes) = cache.changes_since(revision) {
            prop_assert_eq!(follow(old, &changes, cache), view(cache));
        }
        self.read = (view(cache), cache.revision());
        Ok(())
    }

    /// It is as the model is, but for what it has not committed.
    fn check_record(&self, model: &mut Model) -> Result<(), TestCaseError> {
        model.follow();
        let mut expected = model.plain.clone();
        apply(&mut expected, &self.store.pending());
        prop_assert_eq!(bytes(self.cache.cache()), bytes(&expected));
        Ok(())
    }

    fn act(
        &mut self,
        events: &[Event<Toy>],
        step: &Step,
        now: Timestamp,
        model: &mut Model,
        counts: &mut Counts,
    ) -> Result<bool, TestCaseError> {
        let doing: Work = events.iter().map(|event| (event.clone(), now)).collect();
        self.store.begin(doing.clone(), step.lose, step.refuse);
        let done = match events {
            [event] => self.cache.apply(event.clone(), now).map(|c| c.caught_up),
            events => {
                let all = self.cache.update(|cache| {
                    for event in events {
                        cache.apply(event.clone(), now)?;
                    }
                    Ok(())
                });
                all.map(|c| c.caught_up)
            }
        };
        let commits = self.store.end();
        counts.commits += commits;
        match done {
            Ok(caught_up) => {
                counts.conflicts += caught_up.len();
                let may_wait = matches!(events, [Event::HandleTimeout | Event::PollAttempt]);
                prop_assert!(
                    commits == 1 || commits == 0 && may_wait,
                    "{} commits",
                    commits
                );
                if commits == 0 {
                    self.store.carry(doing);
                }
            }
            Err(Error::Core(_)) => {
                prop_assert_eq!(commits, 0, "what is refused is not committed");
                // It is refused as of now, whatever this instance had not heard of.
                model.follow();
                let mut expected = model.plain.clone();
                apply(&mut expected, &self.store.pending());
                let refused = |event: &Event<Toy>| expected.apply(event.clone(), now).is_err();
                prop_assert!(events.iter().any(refused), "{:?} is refused", events);
                self.store.forget();
            }
            Err(Error::Store(error)) => {
                prop_assert_eq!(error.kind, StoreErrorKind::Unavailable);
                prop_assert!(commits <= 1);
                prop_assert!(step.lose + step.refuse >= 4, "it is tried four times");
                self.store.forget();
                counts.failed += 1;
                counts.unheard += commits;
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Plays a history with as many caches; `open` gives each a way to the store, `key` is new to it.
pub(crate) fn play(
    caches: usize,
    steps: &[Step],
    key: &str,
    open: &dyn Fn() -> Arc<dyn Store>,
    counts: &mut Counts,
) -> Result<(), TestCaseError> {
    let log = Arc::new(Mutex::new(Log::default()));
    let mut model = Model {
        log: log.clone(),
        known: 0,
        plain: ResourceCache::new(config()),
    };
    let mut clock = 1_000_000;
    let mut instances: Vec<Instance> = (0..caches)
        .map(|_| {
            let store = Arc::new(Faulty::new(open(), log.clone()));
            Instance::open(store, key, Timestamp(clock), &mut model)
        })
        .collect();
    for step in steps {
        clock += step.wait;
        let now = Timestamp(clock);
        let instance = &mut instances[step.who];
        let mut crash = matches!(step.act, Act::Crash);
        match &step.act {
            Act::Do(events) => {
                let answered = instance.act(events, step, now, &mut model, counts)?;
                crash |= !answered && step.crash;
            }
            Act::Sync => {
                instance.cache.sync().expect("reading");
                instance.check_record(&mut model)?;
            }
            Act::Crash => {}
        }
        instance.check_reader()?;
        if crash {
            counts.crashes += 1;
            let (store, read) = (instance.store.clone(), std::mem::take(&mut instance.read));
            *instance = Instance::open(store, key, now, &mut model);
            instance.check_record(&mut model)?;
            // Its readers outlive it.
            instance.read = read;
            instance.check_reader()?;
        }
    }
    model.follow();
    let number = open()
        .revision(key)
        .expect("reading")
        .map_or(0, |r| r.number);
    prop_assert_eq!(
        number,
        model.known as u64,
        "a commit is there twice, or not at all"
    );
    for instance in &mut instances {
        instance.cache.sync().expect("reading");
        instance.check_record(&mut model)?;
        instance.check_reader()?;
    }
    let fresh = StoredCache::<Toy>::open(open(), key, config(), Timestamp(i64::MIN / 2));
    prop_assert_eq!(bytes(fresh.expect("opening").cache()), bytes(&model.plain));
    Ok(())
}
