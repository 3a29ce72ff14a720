//! Chooses the next step by dice, among what can happen in the world as it is.

use std::collections::VecDeque;

use resourcecache::{Kind, State};

use super::client::Client;
use super::dice::Dice;
use super::model::{ServerModel, Subject};
use super::network::Stage;
use super::play::{Play, can_send};
use super::remembered::{Remembered, state_of};
use super::step::{Act, Asked, Step, Tag, Write};
use super::world::Style;

/// How users, clients and the network choose what they do.
pub(crate) struct Chooser<R: Subject> {
    pub(crate) dice: Dice,
    /// What follows from what was chosen.
    pub(crate) next: VecDeque<Step<R>>,
    pub(crate) tags: Tag,
}

/// What may come next.
#[derive(Clone, Copy)]
enum What {
    Wait,
    Message,
    CatchUp,
    Other,
    Work,
    Client,
}

impl<R: Subject> Chooser<R> {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            next: VecDeque::new(),
            tags: 0,
        }
    }

    pub(crate) fn tag(&mut self) -> Tag {
        self.tags += 1;
        self.tags
    }

    /// The next step.
    pub(crate) fn choose<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> Step<R> {
        if let Some(step) = self.next.pop_front() {
            return step;
        }
        let messages = if play.network.flights.is_empty() {
            0
        } else {
            28
        };
        let what = self.dice.weighted(&[
            (12, What::Wait),
            (messages, What::Message),
            (8, What::CatchUp),
            (play.world.others, What::Other),
            (if play.world.plans { 8 } else { 0 }, What::Work),
            (50, What::Client),
        ]);
        match what {
            Some(What::Message) => self.message(play),
            Some(What::CatchUp) => Step::CatchUp {
                replica: self.dice.below(play.network.replicas.len()),
                by: *self.dice.pick(&[1, 1, 2, 1_000]).unwrap_or(&1),
            },
            Some(What::Other) => self.other(play),
            Some(What::Work) => self.work(play).unwrap_or_else(|| self.wait(play)),
            Some(What::Client) => {
                let client = self.dice.below(play.clients.len());
                let act = self.act(play, client);
                act.map_or_else(|| self.wait(play), |act| Step::Client { client, act })
            }
            _ => self.wait(play),
        }
    }

    fn wait<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> Step<R> {
        let config = &play.world.config;
        let ms = |ms: u64| i64::try_from(ms).unwrap_or(0);
        let (ttl, stale) = (ms(config.ttl_ms), ms(config.stale_after_ms));
        let often = [
            1,
            20,
            100,
            100,
            ttl / 3,
            ttl / 3,
            ttl - 1,
            ttl,
            ttl + 1,
            2 * ttl,
            stale,
        ];
        Step::Wait {
            ms: *self.dice.pick(&often).unwrap_or(&1),
        }
    }

    fn message<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> Step<R> {
        let flights = &play.network.flights;
        let at = self.dice.below(flights.len());
        let Some((&flight, message)) = flights.iter().nth(at) else {
            return self.wait(play);
        };
        if self.dice.chance(play.world.lost) || message.arrived && self.dice.chance(50) {
            return Step::Lose { flight };
        }
        let twice = self.dice.chance(play.world.twice);
        match &message.stage {
            Stage::Call(call) => {
                let busy = play.world.busy;
                if call.key.is_some() && busy > 0 && self.dice.chance(busy) {
                    let after_ms = *self.dice.pick(&[None, None, Some(700)]).unwrap_or(&None);
                    return Step::Refuse { flight, after_ms };
                }
                Step::Serve { flight }
            }
            Stage::Answer { .. } if twice && self.dice.chance(30) => Step::Serve { flight },
            Stage::List { .. } => Step::Read {
                flight,
                replica: self.dice.below(play.network.replicas.len()),
            },
            // Its stream tells, where it has a session.
            Stage::Answer { answer: Err(_), .. }
                if play.world.session.is_some() && self.dice.chance(60) =>
            {
                Step::Lose { flight }
            }
            Stage::Listed(_) => Step::Deliver {
                flight,
                again: twice,
            },
            Stage::Answer { call, answer, .. } => {
                self.close(play, message.client, call.operation, answer.is_ok());
                Step::Deliver {
                    flight,
                    again: twice,
                }
            }
        }
    }

    /// By id, an update is closed by `revert` once its answer was taken.
    fn close<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
        operation: Tag,
        done: bool,
    ) {
        let closes = done && play.world.style == Style::Ids;
        let known = play.clients[client].memory.by_tag(operation);
        let by_id = |o: &&Remembered<R>| o.kind == Kind::Update && o.sending.is_none();
        if let Some(one) = known.filter(|o| closes && by_id(o)) {
            let id = one.id.clone();
            let act = Act::Revert { id };
            self.next.push_back(Step::Client { client, act });
        }
    }

    fn other<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> Step<R> {
        let held = play.network.truth();
        let chosen = self.dice.pick(&held).map(|body| body.id().to_string());
        let write = match (self.dice.below(6), chosen) {
            (0, _) | (_, None) => {
                let id = self.new_id(play);
                Write::Create(play.network.server.invent(&id, &mut self.dice))
            }
            (1, Some(id)) => Write::Delete { id },
            (_, Some(id)) => self.edit(play, id),
        };
        Step::Other { write }
    }

    pub(crate) fn edit<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        id: String,
    ) -> Write<R> {
        let held = play.network.truth();
        let body = held.iter().find(|body| body.id() == id).cloned();
        let server = &play.network.server;
        let body = body.unwrap_or_else(|| server.invent(&id, &mut self.dice));
        let patch = server.edit(&body, &mut self.dice);
        Write::Update { id, patch }
    }

    /// An id for a new resource: a temporary one, or a final one, of few.
    pub(crate) fn new_id<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> String {
        if play.network.server.names_are_the_clients() {
            return format!("n{}", self.dice.below(5));
        }
        let few = self.dice.chance(20);
        let number = if few { self.dice.below(3) } else { self.tag() };
        format!("t{number}")
    }

    /// An id that a user may speak of: mostly one that is shown.
    pub(crate) fn id<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<String> {
        let this = &play.clients[client];
        let shown = self.dice.pick(&this.shown).map(|row| row.id.clone());
        let mine = self.dice.pick(&this.memory.operations);
        let mine = mine.map(|o| o.id.clone());
        let held = play.network.truth();
        let held = self.dice.pick(&held).map(|body| body.id().to_string());
        match self.dice.below(10) {
            0 => held.or(shown),
            1 | 2 => mine.or(shown),
            _ => shown.or(held),
        }
    }

    /// An operation that this is true of.
    pub(crate) fn operation(
        &mut self,
        client: &Client<R>,
        is: impl Fn(&Remembered<R>) -> bool,
    ) -> Option<Tag> {
        let open = client.memory.open().filter(|o| is(o));
        let open: Vec<Tag> = open.map(|o| o.tag).collect();
        self.dice.pick(&open).copied()
    }

    fn act<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        if let Some(act) = self.session(play, client) {
            return Some(act);
        }
        if let Some(act) = self.more(play, client) {
            return Some(act);
        }
        match self.dice.below(100) {
            0..28 => self.begin(play, client),
            28..40 => self.go_on(play, client),
            // Its session asks for lists.
            40..68 if play.world.session.is_some() => Some(Act::Tick),
            40..52 => Some(self.ask(play)),
            52..68 if play.world.watch => self.watch(play, client),
            52..68 => Some(self.ask(play)),
            68..74 => Some(Act::Tick),
            74..88 => self.by_id(play, client),
            88..92 => Some(Act::Save),
            92..94 if play.world.crashes => Some(Act::Crash),
            94..96 => Some(Act::Double),
            96..97 if play.world.clocks_step_back => Some(Act::StepBack {
                ms: *self.dice.pick(&[1, 300, 5_000]).unwrap_or(&1),
            }),
            _ => Some(Act::CatchUp),
        }
    }

    fn begin<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        let operation = self.tag();
        let chosen = self.id(play, client);
        let (write, ttl_ms) = match (self.dice.below(12), chosen) {
            (0..3, _) | (_, None) => {
                let id = self.new_id(play);
                let new = play.network.server.invent(&id, &mut self.dice);
                (Write::Create(new), None)
            }
            (3..6, Some(id)) => {
                let longer = self.dice.chance(15);
                let ttl_ms = longer.then_some(play.world.config.ttl_ms * 2);
                (Write::Delete { id }, ttl_ms)
            }
            (6..7, Some(id)) => {
                let how = self.how(play, operation, false);
                if how.queue.is_some() {
                    self.then_send(client, operation, &how);
                }
                return Some(Act::Process { operation, id, how });
            }
            (_, Some(id)) => (self.edit(play, id), None),
        };
        let how = self.how(play, operation, true);
        self.then_send(client, operation, &how);
        Some(Act::Begin {
            operation,
            write,
            ttl_ms,
            how,
        })
    }

    /// Goes on with an operation: sends it, waits no longer, tries again, takes it back.
    fn go_on<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        let this = &play.clients[client];
        match self.dice.below(10) {
            0..4 => {
                let operation = self.operation(this, |o| can_send(this, o))?;
                let flight = self.tag();
                Some(Act::Send { operation, flight })
            }
            4..6 => {
                let waits = |o: &Remembered<R>| {
                    o.sending.is_none() || this.cache.attempt_of(o.operation).is_some()
                };
                let operation = self.operation(this, waits)?;
                let retry = self.dice.chance(70);
                Some(Act::GiveUp { operation, retry })
            }
            6..8 => {
                let waits = |o: &Remembered<R>| {
                    let state = state_of(&this.cache, o);
                    matches!(state, Some(State::Retrying(_) | State::Failed(_)))
                };
                let operation = self.operation(this, waits)?;
                let flight = self.tag();
                let sending = this.memory.by_tag(operation)?.sending.is_some();
                let act = if sending {
                    Act::Poll { flight }
                } else {
                    Act::Send { operation, flight }
                };
                self.next.push_back(Step::Client { client, act });
                Some(Act::Attempt { operation })
            }
            8 => {
                let operation = self.operation(this, |_| true)?;
                Some(Act::Cancel { operation })
            }
            _ => {
                // One that may have settled long ago.
                let operation = self.dice.pick(&this.memory.operations)?.tag;
                Some(Act::Cancel { operation })
            }
        }
    }

    fn by_id<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        let id = self.id(play, client)?;
        Some(match self.dice.below(12) {
            0..4 => {
                let this = &play.clients[client];
                let works = |o: &Remembered<R>| o.kind == Kind::Process;
                let tag = self.operation(this, works)?;
                let id = this.memory.by_tag(tag)?.id.clone();
                Act::Complete { id }
            }
            4..7 => Act::Progress {
                id,
                percent: *self.dice.pick(&[0, 40, 100, 101, -1]).unwrap_or(&0),
            },
            7..9 => Act::Revert { id },
            9 => Act::Remove { id },
            10 => Act::Complete { id },
            _ => Act::Cleanup {
                ms: *self.dice.pick(&[0, 500, 5_000]).unwrap_or(&0),
            },
        })
    }

    fn ask<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> Act<R> {
        let held = play.network.truth();
        let what = match (play.world.page, self.dice.below(10)) {
            (Some(page), 0..6) => Asked::Page(self.dice.below(held.len() + 1) / page * page),
            (_, 6) => match self.dice.pick(&held) {
                Some(body) => Asked::One(body.id().to_string()),
                None => Asked::All,
            },
            _ => Asked::All,
        };
        let flight = self.tag();
        Act::Ask { flight, what }
    }

    fn watch<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        let Some(stream) = &play.clients[client].stream else {
            let replica = self.dice.below(play.network.replicas.len());
            let known = play.network.replicas[replica];
            // From where it is, or from an older place.
            let from = if self.dice.chance(70) {
                known + 1
            } else {
                self.dice.below(known + 1)
            };
            return Some(Act::Watch { replica, from });
        };
        let more = stream.next <= play.network.replicas[stream.replica];
        Some(match self.dice.below(20) {
            0 => Act::Expire,
            1 => Act::Break,
            2 | 3 => Act::Bookmark,
            _ if more => Act::Next,
            _ => return None,
        })
    }
}
