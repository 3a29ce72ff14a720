//! What undo and redo show is what a naive user has who keeps a copy of the list for each step,
//! whatever was sent, answered and listed in between (H2).

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use resourcecache::{
    Config, Event, Kind, OperationId, ResourceCache, Snapshot, Timestamp, VersionOrder,
};
use resourcecache_testing::Toy;

type Fields = [i64; 3];
type List = BTreeMap<String, Fields>;

#[derive(Clone, Debug)]
enum Step {
    Edit(u8, u8, i64),
    Create(u8, i64),
    Delete(u8, bool),
    /// Several at once.
    Batch(Vec<Step>),
    Undo,
    Redo,
    /// The next call reaches the server.
    Send,
    /// The next answer arrives, with the resource or without it.
    Answer(bool),
    /// A list arrives that is so many changes old.
    List(usize),
    Wait(i64),
    Reload,
}

fn act() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..10_u8, 0..3_u8, 10..14_i64).prop_map(|(id, field, to)| Step::Edit(id, field, to)),
        2 => (4..10_u8, 0..3_i64).prop_map(|(id, to)| Step::Create(id, to)),
        2 => (0..10_u8, any::<bool>()).prop_map(|(id, grace)| Step::Delete(id, grace)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => act(),
        1 => proptest::collection::vec(act(), 2..5).prop_map(Step::Batch),
        5 => Just(Step::Undo),
        3 => Just(Step::Redo),
        5 => Just(Step::Send),
        5 => any::<bool>().prop_map(Step::Answer),
        5 => (0..5_usize).prop_map(Step::List),
        3 => (1..800_i64).prop_map(Step::Wait),
        1 => Just(Step::Reload),
    ]
}

fn id(number: u8) -> String {
    char::from(b'a' + number).to_string()
}

struct World {
    cache: ResourceCache<Toy>,
    now: i64,
    queued: bool,
    /// What the server had after each change, the newest last, each with the change that made it.
    server: Vec<BTreeMap<String, (Fields, usize)>>,
    /// Whether its resources have versions; without, lists never go back in time (docs/undo.md).
    versions: bool,
    listed: usize,
    /// Calls by hand that were not made yet.
    calls: VecDeque<OperationId>,
    /// Calls that were made and not answered.
    made: VecDeque<(OperationId, Option<Toy>)>,
    /// The ids that were ever in the list.
    used: BTreeSet<String>,
    /// The user's own list, as it was after each step; those behind `at` are undone.
    copies: Vec<List>,
    at: usize,
}

impl World {
    fn new(queued: bool, versions: bool) -> Self {
        let list: List = (0..4).map(|n| (id(n), [n.into(), 0, 0])).collect();
        let mut config = Config::default();
        config.seed = 5;
        config.version_order = VersionOrder::Integer;
        config.history.steps = 1_000;
        let mut world = Self {
            cache: ResourceCache::new(config),
            now: 0,
            queued,
            server: vec![
                list.iter()
                    .map(|(id, fields)| (id.clone(), (*fields, 0)))
                    .collect(),
            ],
            versions,
            listed: 0,
            calls: VecDeque::new(),
            made: VecDeque::new(),
            used: list.keys().cloned().collect(),
            copies: vec![list],
            at: 0,
        };
        world.list(0);
        world
    }

    fn time(&self) -> Timestamp {
        Timestamp(self.now)
    }

    fn shown(&self) -> List {
        let items = self.cache.visible();
        items
            .map(|item| (item.id().to_string(), item.body().fields))
            .collect()
    }

    fn list(&mut self, age: usize) {
        let mut at = self.server.len().saturating_sub(age + 1);
        if !self.versions || !self.queued {
            at = at.max(self.listed);
            self.listed = at;
        }
        let toys = self.server[at].iter();
        let toys = toys.map(|(id, (fields, version))| self.toy(id, *fields, *version));
        let snapshot = Snapshot::complete(toys.collect());
        self.cache.merge(snapshot, self.time()).unwrap();
    }

    fn toy(&self, id: &str, fields: Fields, version: usize) -> Toy {
        let mut toy = Toy::new(id, fields);
        toy.version = self.versions.then(|| version.to_string());
        toy
    }

    /// The event, and the list as it makes it; `None` where the user could not do that.
    fn event(
        &self,
        step: &Step,
        mut list: List,
        used: &mut BTreeSet<String>,
    ) -> Option<(Event<Toy>, List)> {
        let (begin, grace) = match *step {
            Step::Edit(n, field, to) => {
                let mut patch = [None; 3];
                patch[usize::from(field)] = Some(to);
                let field = &mut list.get_mut(&id(n))?[usize::from(field)];
                // What changes nothing is no step.
                if *field == to {
                    return None;
                }
                *field = to;
                let begin = Event::Begin {
                    id: id(n).into(),
                    kind: Kind::Update,
                    patch: Some(patch),
                    min_ttl_ms: None,
                };
                (begin, false)
            }
            Step::Create(n, to) => {
                let fields = [to, to, to];
                // Only what was answered can be created again: here each id is created once.
                if !used.insert(id(n)) || list.insert(id(n), fields).is_some() {
                    return None;
                }
                (
                    Event::Create {
                        resource: Toy::new(id(n), fields),
                        min_ttl_ms: None,
                    },
                    false,
                )
            }
            Step::Delete(n, grace) => {
                list.remove(&id(n))?;
                let begin = Event::Begin {
                    id: id(n).into(),
                    kind: Kind::Delete,
                    patch: None,
                    min_ttl_ms: None,
                };
                (begin, grace)
            }
            Step::Batch(ref steps) => {
                let mut events = Vec::new();
                for step in steps {
                    if let Some((event, after)) = self.event(step, list.clone(), used) {
                        events.push(event);
                        list = after;
                    }
                }
                if events.is_empty() {
                    return None;
                }
                return Some((Event::Batch(events), list));
            }
            _ => return None,
        };
        let event = if self.queued {
            Event::Queue {
                begin: Box::new(begin),
                send_after_ms: if grace { 2_000 } else { 0 },
            }
        } else {
            begin
        };
        Some((event, list))
    }

    fn play(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now += 1;
        match *step {
            Step::Edit(..) | Step::Create(..) | Step::Delete(..) | Step::Batch(_) => {
                let mut used = self.used.clone();
                let Some((event, list)) = self.event(step, self.shown(), &mut used) else {
                    return Ok(());
                };
                let done = self.cache.perform("step", event, self.time()).unwrap();
                self.by_hand(&done.operations);
                self.copies.truncate(self.at + 1);
                self.used = used;
                self.copies.push(list);
                self.at += 1;
            }
            Step::Undo | Step::Redo => {
                let undo = matches!(step, Step::Undo);
                let label = if undo {
                    self.cache.undo_label()
                } else {
                    self.cache.redo_label()
                };
                let can = if undo {
                    self.at > 0
                } else {
                    self.at + 1 < self.copies.len()
                };
                prop_assert_eq!(label.is_some(), can);
                let done = if undo {
                    self.cache.undo(self.time())
                } else {
                    self.cache.redo(self.time())
                };
                let done = done.unwrap();
                prop_assert_eq!(&done.conflicts, &vec![]);
                self.by_hand(&done.operations);
                if can {
                    self.at = if undo { self.at - 1 } else { self.at + 1 };
                }
            }
            Step::Send => self.send(),
            Step::Answer(with) => {
                if let Some((operation, answer)) = self.made.pop_front() {
                    self.cache
                        .acknowledge(
                            operation,
                            answer.filter(|_| with || self.versions),
                            self.time(),
                        )
                        .unwrap();
                }
            }
            Step::List(age) => self.list(age),
            Step::Wait(ms) => self.now += ms,
            Step::Reload => {
                let text = serde_json::to_vec(&self.cache.record()).unwrap();
                let record = serde_json::from_slice(&text).unwrap();
                let config = self.cache.config().clone();
                self.cache = ResourceCache::restore(config, record, self.time()).unwrap();
            }
        }
        self.cache.handle_timeout(self.time()).unwrap();
        Ok(())
    }

    fn by_hand(&mut self, operations: &[OperationId]) {
        if !self.queued {
            self.calls.extend(operations);
        }
    }

    fn send(&mut self) {
        let request = if self.queued {
            let (attempt, _) = self.cache.poll_attempt(self.time()).unwrap();
            attempt.map(|a| (a.operation, a.kind, a.id, a.body))
        } else {
            let ids: Vec<String> = (0..10).map(id).collect();
            let known = ids.iter().flat_map(|id| self.cache.operations(id));
            let known: Vec<OperationId> = known.map(|o| o.id).collect();
            self.calls.retain(|operation| known.contains(operation));
            // One that waits for its creation's answer is not made yet, nor any behind it.
            let next = self.calls.front().copied();
            let request = next.and_then(|operation| self.cache.request_of(operation));
            if request.is_some() {
                self.calls.pop_front();
            }
            request.map(|r| (r.operation, r.kind, r.id, r.body))
        };
        let Some((operation, kind, id, body)) = request else {
            return;
        };
        let mut list = self.server.last().unwrap().clone();
        let answer = body.filter(|_| kind != Kind::Delete);
        let answer = answer.map(|body| {
            let version = self.server.len();
            list.insert(id.to_string(), (body.fields, version));
            self.toy(id.as_str(), body.fields, version)
        });
        if answer.is_none() {
            list.remove(id.as_str());
        }
        if kind == Kind::Create && !self.queued {
            // A list that is older than a resource confirms its deletion by hand (D3).
            self.listed = self.server.len();
        }
        self.server.push(list);
        self.made.push_back((operation, answer));
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(&self.shown(), &self.copies[self.at]);
        Ok(())
    }
}

fn holds(queued: bool, versions: bool, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = World::new(queued, versions);
    for step in steps {
        world.play(step)?;
        world.check()?;
    }
    // All of it back, and all of it again.
    while world.at > 0 {
        world.play(&Step::Undo)?;
        world.check()?;
    }
    while world.at + 1 < world.copies.len() {
        world.play(&Step::Redo)?;
        world.check()?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(common::cases(3_000))]

    #[test]
    fn undo_and_redo_show_what_was_shown(
        queued: bool,
        versions: bool,
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        holds(queued, versions, &steps)?;
    }
}
