//! Random histories: what users, the network and clocks do to one collection.

use proptest::prelude::*;
use resourcecache::{
    Applied, Change, Config, Coverage, Error, Event, FetchToken, Kind, MetadataPatch, OperationId,
    ResourceCache, Retry, Snapshot, Timestamp, WatchEvent,
};

use crate::server::{Server, Told};
use crate::toy::{FIELD_COUNT, Toy};

/// One thing that happens. Numbers choose among what there is at that time.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // the names say it
pub enum Step {
    Wait { ms: i64 },
    StepBack { ms: i64 },
    Tick,
    Delete { id: usize, ttl: Option<u64> },
    Update { id: usize, field: usize, value: i64 },
    Mark { id: usize, kind: Kind },
    Create { value: i64 },
    Recreate { id: usize, value: i64 },
    Acknowledge { op: usize, answer: bool },
    Fail { op: usize, retry: bool },
    Attempt { op: usize },
    Cancel { op: usize },
    Complete { id: usize },
    Revert { id: usize },
    Remove { id: usize },
    Answer { id: usize, field: usize, value: i64 },
    Progress { id: usize, percent: i64 },
    Cleanup { ms: u64 },
    ServerUpdate { id: usize, field: usize, value: i64 },
    ServerDelete { id: usize },
    List { lag: i64 },
    ListSome { lag: i64, ids: Vec<usize> },
    Fetch { lag: i64 },
    Deliver { fetch: usize },
    Watch,
    Bookmark,
    Expired,
}

/// The ids that there are: the server's, temporary ones, and what the server makes of these.
pub const IDS: [&str; 8] = ["a", "b", "c", "d", "t1", "t2", "r4", "r5"];

fn id() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0_usize), 3 => 0..3_usize, 1 => 3..IDS.len()]
}

/// Lags, within the TTL and beyond it.
fn lag() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0_i64), 3 => Just(300), 2 => Just(900), 1 => Just(3000)]
}

/// One step, as histories are made of.
pub fn step() -> impl Strategy<Value = Step> {
    let wait = prop_oneof![
        Just(1_i64),
        Just(50),
        Just(200),
        Just(450),
        Just(1000),
        Just(2600),
        Just(6000)
    ];
    let kinds = prop_oneof![
        Just(Kind::Update),
        Just(Kind::Process),
        Just(Kind::Delete),
        Just(Kind::Create)
    ];
    let value = 1..4_i64;
    prop_oneof![
        10 => wait.clone().prop_map(|ms| Step::Wait { ms }),
        1 => wait.prop_map(|ms| Step::StepBack { ms }),
        3 => Just(Step::Tick),
        6 => (id(), prop_oneof![3 => Just(None), 1 => Just(Some(2500))]).prop_map(|(id, ttl)| Step::Delete { id, ttl }),
        8 => (id(), 0..FIELD_COUNT, value.clone()).prop_map(|(id, field, value)| Step::Update { id, field, value }),
        4 => (id(), kinds).prop_map(|(id, kind)| Step::Mark { id, kind }),
        4 => value.clone().prop_map(|value| Step::Create { value }),
        2 => (id(), value.clone()).prop_map(|(id, value)| Step::Recreate { id, value }),
        12 => (0..4_usize, any::<bool>()).prop_map(|(op, answer)| Step::Acknowledge { op, answer }),
        5 => (0..4_usize, any::<bool>()).prop_map(|(op, retry)| Step::Fail { op, retry }),
        3 => (0..4_usize).prop_map(|op| Step::Attempt { op }),
        2 => (0..4_usize).prop_map(|op| Step::Cancel { op }),
        2 => id().prop_map(|id| Step::Complete { id }),
        2 => id().prop_map(|id| Step::Revert { id }),
        1 => id().prop_map(|id| Step::Remove { id }),
        2 => (id(), 0..FIELD_COUNT, value.clone()).prop_map(|(id, field, value)| Step::Answer { id, field, value }),
        2 => (id(), -5..110_i64).prop_map(|(id, percent)| Step::Progress { id, percent }),
        1 => prop_oneof![Just(500_u64), Just(3000)].prop_map(|ms| Step::Cleanup { ms }),
        3 => (id(), 0..FIELD_COUNT, value).prop_map(|(id, field, value)| Step::ServerUpdate { id, field, value }),
        1 => id().prop_map(|id| Step::ServerDelete { id }),
        12 => lag().prop_map(|lag| Step::List { lag }),
        2 => (lag(), proptest::collection::vec(id(), 0..3)).prop_map(|(lag, ids)| Step::ListSome { lag, ids }),
        3 => lag().prop_map(|lag| Step::Fetch { lag }),
        3 => (0..3_usize).prop_map(|fetch| Step::Deliver { fetch }),
        4 => Just(Step::Watch),
        1 => Just(Step::Bookmark),
        1 => Just(Step::Expired),
    ]
}

/// Histories of up to so many steps.
pub fn history(steps: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..steps)
}

/// One event as it was applied, and what the cache answered.
#[derive(Clone, Debug)]
pub struct Played {
    /// The event.
    pub event: Event<Toy>,
    /// When, by the caller's clock.
    pub now: Timestamp,
    /// The answer.
    pub answer: Result<Applied, Error>,
}

/// An operation, as the client that asked for it remembers it.
#[derive(Clone, Debug)]
struct Asked {
    operation: OperationId,
    id: String,
    kind: Kind,
    /// What an update sets, or a new resource has; a mark has none.
    patch: Option<[Option<i64>; FIELD_COUNT]>,
    /// What the server made of a creation.
    made: Option<Toy>,
}

/// Plays histories on a cache and a server.
#[derive(Clone, Debug)]
pub struct Player {
    /// The cache under test.
    pub cache: ResourceCache<Toy>,
    /// The server that it lists.
    pub server: Server,
    /// The caller's clock, which may step back.
    pub now: i64,
    /// The server's clock, which does not.
    pub time: i64,
    operations: Vec<Asked>,
    fetches: Vec<(FetchToken, Vec<Toy>)>,
    /// The answer of the call whose fetch is about to begin.
    listing: Option<Vec<Toy>>,
    told: usize,
    created: usize,
}

impl Player {
    /// A cache with these settings, and a fresh server; with `versions`, it gives versions.
    pub fn new(config: Config, versions: bool) -> Self {
        Self {
            cache: ResourceCache::new(config),
            server: Server::new(versions),
            now: 1_000_000,
            time: 1_000_000,
            operations: Vec::new(),
            fetches: Vec::new(),
            listing: None,
            told: 0,
            created: 0,
        }
    }

    /// The settings for short histories: a TTL of a second, stale after five.
    pub fn config() -> Config {
        let mut config = Config::default();
        config.ttl_ms = 1000;
        config.stale_after_ms = 5000;
        config.completed_shown_ms = 200;
        config.error_shown_ms = 500;
        config.retry_backoff_ms = 100;
        config
    }

    /// Applies an event now.
    pub fn apply(&mut self, event: Event<Toy>) -> Played {
        let now = Timestamp(self.now);
        let answer = self.cache.apply(event.clone(), now);
        Played { event, now, answer }
    }

    /// Plays a step: at most one event.
    pub fn play(&mut self, step: &Step) -> Option<Played> {
        let event = self.event(step)?;
        let played = self.apply(event);
        self.note(&played);
        Some(played)
    }

    fn note(&mut self, played: &Played) {
        let Ok(applied) = &played.answer else { return };
        if let (Some(token), Some(list)) = (applied.token, self.listing.take()) {
            self.fetches.push((token, list));
        }
        let Some(operation) = applied.operation() else {
            return;
        };
        let (id, kind, patch) = match &played.event {
            Event::Begin {
                id, kind, patch, ..
            } => (id.to_string(), *kind, *patch),
            // The fields mark it as a new resource.
            Event::Create { resource, .. } => (
                resource.id.clone(),
                Kind::Create,
                Some(resource.fields.map(Some)),
            ),
            _ => return,
        };
        if self.operations.iter().all(|o| o.operation != operation) {
            self.operations.push(Asked {
                operation,
                id,
                kind,
                patch,
                made: None,
            });
        }
    }

    fn event(&mut self, step: &Step) -> Option<Event<Toy>> {
        let id = |index: usize| IDS[index].into();
        let one = |field: usize, value| {
            let mut patch = [None; FIELD_COUNT];
            patch[field] = Some(value);
            patch
        };
        Some(match *step {
            Step::Wait { ms } => {
                self.now += ms;
                self.time += ms;
                return None;
            }
            Step::StepBack { ms } => {
                self.now -= ms;
                return None;
            }
            Step::Tick => Event::HandleTimeout,
            Step::Delete { id: i, ttl } => Event::Begin {
                id: id(i),
                kind: Kind::Delete,
                patch: None,
                min_ttl_ms: ttl,
            },
            Step::Update {
                id: i,
                field,
                value,
            } => Event::Begin {
                id: id(i),
                kind: Kind::Update,
                patch: Some(one(field, value)),
                min_ttl_ms: None,
            },
            Step::Mark { id: i, kind } => Event::Begin {
                id: id(i),
                kind,
                patch: None,
                min_ttl_ms: None,
            },
            Step::Create { value } => {
                self.created += 1;
                let name = if self.created.is_multiple_of(2) {
                    "t1"
                } else {
                    "t2"
                };
                Event::Create {
                    resource: Toy::new(name, [value, 0, 0]),
                    min_ttl_ms: None,
                }
            }
            Step::Recreate { id: i, value } => Event::Create {
                resource: Toy::new(IDS[i], [value, 7, 7]),
                min_ttl_ms: None,
            },
            Step::Acknowledge { op, answer } => return self.acknowledge(op, answer),
            Step::Fail { op, retry } => Event::Fail {
                operation: self.operation(op)?,
                error: "503".into(),
                retry: if retry { Retry::Backoff } else { Retry::No },
            },
            Step::Attempt { op } => Event::Attempt {
                operation: self.operation(op)?,
            },
            Step::Cancel { op } => Event::Cancel {
                operation: self.operation(op)?,
            },
            Step::Complete { id: i } => Event::Complete { id: id(i) },
            Step::Revert { id: i } => Event::Revert { id: id(i) },
            Step::Remove { id: i } => Event::Remove { id: id(i) },
            Step::Answer {
                id: i,
                field,
                value,
            } => {
                self.server.update(IDS[i], &one(field, value), self.time);
                Event::UpdateInPlace {
                    id: id(i),
                    patch: one(field, value),
                }
            }
            Step::Progress { id: i, percent } => {
                #[allow(clippy::cast_precision_loss)] // small
                let progress = Change::Set(percent as f64);
                Event::UpdateMetadata {
                    id: id(i),
                    patch: MetadataPatch {
                        progress,
                        ..MetadataPatch::default()
                    },
                }
            }
            Step::Cleanup { ms } => Event::CleanupStaleOperations { older_than_ms: ms },
            Step::ServerUpdate {
                id: i,
                field,
                value,
            } => {
                self.server.update(IDS[i], &one(field, value), self.time);
                return None;
            }
            Step::ServerDelete { id: i } => {
                self.server.delete(IDS[i], self.time);
                return None;
            }
            _ => return self.observation(step),
        })
    }

    fn observation(&mut self, step: &Step) -> Option<Event<Toy>> {
        Some(match step {
            Step::List { lag } => {
                Event::Merge(Snapshot::complete(self.server.list(self.time, *lag)))
            }
            Step::ListSome { lag, ids } => {
                let ids: Vec<&str> = ids.iter().map(|i| IDS[*i]).collect();
                let mut items = self.server.list(self.time, *lag);
                items.retain(|t| ids.contains(&t.id.as_str()));
                let covered = ids.into_iter().map(Into::into).collect();
                Event::Merge(Snapshot::complete(items).covering(Coverage::Ids(covered)))
            }
            Step::Fetch { lag } => {
                let list = self.server.list(self.time, *lag);
                self.listing = Some(list);
                Event::BeginFetch
            }
            Step::Deliver { fetch } => {
                if self.fetches.is_empty() {
                    return None;
                }
                let (token, list) = self.fetches.remove(fetch % self.fetches.len());
                Event::Merge(Snapshot::complete(list).with_token(token))
            }
            Step::Watch => {
                let told = self.server.told.get(self.told)?.clone();
                self.told += 1;
                Event::Observe(match told {
                    Told::Added(toy) => WatchEvent::Added(toy),
                    Told::Modified(toy) => WatchEvent::Modified(toy),
                    Told::Deleted(toy) => WatchEvent::Deleted(toy),
                })
            }
            Step::Bookmark => Event::Observe(WatchEvent::Bookmark { version: None }),
            _ => Event::Observe(WatchEvent::Expired),
        })
    }

    /// One of the newest operations.
    fn operation(&self, back: usize) -> Option<OperationId> {
        self.operations.iter().rev().nth(back).map(|o| o.operation)
    }

    /// The id by which the server has what the client names so.
    fn real(&self, id: &str) -> String {
        let creation = |o: &&Asked| o.kind == Kind::Create && o.patch.is_some() && o.id == id;
        let made = self
            .operations
            .iter()
            .rfind(creation)
            .and_then(|o| o.made.as_ref());
        made.map_or(id, |toy| &toy.id).to_string()
    }

    /// The server accepts an operation: it does it, and may answer.
    fn acknowledge(&mut self, back: usize, answer: bool) -> Option<Event<Toy>> {
        let index = self.operations.len().checked_sub(back + 1)?;
        let asked = self.operations[index].clone();
        let operation = asked.operation;
        let real = self.real(&asked.id);
        let answer = match (asked.kind, asked.patch) {
            (Kind::Create, Some(_)) if asked.made.is_some() => asked.made,
            (Kind::Create, Some(fields)) => {
                let fields = fields.map(Option::unwrap_or_default);
                let own = (!asked.id.starts_with('t')).then_some(&*asked.id);
                if own.is_some_and(|id| self.server.list(i64::MAX, 0).iter().any(|t| t.id == id)) {
                    let error = "409: exists already".into();
                    return Some(Event::Fail {
                        operation,
                        error,
                        retry: Retry::No,
                    });
                }
                let made = self.server.create(own, fields, None, self.time);
                self.operations[index].made = Some(made.clone());
                Some(made) // under a temporary id, the client needs the real one
            }
            (Kind::Update, patch) => {
                let updated = self
                    .server
                    .update(&real, &patch.unwrap_or_default(), self.time);
                updated.filter(|_| answer)
            }
            (Kind::Delete, _) => {
                self.server.delete(&real, self.time);
                None
            }
            (Kind::Create | Kind::Process, _) => None,
        };
        Some(Event::Acknowledge { operation, answer })
    }
}
