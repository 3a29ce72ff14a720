//! Plays the steps of a history: moves messages, and turns what clients do into events.

use resourcecache::{Change, Event, Kind, MetadataPatch, Retry, WatchEvent};

use super::attempts::{as_asked, reported};
use super::client::{Client, Lab};
use super::dice::Dice;
use super::law::Broken;
use super::model::ServerModel;
use super::network::{Call, Flight, Network, Stage, Stream};
use super::remembered::{Remembered, state_of};
use super::step::{Act, Asked, Step, Tag, Write};
use super::tamper::Tamper;
use super::undo_laws;
use super::watcher::Watcher;
use super::world::{Style, World};
use crate::coverage::Coverage;

/// 2025-01-19T00:00:00Z, from which the times of scenario files count.
pub(crate) const EPOCH_MS: i64 = 1_737_244_800_000;

type Played<S> = Result<(), Broken<<S as ServerModel>::Resource>>;

/// A world at some time.
pub(crate) struct Play<S: ServerModel> {
    pub(crate) world: World,
    pub(crate) network: Network<S>,
    pub(crate) clients: Vec<Client<S::Resource>>,
    pub(crate) now: i64,
    pub(crate) coverage: Coverage,
    /// The client that has acted last.
    pub(crate) acting: usize,
    pub(crate) tamper: Tamper<S::Resource>,
}

impl<S: ServerModel> Play<S> {
    pub(crate) fn new(world: World, mut server: S, tamper: Tamper<S::Resource>) -> Self {
        let mut dice = Dice::new(world.seed ^ 0x6865_6c64_0000_0000);
        for number in 0..world.held {
            let wanted = server.invent(&format!("h{number}"), &mut dice);
            let _ = server.create(&wanted);
        }
        let mut config = world.config.clone();
        (tamper.config)(&mut config);
        let client = |index: usize| {
            let mut config = config.clone();
            if world.queued > 0 {
                // A seed of its own, short enough to be a number in any language.
                config.seed = dice.bits() >> 32;
            }
            let mut client = Client::new(index, &world.config, config);
            client.watcher = world.session.as_ref().map(|settings| {
                let mut config = settings.clone();
                (tamper.watch)(&mut config);
                Watcher::new(settings, config, world.seed ^ index as u64)
            });
            client
        };
        let mut network = Network::new(server, world.replicas, world.page);
        network.tells_failures = world.session.is_some();
        Self {
            clients: (0..world.clients.max(1)).map(client).collect(),
            network,
            world,
            now: EPOCH_MS,
            coverage: Coverage::default(),
            acting: 0,
            tamper,
        }
    }

    /// Plays one step.
    pub(crate) fn step(&mut self, step: &Step<S::Resource>) -> Played<S> {
        match step {
            Step::Wait { ms } => self.now += ms,
            Step::Client { client, act } => {
                let index = client % self.clients.len();
                self.acting = index;
                return self.act(index, act);
            }
            Step::Serve { flight } => {
                self.network.serve(*flight);
                return self.check_served(*flight);
            }
            Step::Refuse { flight, after_ms } => self.network.refuse(*flight, *after_ms),
            Step::Read { flight, replica } => self.network.read(*flight, *replica),
            Step::Deliver { flight, again } => return self.deliver(*flight, *again),
            Step::Lose { flight } => drop(self.network.flights.remove(flight)),
            Step::CatchUp { replica, by } => self.network.catch_up(*replica, *by),
            Step::Compact { keep } => self.network.compact(*keep),
            Step::Other { write } => drop(self.network.write(write)),
        }
        Ok(())
    }

    /// Gives a client's cache an event.
    pub(crate) fn give(
        &mut self,
        client: usize,
        event: Event<S::Resource>,
        tag: Option<Tag>,
    ) -> Result<Option<resourcecache::Applied>, Broken<S::Resource>> {
        self.give_as(client, event.clone(), event, tag)
    }

    /// Gives a client's cache an event that means another one, in the words of a client.
    pub(crate) fn give_as(
        &mut self,
        client: usize,
        given: Event<S::Resource>,
        event: Event<S::Resource>,
        tag: Option<Tag>,
    ) -> Result<Option<resourcecache::Applied>, Broken<S::Resource>> {
        self.acting = client;
        let mut lab = Lab {
            coverage: &mut self.coverage,
            tamper: &self.tamper,
        };
        self.clients[client].take(given, event, tag, self.now, &mut lab)
    }

    fn act(&mut self, index: usize, act: &Act<S::Resource>) -> Played<S> {
        let client = &mut self.clients[index];
        match act {
            Act::StepBack { ms } => {
                client.ahead -= ms;
                self.coverage.met("T1");
            }
            Act::Save => client.save(),
            Act::Crash => {
                self.network.hang_up(index);
                return client.crash(self.now);
            }
            Act::Double => {
                // Loading does what is due, as every entry does.
                self.give(index, Event::HandleTimeout, None)?;
                return self.clients[index].be_doubled(self.now);
            }
            Act::CatchUp => return client.read(),
            Act::Send { operation, flight } => self.send(index, *operation, *flight),
            Act::Ask { flight, what } => return self.ask(index, *flight, what),
            Act::Watch { replica, from } => {
                client.stream = Some(Stream {
                    replica: replica % self.network.replicas.len(),
                    next: (*from).max(1),
                });
            }
            Act::Break => client.stream = None,
            Act::Poll { flight } => return self.poll(index, *flight),
            Act::Resend { operation, flight } => return self.resend(index, *operation, *flight),
            Act::Watching(act) => return self.watching(index, act),
            Act::BackAndForth => {
                self.give(index, Event::HandleTimeout, None)?;
                let client = &mut self.clients[index];
                return undo_laws::back_and_forth(client, self.now, &self.tamper);
            }
            _ => {
                let tag = match act {
                    Act::Begin { operation, .. }
                    | Act::Batch { operation, .. }
                    | Act::Process { operation, .. }
                    | Act::Undo { operation }
                    | Act::Redo { operation } => Some(*operation),
                    _ => None,
                };
                if matches!(
                    act,
                    Act::Undo { .. } | Act::Redo { .. } | Act::Complete { .. }
                ) {
                    // What is due is none of its doing.
                    self.give(index, Event::HandleTimeout, None)?;
                }
                if let Some(event) = self.event(index, act) {
                    self.give(index, event, tag)?;
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, index: usize, act: &Act<S::Resource>) -> Option<Event<S::Resource>> {
        let client = &mut self.clients[index];
        let operation = |tag: &Tag| client.memory.by_tag(*tag).map(|o| o.operation);
        Some(match act {
            Act::Tick => Event::HandleTimeout,
            Act::Begin {
                write, ttl_ms, how, ..
            } => as_asked(begin(write, *ttl_ms), how),
            Act::Batch { writes, how, .. } => {
                let begin = |write| begin(write, None);
                as_asked(Event::Batch(writes.iter().map(begin).collect()), how)
            }
            Act::Process { id, how, .. } => {
                as_asked(begin(&Write::Process { id: id.clone() }, None), how)
            }
            Act::Online { online } => {
                client.online = *online;
                Event::SetOnline { online: *online }
            }
            Act::Undo { .. } => Event::Undo,
            Act::Redo { .. } => Event::Redo,
            Act::ClearHistory => Event::ClearHistory,
            Act::GiveUp {
                operation: tag,
                retry,
            } => Event::Fail {
                operation: operation(tag)?,
                error: "504: no answer".into(),
                retry: if *retry { Retry::Backoff } else { Retry::No },
            },
            Act::Attempt { operation: tag } => Event::Attempt {
                operation: operation(tag)?,
            },
            Act::Cancel { operation: tag } => Event::Cancel {
                operation: operation(tag)?,
            },
            Act::Complete { id } => Event::Complete {
                id: id.as_str().into(),
            },
            Act::Progress { id, percent } => {
                let progress = Change::Set(f64::from(*percent));
                Event::UpdateMetadata {
                    id: id.as_str().into(),
                    patch: MetadataPatch {
                        progress,
                        ..MetadataPatch::default()
                    },
                }
            }
            Act::Reach { id, stage, part } => Event::UpdateMetadata {
                id: id.as_str().into(),
                patch: MetadataPatch {
                    stage: Change::Set(stage.clone()),
                    stage_progress: part.map_or(Change::Keep, |part| Change::Set(part.into())),
                    ..MetadataPatch::default()
                },
            },
            Act::Revert { id } => Event::Revert {
                id: id.as_str().into(),
            },
            Act::Remove { id } => Event::Remove {
                id: id.as_str().into(),
            },
            Act::Cleanup { ms } => Event::CleanupStaleOperations { older_than_ms: *ms },
            Act::Next | Act::Bookmark | Act::Expire => return self.watched(index, act),
            _ => return None,
        })
    }

    /// What a client's stream tells.
    fn watched(&mut self, index: usize, act: &Act<S::Resource>) -> Option<Event<S::Resource>> {
        let client = &mut self.clients[index];
        let stream = client.stream.as_mut()?;
        let event = match act {
            Act::Next => {
                let known = self.network.replicas[stream.replica];
                let next = stream.next;
                let moment = self.network.past.get(next).filter(|_| next <= known)?;
                stream.next += 1;
                moment.told.clone()?
            }
            Act::Bookmark => WatchEvent::Bookmark {
                version: self.network.past[stream.next - 1].version.clone(),
            },
            _ => {
                client.stream = None;
                WatchEvent::Expired
            }
        };
        Some(Event::Observe(event))
    }

    /// A call leaves, unless its operation waits or has left.
    fn send(&mut self, index: usize, tag: Tag, flight: Tag) {
        let client = &self.clients[index];
        let Some(one) = client.memory.by_tag(tag).filter(|o| can_send(client, o)) else {
            return;
        };
        let id = one.id.clone();
        let write = match one.kind {
            Kind::Create => one.new.clone().map(Write::Create),
            Kind::Update => one.patch.clone().map(|patch| Write::Update { id, patch }),
            Kind::Delete => Some(Write::Delete { id }),
            Kind::Process => None,
        };
        let Some(write) = write else { return };
        let call = Call {
            operation: tag,
            write,
            key: None,
        };
        self.start(index, flight, Stage::Call(call));
    }

    /// A call has reached the primary.
    fn check_served(&self, flight: Tag) -> Played<S> {
        let flight = self.network.flights.get(&flight);
        match flight.map(|flight| (&flight.stage, flight.client)) {
            Some((Stage::Answer { call, .. }, client)) => self.check_done_once(call, client),
            _ => Ok(()),
        }
    }

    pub(crate) fn start(&mut self, client: usize, flight: Tag, stage: Stage<S::Resource>) {
        let started = Flight {
            client,
            stage,
            arrived: false,
        };
        self.network.flights.insert(flight, started);
    }

    fn ask(&mut self, index: usize, flight: Tag, what: &Asked) -> Played<S> {
        let mut token = None;
        if self.world.fetch_tokens {
            let applied = self.give(index, Event::BeginFetch, None)?;
            token = applied.and_then(|a| a.token);
        }
        let what = what.clone();
        self.start(index, flight, Stage::List { token, what });
        Ok(())
    }

    /// An answer arrives.
    fn deliver(&mut self, tag: Tag, again: bool) -> Played<S> {
        let Some(flight) = self.network.flights.get_mut(&tag) else {
            return Ok(());
        };
        let index = flight.client;
        let event = match &flight.stage {
            Stage::Call(_) | Stage::List { .. } => return Ok(()),
            Stage::Listed(snapshot) => Some(Event::Merge(snapshot.clone())),
            Stage::Answer {
                call,
                answer,
                after_ms,
            } => {
                let known = self.clients[index].memory.by_tag(call.operation);
                known.map(|one| answered(&self.world, one, answer, *after_ms))
            }
        };
        flight.arrived = true;
        if !again {
            self.network.flights.remove(&tag);
        }
        if let Some(event) = event {
            self.give(index, event, None)?;
        }
        Ok(())
    }
}

/// Whether the call of an operation can leave: it runs, and does not wait for a creation.
pub(crate) fn can_send<R: super::Subject>(client: &Client<R>, one: &Remembered<R>) -> bool {
    let state = state_of(&client.cache, one);
    let waits = client.memory.operations.iter().any(|o| {
        o.new.is_some() && o.acked.is_none() && o.operation < one.operation && o.id == one.id
    });
    let ours = one.sending.is_none();
    ours && !waits && matches!(state, Some(resourcecache::State::Running(_)))
}

fn begin<R: super::Subject>(write: &Write<R>, min_ttl_ms: Option<u64>) -> Event<R> {
    let (id, kind, patch) = match write {
        Write::Create(resource) => {
            return Event::Create {
                resource: resource.clone(),
                min_ttl_ms: None,
            };
        }
        Write::Update { id, patch } => (id, Kind::Update, Some(patch.clone())),
        Write::Updates { id, patches } => (id, Kind::Update, patches.last().cloned()),
        Write::Process { id } => (id, Kind::Process, None),
        Write::Delete { id } => (id, Kind::Delete, None),
    };
    Event::Begin {
        id: id.as_str().into(),
        kind,
        patch,
        min_ttl_ms,
    }
}

/// How a client tells its cache of an answer.
pub(crate) fn answered<R: super::Subject>(
    world: &World,
    one: &Remembered<R>,
    answer: &Result<R, String>,
    after_ms: Option<u64>,
) -> Event<R> {
    let operation = one.operation;
    let tells = one.kind == Kind::Create || one.kind == Kind::Update && world.answers;
    if one.sending.is_some() {
        return reported(operation, one.kind, answer, tells, after_ms);
    }
    let body = match answer {
        Ok(body) => body,
        Err(error) => {
            return Event::Fail {
                operation,
                error: error.clone(),
                retry: Retry::No,
            };
        }
    };
    let id = one.id.as_str().into();
    match (world.style, one.kind, &one.patch, &one.new) {
        (Style::Ids, Kind::Create, _, Some(new)) => Event::ReplaceCreated {
            temp_id: new.id().into(),
            resource: body.clone(),
        },
        (Style::Ids, Kind::Update, Some(patch), _) => Event::UpdateInPlace {
            id,
            patch: body.pick(patch),
        },
        (Style::Ids, Kind::Delete, ..) => Event::Remove { id },
        _ => Event::Acknowledge {
            operation,
            answer: tells.then(|| body.clone()),
        },
    }
}
