//! A client: the real cache, what it has asked for, a list call that may be on its way, and a form
//! by which two clients are the same.

use std::hash::{DefaultHasher, Hash, Hasher};

use resourcecache::{
    Config, Event, FetchToken, Kind, OperationId, ResourceCache, Retry, Settlement, Snapshot,
    Timestamp, VersionOrder,
};
use resourcecache_testing::{FIELD_COUNT, Toy};

use crate::form::form;
use crate::server;
use crate::world::{Ask, Mistake, STALE_MS, TEMPORARY, TTL_MS, World};

/// One client. Two are equal when nothing that can happen tells them apart.
#[derive(Clone)]
pub struct Client {
    cache: ResourceCache<Toy>,
    /// A list that was taken and has not arrived.
    fetch: Option<(FetchToken, Vec<Toy>)>,
    /// The number of each of the world's operations at this client.
    operations: Vec<Option<OperationId>>,
    /// What follows is of these, to be looked at often.
    form: u64,
    shown: Vec<(String, [i64; FIELD_COUNT])>,
    outcomes: Vec<(OperationId, Settlement, i64)>,
    settled: bool,
}

/// Operations that were done at the server, in order, by their numbers.
pub(crate) type Done = Vec<usize>;

/// What happens to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// Its user asks for an operation.
    Begin(usize),
    /// The server has done it, as the last of these.
    Accepted(usize, Done),
    /// The server has refused it.
    Refused(usize),
    /// It lists a replica that knows of these.
    List(Done),
    /// The same, but the answer is on its way.
    Fetch(Done),
    /// The answer arrives.
    Receive,
    /// Time has passed.
    Tick,
}

impl Client {
    /// A client that has listed what the server has at first.
    pub(crate) fn new(world: &World) -> Self {
        let ms = i64::unsigned_abs;
        let mut config = Config::default();
        config.ttl_ms = match world.mistake {
            Mistake::NoTtl => 0,
            _ => ms(TTL_MS),
        };
        config.stale_after_ms = ms(STALE_MS);
        config.completed_shown_ms = 5;
        config.error_shown_ms = 5;
        config.version_order = VersionOrder::Integer;
        let client = Self {
            cache: ResourceCache::new(config),
            fetch: None,
            operations: vec![None; world.asks.len()],
            form: 0,
            shown: Vec::new(),
            outcomes: Vec::new(),
            settled: false,
        };
        let listed = client.after(world, &Happening::List(Vec::new()), Timestamp(0));
        listed.expect("a first list")
    }

    /// The client after this; `None` when the cache refuses what its user asks for.
    pub(crate) fn after(
        &self,
        world: &World,
        happening: &Happening,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = self.clone();
        match happening {
            Happening::Begin(number) => {
                let event = begin(world.asks[*number].1);
                let begun = next.cache.apply(event, now).ok()?;
                next.operations[*number] = begun.operation();
            }
            Happening::Accepted(number, done) => {
                let event = next.accepted(world, *number, done)?;
                // What comes after the operation was forgotten is refused.
                let _ = next.cache.apply(event, now);
            }
            Happening::Refused(number) => {
                let event = Event::Fail {
                    operation: next.operations[*number]?,
                    error: "refused".into(),
                    retry: Retry::No,
                };
                let _ = next.cache.apply(event, now);
            }
            Happening::List(done) => {
                next.fetch(server::list(world, done), now);
                next.receive(now);
            }
            Happening::Fetch(done) => next.fetch(server::list(world, done), now),
            Happening::Receive => next.receive(now),
            Happening::Tick => {
                next.cache.handle_timeout(now).expect("time passes");
            }
        }
        next.look();
        Some(next)
    }

    fn accepted(&self, world: &World, number: usize, done: &Done) -> Option<Event<Toy>> {
        let ask = world.asks[number].1;
        if world.mistake == Mistake::MarkTakenOff {
            return Some(Event::Revert {
                id: ask.id().into(),
            });
        }
        let answers = ask == Ask::Create || (world.versions && ask.patch().is_some());
        let list = server::list(world, done).into_iter();
        let mut own = list.filter(|toy| answers && toy.id == ask.real_id());
        Some(Event::Acknowledge {
            operation: self.operations[number]?,
            answer: own.next(),
        })
    }

    fn fetch(&mut self, list: Vec<Toy>, now: Timestamp) {
        let (token, _) = self.cache.begin_fetch(now);
        self.fetch = Some((token, list));
    }

    fn receive(&mut self, now: Timestamp) {
        if let Some((token, list)) = self.fetch.take() {
            let snapshot = Snapshot::complete(list).with_token(token);
            self.cache.merge(snapshot, now).expect("a list");
        }
    }

    fn look(&mut self) {
        let mut hasher = DefaultHasher::new();
        self.operations.hash(&mut hasher);
        form(&self.cache, self.fetch.as_ref()).hash(&mut hasher);
        self.form = hasher.finish();
        let visible = self.cache.visible();
        let visible = visible.map(|item| (item.id().to_string(), item.body().fields));
        self.shown = visible.collect();
        let outcomes = self.cache.outcomes();
        let outcomes = outcomes.map(|o| (o.operation, o.settlement, o.at.0));
        self.outcomes = outcomes.collect();
        self.settled = !self.cache.should_poll();
    }

    /// Whether a list is on its way.
    pub(crate) fn is_listing(&self) -> bool {
        self.fetch.is_some()
    }

    /// How an operation settled, each time that it did, and when.
    pub(crate) fn outcomes(&self, number: usize) -> impl Iterator<Item = (Settlement, i64)> {
        let own = self.operations[number];
        let own = self.outcomes.iter().filter(move |o| Some(o.0) == own);
        own.map(|o| (o.1, o.2))
    }

    /// What is visible: ids and fields.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&str, [i64; FIELD_COUNT])> {
        self.shown.iter().map(|(id, fields)| (id.as_str(), *fields))
    }

    /// Whether no operation is unsettled.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    /// By this, two clients are the same.
    pub(crate) fn form(&self) -> u64 {
        self.form
    }
}

fn begin(ask: Ask) -> Event<Toy> {
    let (kind, id) = match ask {
        Ask::Create => {
            let mut resource = Toy::new(TEMPORARY, [9, 0, 0]);
            resource.token = Some(TEMPORARY.into());
            return Event::Create {
                resource,
                min_ttl_ms: None,
            };
        }
        Ask::Update { id, .. } => (Kind::Update, id),
        Ask::Delete { id } => (Kind::Delete, id),
        Ask::Process { id } => (Kind::Process, id),
    };
    Event::Begin {
        id: id.into(),
        kind,
        patch: ask.patch(),
        min_ttl_ms: None,
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

impl Hash for Client {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.form.hash(state);
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Client").field(&self.shown).finish()
    }
}
