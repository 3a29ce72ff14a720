//! What users ask for, and how their requests were answered.

use resourcecache::{Kind, OperationId};

use super::replay::Replay;
use super::thing::{Hold, Op, Phase, Values, ms};
use crate::toy::{FIELD_COUNT, Toy};

impl Replay<'_> {
    pub(super) fn begin(&mut self, id: &str, kind: Kind, patch: Option<Values>, ttl: Option<u64>) {
        let t = self.thing(id);
        let running =
            |o: &&mut Op| o.open() && !(o.kind == Kind::Delete && o.phase == Phase::Failed);
        let newest = self.things[t].ops.iter_mut().rfind(running);
        if let Some(op) = newest.filter(|o| kind == Kind::Delete && o.kind == Kind::Delete) {
            op.until = op.until.max(op.begun + ttl.map_or(0, ms));
            return;
        }
        let shown = self.things[t].body(self.config);
        let old = self.things[t].history(shown);
        let waiting = self.things[t]
            .ops
            .iter()
            .rfind(|o| o.creates() && o.guards)
            .is_some_and(|o| o.open() && o.acked.is_none());
        let op = self.op(t, kind, ttl);
        (op.patch, op.old, op.waiting) = (patch, old, waiting);
    }

    pub(super) fn create(&mut self, resource: &Toy) {
        let mut t = self.thing(&resource.id);
        if self.things[t].ids.last() != Some(&resource.id) {
            self.things[t].ids.retain(|id| *id != resource.id);
            t = self.thing(&resource.id);
        }
        self.op(t, Kind::Create, None).new = Some(resource.clone());
    }

    pub(super) fn acknowledge(&mut self, id: OperationId, answer: Option<&Toy>) {
        let Some((t, o)) = self.of(id) else { return };
        let (time, event) = (self.time, self.event);
        let replaced = self.things[t].ops[o + 1..].iter().any(Op::creates);
        let base = self.things[t].base.clone();
        let op = &mut self.things[t].ops[o];
        op.acked = Some((time, event));
        if !op.open() && op.creates() && replaced {
            // The id is another's by now: what this one made is a thing of its own.
            if let Some(toy) = answer {
                let t = self.thing(&toy.id);
                self.observe(t, Some(toy), event, time);
            }
            return;
        }
        if op.open() {
            op.phase = Phase::Acked;
        }
        (op.heard, op.shown, op.waiting, op.guards) = (time, None, false, true);
        if op.kind == Kind::Update {
            for field in 0..FIELD_COUNT {
                op.old[field].extend(base.as_ref().map(|b| b.fields[field]));
                let asked = op.patch.unwrap_or_default()[field];
                let told = answer.map(|toy| toy.fields[field]);
                let beside = told.filter(|v| base.as_ref().is_some_and(|b| b.fields[field] != *v));
                op.hold[field] = match asked {
                    Some(value) => Hold::Ours(told.unwrap_or(value)),
                    None => beside.map_or(Hold::No, Hold::Ours),
                };
            }
            self.later_wins(t, o);
        }
        if let (true, Some(toy)) = (self.things[t].ops[o].creates(), answer) {
            self.things[t].ops[o].new = Some(toy.clone());
            self.release(t);
            self.rename(t, &toy.id);
        }
    }

    /// Of two acknowledged edits the one begun later has the word on what both name.
    fn later_wins(&mut self, t: usize, o: usize) {
        let ops = &mut self.things[t].ops;
        for other in 0..ops.len() {
            if other == o || ops[other].acked.is_none() || !ops[other].guards {
                continue;
            }
            let (from, to) = (other.max(o), other.min(o));
            for field in 0..FIELD_COUNT {
                if let (Hold::Ours(_), Hold::Ours(value)) =
                    (ops[to].hold[field], ops[from].hold[field])
                {
                    ops[to].hold[field] = Hold::Ours(value);
                }
            }
        }
    }

    fn rename(&mut self, t: usize, id: &str) {
        if self.things[t].ids.last().is_some_and(|last| last == id) {
            return;
        }
        if let Some(other) = self.find(id).filter(|other| *other != t) {
            let taken = std::mem::take(&mut self.things[other]);
            let thing = &mut self.things[t];
            thing.base = taken.base.or(thing.base.take());
            thing.taken = thing.taken.max(taken.taken);
            thing.ops.extend(taken.ops);
            thing.ops.sort_by_key(|o| o.number);
            thing.ids.splice(0..0, taken.ids);
            if let Some(place) = self.listed.iter().position(|i| *i == other) {
                self.listed.retain(|i| *i != t);
                self.new.retain(|i| *i != t);
                let place = place.min(self.listed.len());
                match self.listed.iter().position(|i| *i == other) {
                    Some(at) => self.listed[at] = t,
                    None => self.listed.insert(place, t),
                }
            }
        }
        self.things[t].ids.retain(|i| i != id);
        self.things[t].ids.push(id.into());
    }

    pub(super) fn fail(&mut self, id: OperationId, for_good: bool) {
        let Some((t, o)) = self.of(id) else { return };
        let shows = self.time + ms(self.config.error_shown_ms);
        let op = &mut self.things[t].ops[o];
        if !op.open() {
            return;
        }
        op.heard = self.time;
        if for_good {
            (op.phase, op.shown, op.acked, op.hold) =
                (Phase::Failed, Some(shows), None, [Hold::No; FIELD_COUNT]);
            // A stale deletion has had its outcome.
            if !op.stale {
                self.tell(t, o, "failed");
            }
        } else {
            op.phase = Phase::Retrying;
        }
    }

    pub(super) fn attempt(&mut self, id: OperationId) {
        let Some((t, o)) = self.of(id) else { return };
        let op = &mut self.things[t].ops[o];
        if op.phase != Phase::Running {
            (op.phase, op.heard, op.shown, op.stale) = (Phase::Running, self.time, None, false);
        }
    }

    pub(super) fn cancel(&mut self, id: OperationId) {
        let Some((t, o)) = self.of(id) else { return };
        let op = &self.things[t].ops[o];
        if !op.open() {
            return;
        }
        let stays = op.acked.is_some() && op.kind != Kind::Delete;
        let (word, gone) = (
            if stays { "confirmed" } else { "cancelled" },
            op.creates() && !stays,
        );
        let failed = op.phase == Phase::Failed;
        self.settle(t, o, Some(word).filter(|_| !failed), stays);
        if gone {
            self.creation_gone(t, o);
        }
        self.let_go(t);
    }
}
