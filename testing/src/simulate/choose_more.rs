//! Chooses what users do with the outbox, with steps that can be undone, and with work in stages.

use resourcecache::Kind;

use super::generate::Chooser;
use super::model::{ServerModel, Subject};
use super::play::Play;
use super::remembered::Remembered;
use super::step::{Act, How, Step, Tag, Write};

impl<R: Subject> Chooser<R> {
    /// How a user begins the operation of this name; a step has a label that no other one has.
    pub(crate) fn how<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        operation: Tag,
        step: bool,
    ) -> How {
        let world = &play.world;
        let queued = world.queued > 0 && self.dice.chance(world.queued);
        let later = [0, 0, 0, 50, 1_500];
        let queue = queued.then(|| *self.dice.pick(&later).unwrap_or(&0));
        let step = step && world.performed > 0 && self.dice.chance(world.performed);
        let label = step.then(|| format!("step {operation}"));
        How { queue, label }
    }

    /// What follows once an operation has begun: its call leaves.
    pub(crate) fn then_send(&mut self, client: usize, operation: Tag, how: &How) {
        if !self.dice.chance(85) {
            return;
        }
        let flight = self.tag();
        let act = match how.queue {
            Some(_) => Act::Poll { flight },
            None => Act::Send { operation, flight },
        };
        self.next.push_back(Step::Client { client, act });
    }

    /// What not every world has, now and then.
    pub(crate) fn more<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        let world = &play.world;
        if world.queued > 0 && self.dice.chance(30) {
            return Some(self.outbox(play, client));
        }
        if world.performed > 0 && self.dice.chance(25) {
            return Some(self.history(play, client));
        }
        if world.plans && self.dice.chance(8) {
            return self.reach(play, client);
        }
        None
    }

    fn outbox<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>, client: usize) -> Act<R> {
        let this = &play.clients[client];
        match self.dice.below(20) {
            0..14 => {}
            14 | 15 => {
                let flight = self.tag();
                let under_way = |o: &Remembered<R>| {
                    o.sending.is_some() && this.cache.attempt_of(o.operation).is_some()
                };
                if let Some(operation) = self.operation(this, under_way) {
                    return Act::Resend { operation, flight };
                }
            }
            // Offline is the exception.
            _ if this.online => {
                if self.dice.chance(40) {
                    return Act::Online { online: false };
                }
            }
            _ => return Act::Online { online: true },
        }
        let flight = self.tag();
        Act::Poll { flight }
    }

    fn history<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>, client: usize) -> Act<R> {
        // Names for as many operations as a step may have.
        let operation = self.tag();
        self.tags += 16;
        match self.dice.below(20) {
            0..9 => Act::Undo { operation },
            9..14 => Act::Redo { operation },
            14..17 => Act::BackAndForth,
            17..19 => {
                let count = self.dice.between(2, 4);
                let writes = (0..count).filter_map(|_| self.one_of_several(play, client));
                let writes = writes.collect();
                let mut how = self.how(play, operation, true);
                how.label = Some(format!("step {operation}"));
                Act::Batch {
                    operation,
                    writes,
                    how,
                }
            }
            _ => Act::ClearHistory,
        }
    }

    fn one_of_several<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Write<R>> {
        let chosen = self.id(play, client);
        Some(match (self.dice.below(6), chosen) {
            (0, _) => {
                let id = self.new_id(play);
                Write::Create(play.network.server.invent(&id, &mut self.dice))
            }
            (1, Some(id)) => Write::Delete { id },
            (_, Some(id)) => self.edit(play, id),
            _ => return None,
        })
    }

    /// An operation of a kind that has a plan comes to one of its stages.
    fn reach<S: ServerModel<Resource = R>>(
        &mut self,
        play: &Play<S>,
        client: usize,
    ) -> Option<Act<R>> {
        let this = &play.clients[client];
        let plans = &play.world.config.progress;
        let planned = |o: &Remembered<R>| plans.contains_key(&o.kind);
        let tag = self.operation(this, planned)?;
        let one = this.memory.by_tag(tag)?;
        let (id, kind): (String, Kind) = (one.id.clone(), one.kind);
        let stages = &plans.get(&kind)?.stages;
        let stage = self.dice.pick(stages)?.name.clone();
        let part = *self.dice.pick(&[None, None, Some(10), Some(50)])?;
        Some(Act::Reach { id, stage, part })
    }

    /// The server's own work goes on.
    pub(crate) fn work<S: ServerModel<Resource = R>>(&mut self, play: &Play<S>) -> Option<Step<R>> {
        let held = play.network.truth();
        let body = self.dice.pick(&held)?;
        let patch = play.network.server.work(body, false, &mut self.dice)?;
        let id = body.id().to_string();
        Some(Step::Other {
            write: Write::Update { id, patch },
        })
    }
}
