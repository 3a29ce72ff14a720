//! Decides what an observed body means for an update: caught up, old, or superseded (U2 to U4).

use crate::changes::Settlement;
use crate::config::VersionOrder;
use crate::ids::Timestamp;
use crate::observe::{Observation, Sight, at_or_past, older};
use crate::operation::{Guard, Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, Row, detached};
use crate::state::Trigger;

/// What an observed body says about one guarded field.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    /// Ours, or our own later edit's.
    Agrees,
    /// One that it had before.
    Old,
    /// A new one that is not ours.
    Foreign,
}

/// What versions prove.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    None,
    /// It is the acknowledged version. Where versions have no order, the next answer may still be
    /// of an older one, so that the guard goes on (G2).
    Same,
    /// It is at or past the acknowledged one; an older one will be known as such.
    Past,
}

impl<R: Resource> Row<R> {
    pub(crate) fn decide_update(
        &mut self,
        index: usize,
        sight: Sight<'_, R>,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) {
        let Sight::Listed(body) = sight else {
            let operation = &self.operations[index];
            // What waits for a re-creation is not about the resource that is gone.
            let ends = operation.is_unsettled() && !operation.waiting;
            if matches!(sight, Sight::Deleted) && ends {
                self.supersede_before(index + 1, cx);
            }
            return;
        };
        let operation = &self.operations[index];
        if !operation.live || operation.waiting {
            return;
        }
        let Some(acked) = operation.acked.clone().filter(|a| a.seq <= obs.seq) else {
            self.remember_old(index, body);
            return;
        };
        let order = cx.config.version_order;
        if older(order, body.version(), acked.version.as_deref())
            && cx.clock < acked.at.plus_ms(cx.config.stale_after_ms)
        {
            return;
        }
        let (shown, acked) = (body.version(), acked.version.as_deref());
        let past = order != VersionOrder::Opaque
            && (at_or_past(order, shown, acked)
                || at_or_past(order, obs.list_version.as_deref(), acked));
        let proof = if past {
            Proof::Past
        } else if shown.is_some() && shown == acked {
            Proof::Same
        } else {
            Proof::None
        };
        self.weigh_update(index, body, proof, obs.at, cx);
    }

    /// A body seen before the acknowledgement: its values are old ones from then on.
    fn remember_old(&mut self, index: usize, body: &R) {
        if let Payload::Update { seen, .. } = &mut self.operations[index].payload {
            if !seen.contains(body) {
                seen.push(detached(body));
            }
        }
    }

    fn weigh_update(
        &mut self,
        index: usize,
        body: &R,
        proof: Proof,
        at: Timestamp,
        cx: &mut Context<'_>,
    ) {
        let late = at >= self.operations[index].guard_end();
        let words = self.words(index, body);
        let all_agree = words.iter().all(|w| *w == Word::Agrees);
        let foreign = words.contains(&Word::Foreign);
        let unsettled = self.operations[index].is_unsettled();
        let settlement = if all_agree {
            Some(Settlement::Confirmed)
        } else if foreign || proof != Proof::None {
            Some(Settlement::Superseded)
        } else if late {
            Some(Settlement::NotConfirmed)
        } else {
            None
        };
        if self.seen_before(index + 1).next().is_none() {
            self.remember_old(index, body);
        }
        let (older, this) = self.operations.split_at_mut(index);
        if let Payload::Update { patch, guards, .. } = &mut this[0].payload {
            let told_beside = |field: &R::Patch| {
                let held = older.iter().any(|o| at < o.guard_end() && o.holds(field));
                held && !patch.as_ref().is_some_and(|p| R::overlaps(p, field))
            };
            let fields = std::mem::take(guards);
            *guards = fields
                .into_iter()
                .zip(&words)
                .filter_map(|(guard, word)| match guard {
                    Guard::Caught(value) if late => Some(Guard::Server(value)),
                    Guard::Hold(value)
                        if proof == Proof::Past && *word == Word::Agrees && !late =>
                    {
                        Some(Guard::Caught(value))
                    }
                    Guard::Hold(value) if proof == Proof::Past || *word == Word::Foreign => {
                        Some(Guard::Server(value))
                    }
                    Guard::Hold(value) if proof == Proof::Same && *word != Word::Agrees => {
                        Some(Guard::Server(value))
                    }
                    // An older update asked for it, and guards it still.
                    Guard::Hold(value) if late && told_beside(&value) => None,
                    Guard::Hold(value) if late => Some(Guard::Server(value)),
                    kept => Some(kept),
                })
                .collect();
        }
        if let (Some(how), true) = (settlement, unsettled) {
            if self.operations[index].is_failed() || self.operations[index].lingers() {
                return;
            }
            let trigger = match how {
                Settlement::Confirmed => Trigger::Confirm,
                Settlement::Superseded => Trigger::Supersede,
                _ => Trigger::Expire,
            };
            self.settle(index, trigger, how, true, cx);
        }
    }

    /// The bodies whose values are old to the operation before `end`, but for what the updates before
    /// it have made of them.
    fn seen_before(&self, end: usize) -> impl Iterator<Item = &R> {
        self.operations[..end]
            .iter()
            .flat_map(|o| match &o.payload {
                Payload::Update { seen, .. } => seen.as_slice(),
                _ => &[],
            })
    }

    /// Whether the operation's field had the value that `body` shows: before any update, or by one that
    /// is older.
    fn had_before(&self, index: usize, field: &R::Patch, body: &R) -> bool {
        let by_older = |o: &Operation<R>| match &o.payload {
            Payload::Update { patch, guards, .. } => patch
                .iter()
                .chain(guards.iter().map(Guard::field))
                .any(|part| sets_as_shown(part, field, body)),
            _ => false,
        };
        let shown = body.pick(field);
        let mut seen = self.seen_before(index + 1);
        seen.any(|old| old.pick(field) == shown) || self.operations[..index].iter().any(by_older)
    }

    /// What `body` says about each guarded field of an acknowledged update.
    fn words(&self, index: usize, body: &R) -> Vec<Word> {
        let Payload::Update { guards, .. } = &self.operations[index].payload else {
            return Vec::new();
        };
        let nothing_seen = self.seen_before(index + 1).next().is_none();
        let newer: Vec<&R::Patch> = self.operations[index + 1..]
            .iter()
            .filter_map(|o| match &o.payload {
                Payload::Update { patch, .. } => patch.as_ref(),
                _ => None,
            })
            .collect();
        guards
            .iter()
            .map(|guard| match guard {
                Guard::Caught(_) | Guard::Server(_) => Word::Agrees,
                Guard::Hold(value) => {
                    let shown = body.pick(value);
                    let ours = newer.iter().any(|p| sets_as_shown(*p, value, body));
                    if shown == *value || ours {
                        Word::Agrees
                    } else if nothing_seen || self.had_before(index, value, body) {
                        Word::Old
                    } else {
                        Word::Foreign
                    }
                }
            })
            .collect()
    }
}

/// Whether a patch sets a field, to the value that `body` shows.
fn sets_as_shown<R: Resource>(patch: &R::Patch, field: &R::Patch, body: &R) -> bool {
    R::overlaps(patch, field) && body.apply(patch).pick(field) == body.pick(field)
}
