//! What the server lists, and what that decides.

use resourcecache::Kind;

use super::replay::Replay;
use super::thing::{Hold, Op, Phase, Values};
use crate::toy::{FIELD_COUNT, Toy};

impl Replay<'_> {
    pub(super) fn merge(&mut self, items: &[Toy], event: usize, at: i64) {
        if event < self.complete {
            return;
        }
        self.complete = event;
        let mut order = Vec::new();
        for item in items {
            if let Some(t) = self
                .find(&item.id)
                .filter(|t| self.things[*t].ids.last() != Some(&item.id))
            {
                self.things[t].ids.retain(|id| *id != item.id);
            }
            let t = self.thing(&item.id);
            self.observe(t, Some(item), event, at);
            order.push(t);
        }
        for t in (0..self.things.len())
            .filter(|t| !order.contains(t))
            .collect::<Vec<_>>()
        {
            self.observe(t, None, event, at);
        }
        let others = self.listed.iter().copied().filter(|t| !order.contains(t));
        let others = others.filter(|t| self.stands(*t)).collect::<Vec<_>>();
        // What this list missed, and stays, stands with the new ones; what it is too old to know of
        // stands behind it.
        let (newer, missed): (Vec<usize>, Vec<usize>) = others
            .into_iter()
            .partition(|t| self.things[*t].taken > event);
        self.new.retain(|t| !order.contains(t));
        self.new.extend(missed);
        self.listed = order;
        self.listed.extend(newer);
        self.listed.retain(|t| self.things[*t].base.is_some());
    }

    /// Whether it has a place in the list, hidden or not.
    fn stands(&self, t: usize) -> bool {
        let thing = &self.things[t];
        thing.base.is_some() || !thing.hidden() && thing.body(self.config).is_some()
    }

    pub(super) fn observe(&mut self, t: usize, body: Option<&Toy>, event: usize, at: i64) {
        if event < self.things[t].taken {
            return;
        }
        for o in 0..self.things[t].ops.len() {
            match (self.things[t].ops[o].kind, body) {
                (Kind::Create, _) => self.decide_creation(t, o, body, at),
                (Kind::Update, Some(body)) => self.decide_update(t, o, body, event, at),
                (Kind::Delete, _) => self.decide_deletion(t, o, body.is_some(), at),
                _ => {}
            }
        }
        let thing = &mut self.things[t];
        thing.taken = event;
        let guarded = thing
            .ops
            .iter()
            .any(|o| o.creates() && o.guards && !o.open() && at < o.guard_end());
        if body.is_some() {
            thing.base = body.cloned();
            if !thing.hidden() {
                thing.last = None;
            }
        } else if !guarded {
            if thing.last.is_none() && thing.hidden() {
                thing.last.clone_from(&thing.base);
            }
            thing.base = None;
        }
        self.let_go(t);
    }

    fn decide_creation(&mut self, t: usize, o: usize, body: Option<&Toy>, at: i64) {
        let thing = &self.things[t];
        let op = &thing.ops[o];
        let (Some(new), true) = (&op.new, op.guards) else {
            return;
        };
        let late = at >= op.guard_end();
        if let Some(body) = body {
            if let Some(d) = thing.ops[..o].iter().rposition(Op::hides) {
                let before = thing.base.as_ref().or(thing.last.as_ref());
                let ours = before != Some(body) && body == new;
                if at < thing.ops[d].guard_end() && !ours {
                    return;
                }
            }
            // What was deleted is gone: another has its place.
            for d in 0..o {
                let op = &self.things[t].ops[d];
                let (delete, open, failed) = (
                    op.kind == Kind::Delete,
                    op.open(),
                    op.phase == Phase::Failed,
                );
                if delete && open {
                    self.settle(t, d, Some("confirmed").filter(|_| !failed), false);
                }
                self.things[t].ops[d].guards &= !delete;
            }
            if self.things[t].ops[o].open() {
                self.settle(t, o, Some("confirmed"), true);
                self.release(t);
            } else if late {
                self.things[t].ops[o].guards = false;
            }
        } else if late && !op.open() {
            self.things[t].ops[o].guards = false;
        } else if late && op.acked.is_some() {
            self.settle(t, o, Some("not_confirmed"), false);
            self.creation_gone(t, o);
            self.things[t].base = None;
        }
    }

    fn decide_deletion(&mut self, t: usize, o: usize, listed: bool, at: i64) {
        let op = &self.things[t].ops[o];
        if !op.guards || op.waiting {
            return;
        }
        let (open, late) = (op.open(), at >= op.guard_end());
        let runs = matches!(op.phase, Phase::Running | Phase::Acked);
        let recreated = self.things[t].ops[o + 1..]
            .iter()
            .any(|o| o.creates() && o.guards);
        match (listed, open) {
            (true, _) if recreated => {}
            (_, false) => self.things[t].ops[o].guards &= !late,
            (true, true) if op.stale => self.settle(t, o, None, false),
            (true, true) if late && runs => self.settle(t, o, Some("not_confirmed"), false),
            (true, true) => {}
            (false, true) => {
                for older in 0..o {
                    if self.things[t].ops[older].open() {
                        self.settle(t, older, Some("superseded"), false);
                    }
                    self.things[t].ops[older].guards = false;
                }
                let creating = |o: &Op| o.creates() && o.open() && o.acked.is_none();
                if !self.things[t].ops.iter().any(creating) {
                    self.release(t);
                }
                let deleted = self.things[t].base.clone();
                let shown = self.things[t]
                    .body(self.config)
                    .filter(|_| !recreated)
                    .or(deleted);
                let thing = &mut self.things[t];
                thing.last = thing.last.take().or(shown);
                self.settle(t, o, Some("confirmed"), true);
                self.things[t].ops[o].stale = false;
            }
        }
    }

    fn decide_update(&mut self, t: usize, o: usize, body: &Toy, event: usize, at: i64) {
        let later: Vec<Values> = self.things[t].ops[o + 1..]
            .iter()
            .filter_map(|o| o.patch)
            .collect();
        let held_below: [bool; FIELD_COUNT] = std::array::from_fn(|field| {
            let mut older = self.things[t].ops[..o].iter();
            older.any(|o| o.guards && at < o.guard_end() && matches!(o.hold[field], Hold::Ours(_)))
        });
        let old: [Vec<i64>; FIELD_COUNT] =
            std::array::from_fn(|field| self.things[t].old(o, field));
        let mut edits = self.things[t].ops[..=o]
            .iter()
            .filter(|o| o.kind == Kind::Update);
        let known = edits.any(|o| !o.old[0].is_empty());
        let op = &mut self.things[t].ops[o];
        if !op.guards || op.waiting {
            return;
        }
        if op.acked.is_none_or(|a| a.1 > event) {
            (0..FIELD_COUNT).for_each(|f| op.old[f].push(body.fields[f]));
            return;
        }
        let late = at >= op.guard_end();
        let (mut agrees, mut superseded) = (true, false);
        for field in 0..FIELD_COUNT {
            let Hold::Ours(value) = op.hold[field] else {
                continue;
            };
            let shown = body.fields[field];
            let fits = shown == value || later.iter().any(|p| p[field] == Some(shown));
            let foreign = !fits && known && !old[field].contains(&shown);
            agrees &= fits;
            superseded |= foreign;
            let beside = op.patch.is_none_or(|p| p[field].is_none());
            if foreign || late && !(beside && held_below[field]) {
                op.hold[field] = Hold::Server;
            } else if late {
                op.hold[field] = Hold::No;
            }
        }
        if !known {
            (0..FIELD_COUNT).for_each(|f| op.old[f].push(body.fields[f]));
        }
        let word = if agrees {
            "confirmed"
        } else if superseded {
            "superseded"
        } else {
            "not_confirmed"
        };
        if op.open() && (agrees || superseded || late) {
            self.settle(t, o, Some(word), true);
        }
    }

    /// What the server has told of stands at the end of its list, what is new at the end of all.
    pub(super) fn place(&mut self) {
        for thing in self
            .things
            .iter_mut()
            .filter(|t| t.base.is_none() && t.ops.is_empty())
        {
            thing.ids.clear(); // nothing is left: its ids are free
        }
        for t in 0..self.things.len() {
            let thing = &self.things[t];
            let shown = thing.body(self.config).is_some();
            let kept = thing.hidden() && self.new.contains(&t);
            let placed = self.new.contains(&t) || self.listed.contains(&t);
            if !placed && thing.base.is_some() {
                self.listed.push(t);
            } else if !placed && shown && !thing.hidden() {
                self.new.push(t);
            } else if !shown && !kept {
                self.new.retain(|i| *i != t);
                self.listed.retain(|i| *i != t);
            }
        }
    }
}
