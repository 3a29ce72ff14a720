//! The outbox's law: over networks that lose requests and answers, deliver twice, late and after a
//! restart, every operation is done once by a server that honours the key, in the user's order;
//! nothing that was queued is lost, everything settles, and what the user sees is what the user
//! asked for at every step.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use resourcecache::{
    Applied, Attempt, Backoff, Config, Error, Event, Kind, OperationId, ResourceCache, Retry,
    Snapshot, Timestamp,
};
use resourcecache_testing::Toy;

const TTL_MS: i64 = 60_000;
const LAG_MS: i64 = 10_000;

/// What becomes of a request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    Busy,
    RequestLost,
    AnswerLost,
    DeliveredTwice,
    AnsweredAfter(i64),
}

#[derive(Clone, Debug)]
enum Step {
    Create {
        value: i64,
    },
    Update {
        which: usize,
        field: usize,
        value: i64,
    },
    Process {
        which: usize,
    },
    Delete {
        which: usize,
        send_after_ms: u64,
    },
    TakeBack,
    Send {
        fate: Fate,
    },
    Wait {
        ms: i64,
    },
    Online(bool),
    List {
        lag: i64,
    },
    Crash,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Answered),
        1 => Just(Fate::Busy),
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::DeliveredTwice),
        1 => (1..20_000_i64).prop_map(Fate::AnsweredAfter),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let grace = prop_oneof![3 => Just(0), 1 => 1..5_000_u64];
    prop_oneof![
        2 => (1..9_i64).prop_map(|value| Step::Create { value }),
        4 => (0..9_usize, 1..3_usize, 1..9_i64)
            .prop_map(|(which, field, value)| Step::Update { which, field, value }),
        1 => (0..9_usize).prop_map(|which| Step::Process { which }),
        2 => (0..9_usize, grace)
            .prop_map(|(which, send_after_ms)| Step::Delete { which, send_after_ms }),
        1 => Just(Step::TakeBack),
        8 => fate().prop_map(|fate| Step::Send { fate }),
        3 => (1..8_000_i64).prop_map(|ms| Step::Wait { ms }),
        1 => any::<bool>().prop_map(Step::Online),
        2 => (0..LAG_MS).prop_map(|lag| Step::List { lag }),
        1 => Just(Step::Crash),
    ]
}

type Things = BTreeMap<String, Toy>;

/// Shows each change at once, and does what has one key once.
struct Server {
    things: Things,
    answers: BTreeMap<String, Option<Toy>>,
    done: BTreeMap<String, u32>,
    past: Vec<(i64, Things)>,
}

impl Server {
    fn handle(&mut self, attempt: &Attempt<Toy>, now: i64) -> Option<Toy> {
        if let Some(answer) = self.answers.get(&attempt.key) {
            return answer.clone();
        }
        *self.done.entry(attempt.key.clone()).or_default() += 1;
        let answer = match (attempt.kind, &attempt.body) {
            (Kind::Create, Some(body)) => {
                let mut new = body.clone();
                new.id = format!("r{}", body.fields[0]);
                self.things.insert(new.id.clone(), new.clone());
                Some(new)
            }
            (Kind::Update, _) => {
                let thing = self.things.get_mut(attempt.id.as_str());
                thing.map(|thing| {
                    for patch in &attempt.patches {
                        *thing = resourcecache::Resource::apply(thing, patch);
                    }
                    thing.clone()
                })
            }
            (Kind::Delete, _) => {
                self.things.remove(attempt.id.as_str());
                None
            }
            _ => None,
        };
        self.answers.insert(attempt.key.clone(), answer.clone());
        self.past.push((now, self.things.clone()));
        answer
    }

    fn at(&self, time: i64) -> Vec<Toy> {
        let then = self.past.iter().rfind(|(at, _)| *at <= time);
        then.map(|(_, things)| things.values().cloned().collect())
            .unwrap_or_default()
    }
}

struct World {
    cache: ResourceCache<Toy>,
    server: Server,
    now: i64,
    names: i64,
    /// What the user asked for, by name.
    wanted: BTreeMap<i64, [i64; 3]>,
    queued: BTreeSet<OperationId>,
    sent: BTreeSet<OperationId>,
    /// The last deletion, and what was deleted.
    deleted: Option<(OperationId, [i64; 3])>,
    /// Answers that are on their way.
    coming: Vec<(i64, OperationId, Option<Toy>)>,
    /// Every event that was accepted, and when.
    journal: Vec<(Event<Toy>, Timestamp)>,
}

fn config() -> Config {
    let mut config = Config::default();
    config.seed = 7;
    config.max_under_way = 3;
    config.outcome_log = usize::MAX;
    config.retry.max_attempts = None;
    config.retry.attempt_timeout_ms = 5_000;
    config.retry.backoff = Backoff::Exponential {
        base_ms: 500,
        cap_ms: 4_000,
    };
    config
}

impl World {
    fn new() -> Self {
        let first = |name: i64| {
            (
                format!("r{name}"),
                Toy::new(format!("r{name}"), [name, 0, 0]),
            )
        };
        let things: Things = (0..2).map(first).collect();
        let wanted = things.values().map(|t| (t.fields[0], t.fields)).collect();
        let past = vec![(0, things.clone())];
        let server = Server {
            things,
            answers: BTreeMap::new(),
            done: BTreeMap::new(),
            past,
        };
        let mut world = Self {
            cache: ResourceCache::new(config()),
            server,
            now: 0,
            names: 2,
            wanted,
            queued: BTreeSet::new(),
            sent: BTreeSet::new(),
            deleted: None,
            coming: Vec::new(),
            journal: Vec::new(),
        };
        world.list(0);
        world
    }

    fn apply(&mut self, event: Event<Toy>) -> Result<Applied, Error> {
        let applied = self.cache.apply(event.clone(), Timestamp(self.now))?;
        self.journal.push((event, Timestamp(self.now)));
        Ok(applied)
    }

    /// R1.
    fn replayed(&self) -> String {
        let mut cache: ResourceCache<Toy> = ResourceCache::new(config());
        for (event, now) in &self.journal {
            let event = serde_json::to_string(event).expect("JSON");
            let event: Event<Toy> = serde_json::from_str(&event).expect("an event");
            cache.apply(event, *now).expect("was accepted before");
        }
        serde_json::to_string(&cache.record()).expect("JSON")
    }

    fn list(&mut self, lag: i64) {
        let items = self.server.at((self.now - lag).max(0));
        self.apply(Event::Merge(Snapshot::complete(items)))
            .expect("a list");
    }

    fn queue(&mut self, begin: Event<Toy>, send_after_ms: u64) -> Option<OperationId> {
        let begin = Box::new(begin);
        let queued = self
            .apply(Event::Queue {
                begin,
                send_after_ms,
            })
            .ok()?;
        let operation = queued.operation()?;
        self.queued.insert(operation);
        Some(operation)
    }

    /// A resource that the user sees.
    fn seen(&self, which: usize) -> Option<Toy> {
        let seen: Vec<Toy> = self.cache.visible().map(|i| i.body().clone()).collect();
        (!seen.is_empty()).then(|| seen[which % seen.len()].clone())
    }

    fn begin(id: &str, kind: Kind, patch: Option<[Option<i64>; 3]>) -> Event<Toy> {
        Event::Begin {
            id: id.into(),
            kind,
            patch,
            min_ttl_ms: None,
        }
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Create { value } => {
                let name = self.names;
                self.names += 1;
                let mut resource = Toy::new(format!("t{name}"), [name, value, 0]);
                resource.token = Some(format!("t{name}"));
                self.wanted.insert(name, resource.fields);
                self.queue(
                    Event::Create {
                        resource,
                        min_ttl_ms: None,
                    },
                    0,
                );
            }
            Step::Update {
                which,
                field,
                value,
            } => {
                let Some(seen) = self.seen(which) else { return };
                let mut patch = [None; 3];
                patch[field] = Some(value);
                if self
                    .queue(Self::begin(&seen.id, Kind::Update, Some(patch)), 0)
                    .is_some()
                {
                    self.wanted.get_mut(&seen.fields[0]).expect("is wanted")[field] = value;
                }
            }
            Step::Process { which } => {
                let Some(seen) = self.seen(which) else { return };
                self.queue(Self::begin(&seen.id, Kind::Process, None), 0);
            }
            Step::Delete {
                which,
                send_after_ms,
            } => {
                let Some(seen) = self.seen(which) else { return };
                let begin = Self::begin(&seen.id, Kind::Delete, None);
                if let Some(operation) = self.queue(begin, send_after_ms) {
                    let fields = self.wanted.remove(&seen.fields[0]).expect("is wanted");
                    self.deleted = Some((operation, fields));
                }
            }
            Step::TakeBack => {
                let Some((operation, fields)) = self.deleted.take() else {
                    return;
                };
                let told = self.cache.outcomes().any(|o| o.operation == operation);
                if !told && !self.sent.contains(&operation) {
                    self.apply(Event::Cancel { operation })
                        .expect("is unsettled");
                    self.wanted.insert(fields[0], fields);
                }
            }
            Step::Send { fate } => {
                if let Some(attempt) = self.poll() {
                    self.send(&attempt, fate);
                }
            }
            Step::Wait { ms } => self.wait(self.now + ms),
            Step::Online(online) => {
                self.apply(Event::SetOnline { online }).expect("is allowed");
            }
            Step::List { lag } => self.list(lag),
            Step::Crash => {
                let record = self.cache.record();
                self.cache = ResourceCache::restore(config(), record, Timestamp(self.now))
                    .expect("a record");
                // Loading does what is due.
                self.journal
                    .push((Event::HandleTimeout, Timestamp(self.now)));
                self.coming.clear();
            }
        }
    }

    fn poll(&mut self) -> Option<Attempt<Toy>> {
        let (attempt, _) = self
            .cache
            .poll_attempt(Timestamp(self.now))
            .expect("is allowed");
        self.journal.push((Event::PollAttempt, Timestamp(self.now)));
        self.sent.extend(attempt.iter().map(|a| a.operation));
        attempt
    }

    fn send(&mut self, attempt: &Attempt<Toy>, fate: Fate) {
        let operation = attempt.operation;
        match fate {
            Fate::Busy => {
                let busy = Retry::ByStatus {
                    status: 503,
                    after_ms: None,
                };
                let error = "503".to_string();
                self.apply(Event::Fail {
                    operation,
                    error,
                    retry: busy,
                })
                .expect("is under way");
            }
            Fate::RequestLost => {}
            Fate::AnswerLost => drop(self.server.handle(attempt, self.now)),
            Fate::Answered | Fate::DeliveredTwice => {
                let answer = self.server.handle(attempt, self.now);
                if matches!(fate, Fate::DeliveredTwice) {
                    assert_eq!(self.server.handle(attempt, self.now), answer);
                }
                self.apply(Event::Acknowledge { operation, answer })
                    .expect("is under way");
            }
            Fate::AnsweredAfter(ms) => {
                let answer = self.server.handle(attempt, self.now);
                self.coming.push((self.now + ms, operation, answer));
            }
        }
    }

    fn wait(&mut self, until: i64) {
        self.coming.sort_by_key(|(at, ..)| *at);
        while self.coming.first().is_some_and(|(at, ..)| *at <= until) {
            let (at, operation, answer) = self.coming.remove(0);
            self.now = at;
            // Another attempt may have been answered before.
            let _ = self.apply(Event::Acknowledge { operation, answer });
        }
        self.now = until;
        self.apply(Event::HandleTimeout).expect("is allowed");
    }

    fn shown(&self) -> BTreeMap<i64, [i64; 3]> {
        self.cache
            .visible()
            .map(|i| (i.body().fields[0], i.body().fields))
            .collect()
    }

    /// The network is well again: everything comes to rest.
    fn rest(&mut self) {
        self.apply(Event::SetOnline { online: true })
            .expect("is allowed");
        for _ in 0..1_000 {
            while let Some(attempt) = self.poll() {
                self.send(&attempt, Fate::Answered);
            }
            if self.cache.queued() == 0 && self.coming.is_empty() {
                break;
            }
            let answer = self.coming.iter().map(|(at, ..)| *at).min();
            let wake = self.cache.poll_timeout().map(|Timestamp(at)| at);
            let next = answer.into_iter().chain(wake).min();
            self.wait(next.expect("something is to come"));
        }
        assert_eq!(self.cache.queued(), 0, "it does not come to rest");
        for _ in 0..2 {
            self.wait(self.now + TTL_MS);
            self.list(0);
        }
    }
}

proptest! {
    #![proptest_config(common::cases(4_000))]

    #[test]
    fn everything_queued_is_done_once_and_shown_throughout(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.play(step);
            prop_assert_eq!(world.shown(), world.wanted.clone(), "after {:?}", step);
        }
        world.rest();
        let things = world.server.things.values().map(|t| (t.fields[0], t.fields));
        prop_assert_eq!(things.collect::<BTreeMap<_, _>>(), world.wanted.clone());
        prop_assert_eq!(world.shown(), world.wanted.clone());
        prop_assert!(world.server.done.values().all(|times| *times == 1));
        let saved = serde_json::to_string(&world.cache.record()).expect("JSON");
        prop_assert_eq!(world.replayed(), saved);
        let mut told: BTreeMap<OperationId, u32> = BTreeMap::new();
        for outcome in world.cache.outcomes() {
            *told.entry(outcome.operation).or_default() += 1;
        }
        for operation in &world.queued {
            prop_assert_eq!(told.get(operation), Some(&1), "{:?} settles once", operation);
        }
    }
}
