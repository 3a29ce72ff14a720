//! What one observation of one resource decides about the operations on it (DESIGN 5).

use std::cmp::Ordering;

use crate::changes::Settlement;
use crate::config::VersionOrder;
use crate::ids::Timestamp;
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, Row, detached};
use crate::state::{Kind, State, Trigger};

/// When and how an observation was made.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) list_version: Option<String>,
    /// A watch event `added`: newer than a tombstone, it shows the resource.
    pub(crate) added: bool,
    /// A bookmark: what is held is shown once more, and may be older than what was answered since.
    pub(crate) again: bool,
}

impl Observation {
    /// One that is made as it arrives.
    pub(crate) fn now(cx: &Context<'_>) -> Self {
        Self {
            seq: cx.seq,
            at: cx.clock,
            list_version: None,
            added: false,
            again: false,
        }
    }
}

/// What it showed.
pub(crate) enum Sight<'a, R> {
    /// The resource, with this body.
    Listed(&'a R),
    /// Not there, where it would be.
    Absent,
    /// The server says that it has removed the resource.
    Deleted,
}

impl<R> Clone for Sight<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Sight<'_, R> {}

/// How `a` compares to `b`; `None` where the order cannot tell.
pub(crate) fn compare(order: VersionOrder, a: &str, b: &str) -> Option<Ordering> {
    match order {
        VersionOrder::Opaque => (a == b).then_some(Ordering::Equal),
        VersionOrder::Integer => {
            let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit()) && !t.is_empty();
            if !digits(a) || !digits(b) {
                return None;
            }
            let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            Some(a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
        }
        VersionOrder::Timestamp => {
            let (a, b) = (
                chrono::DateTime::parse_from_rfc3339(a).ok()?,
                chrono::DateTime::parse_from_rfc3339(b).ok()?,
            );
            Some(a.cmp(&b))
        }
    }
}

pub(crate) fn at_or_past(order: VersionOrder, a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => matches!(
            compare(order, a, b),
            Some(Ordering::Equal | Ordering::Greater)
        ),
        _ => false,
    }
}

pub(crate) fn older(order: VersionOrder, a: Option<&str>, b: Option<&str>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if compare(order, a, b) == Some(Ordering::Less))
}

impl<R: Resource> Row<R> {
    /// Until when the row is calm: an observation that was taken before then, and shows again what
    /// is held or misses again what is not, decides nothing, since all that is asked for awaits its
    /// answer or is guarded. Most of what is pending is calm at most times, and need not be gone
    /// through operation by operation.
    pub(crate) fn calm(&self) -> Timestamp {
        const NEVER: Timestamp = Timestamp(i64::MIN);
        let until = |o: &Operation<R>| match (&o.payload, &self.base) {
            (Payload::Create(_), None) if o.is_unsettled() && o.acked.is_none() => None,
            (Payload::Update { seen, .. }, Some(base))
                if o.is_unsettled() && o.acked.is_none() && seen.contains(base) =>
            {
                None
            }
            (Payload::Mark, Some(_)) if o.kind == Kind::Process => o.old_end_until(),
            (Payload::Mark, Some(_)) if o.kind == Kind::Delete && o.live && !o.stale => {
                Some(o.guard_end())
            }
            _ => Some(NEVER),
        };
        if self.base.is_some() && self.last.is_some() && !self.is_hidden() {
            return NEVER;
        }
        let ends = self.operations.iter().filter_map(until);
        ends.min().unwrap_or(Timestamp(i64::MAX))
    }

    /// Decides what `sight` means for the row, and takes it as the new base.
    pub(crate) fn observe(&mut self, sight: Sight<'_, R>, obs: &Observation, cx: &mut Context<'_>) {
        if let Sight::Listed(body) = sight {
            let held = self.base.as_ref().and_then(R::version);
            if older(cx.config.version_order, body.version(), held) {
                return;
            }
        }
        if obs.seq < self.taken {
            return;
        }
        let sight = match sight {
            Sight::Listed(body) if self.predates_creation(body, obs, cx) => Sight::Absent,
            other => other,
        };
        if let Sight::Listed(body) = sight {
            self.meet_other_uid(body, cx);
            self.follow(body, false, obs, cx);
        } else {
            self.lose_copy(cx);
        }
        let mut index = 0;
        while index < self.operations.len() {
            self.decide(index, sight, obs, cx);
            index += 1;
        }
        self.take_base(sight, obs);
        self.drop_spent();
    }

    /// The uid of what our creation made, while that counts.
    pub(crate) fn made_uid(&self) -> Option<&str> {
        let made = self.creation().filter(|o| o.acked.is_some())?;
        match &made.payload {
            Payload::Create(new) => new.uid(),
            _ => None,
        }
    }

    /// Whether it is another resource than our creation made under this id, and not known to be a
    /// newer one: then ours is not in this answer (C1, G4).
    fn predates_creation(&self, body: &R, obs: &Observation, cx: &Context<'_>) -> bool {
        let (Some(made), Some(uid)) = (self.made_uid(), body.uid()) else {
            return false;
        };
        let Some(creation) = self.creation().filter(|_| made != uid) else {
            return false;
        };
        let acked = creation.acked.as_ref().and_then(|a| a.version.as_deref());
        let newer = older(cx.config.version_order, acked, body.version());
        obs.at < creation.guard_end() && !newer
    }

    /// Another uid is another resource: the one that we knew is gone (G4).
    fn meet_other_uid(&mut self, body: &R, cx: &mut Context<'_>) {
        let known = self.base.as_ref().or(self.last.as_ref());
        let (Some(known), Some(uid)) = (known.and_then(R::uid), body.uid()) else {
            return;
        };
        // The answer of our creation said which resource the operations are about.
        if known == uid || self.made_uid() == Some(uid) {
            return;
        }
        // One that waits for a creation is about what is made by that.
        let mut deletions = self.operations.iter();
        let last_deletion = deletions.rposition(|o| o.hides() && !o.waiting);
        if let Some(index) = last_deletion {
            if self.operations[index].is_unsettled() {
                self.settle(index, Trigger::Confirm, Settlement::Confirmed, false, cx);
            }
            self.operations[index].live = false;
            self.supersede_before(index, cx);
        } else {
            let creation = self.operations.iter().rposition(|o| o.kind == Kind::Create);
            self.supersede_before(creation.unwrap_or(self.operations.len()), cx);
        }
    }

    fn decide(
        &mut self,
        index: usize,
        sight: Sight<'_, R>,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) {
        match self.operations[index].kind {
            Kind::Create => self.decide_creation(index, sight, obs, cx),
            Kind::Update => self.decide_update(index, sight, obs, cx),
            Kind::Delete => self.decide_deletion(index, sight, obs, cx),
            Kind::Process => {}
        }
    }

    fn decide_deletion(
        &mut self,
        index: usize,
        sight: Sight<'_, R>,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) {
        let operation = &self.operations[index];
        let recreated = self.operations[index + 1..]
            .iter()
            .any(|o| o.live && o.creates());
        if !operation.live || operation.waiting {
            return;
        }
        let late = obs.at >= operation.guard_end();
        let unsettled = operation.is_unsettled();
        match sight {
            Sight::Listed(_) if recreated => {}
            // What the outbox has no answer for yet may not have been done, or not yet be shown (O8).
            Sight::Listed(_) | Sight::Absent if operation.is_queued() => {}
            Sight::Listed(body) => {
                let held = self.last.as_ref().or(self.base.as_ref());
                let newer = obs.added
                    && older(
                        cx.config.version_order,
                        held.and_then(R::version),
                        body.version(),
                    );
                if !unsettled {
                    if late || newer {
                        self.operations[index].live = false;
                    }
                } else if operation.stale {
                    self.settle(index, Trigger::Stale, Settlement::Stale, false, cx);
                } else if late
                    && matches!(operation.state, State::Running(_) | State::Acknowledged(_))
                {
                    self.settle(index, Trigger::Expire, Settlement::NotConfirmed, false, cx);
                }
            }
            Sight::Absent | Sight::Deleted => {
                if unsettled {
                    self.supersede_before(index, cx);
                    // What is shown may be a re-creation: not what was deleted.
                    if !recreated {
                        self.last = self.body().map(detached).or(self.last.take());
                    } else if self.last.is_none() {
                        self.last = self.base.as_ref().map(detached);
                    }
                    self.settle(index, Trigger::Confirm, Settlement::Confirmed, true, cx);
                    self.operations[index].stale = false;
                } else if late {
                    self.operations[index].live = false;
                }
            }
        }
    }

    fn take_base(&mut self, sight: Sight<'_, R>, obs: &Observation) {
        self.taken = obs.seq;
        match sight {
            Sight::Listed(body) => {
                self.base = Some(body.clone());
                if !self.is_hidden() {
                    self.last = None;
                }
            }
            Sight::Absent | Sight::Deleted => {
                let guarded = matches!(sight, Sight::Absent)
                    && self.operations.iter().any(|o| {
                        o.creates()
                            && o.live
                            // Unsettled, the base is that of the resource which it replaces.
                            && (!o.is_unsettled() || o.is_listed())
                            && obs.at < o.guard_end()
                    });
                if !guarded {
                    if self.last.is_none() && self.is_hidden() {
                        self.last = self.base.as_ref().map(detached);
                    }
                    self.base = None;
                }
            }
        }
    }
}
