//! How far the sending of an operation is, and what of a resource is sent next.

use serde::{Deserialize, Serialize};

use crate::changes::Settlement;
use crate::config::Config;
use crate::error::Error;
use crate::event::Retry;
use crate::ids::{OperationId, Timestamp};
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::retry_policy::draw;
use crate::row::{Context, Row};
use crate::state::{Kind, Trigger};

/// How far the sending of an operation is that the outbox drives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) key: String,
    /// Not sent before.
    not_before: Timestamp,
    /// How many attempts were sent.
    pub(crate) attempts: u32,
    /// How many of them since the user last asked for it.
    spent: u32,
    /// When the first of these was sent.
    first_sent: Option<Timestamp>,
    /// Whether an attempt is under way.
    under_way: bool,
    /// The older operation whose attempts carry this one.
    carried_by: Option<OperationId>,
}

impl Outgoing {
    /// Not sent yet.
    pub(crate) fn new(key: String, not_before: Timestamp) -> Self {
        Self {
            key,
            not_before,
            attempts: 0,
            spent: 0,
            first_sent: None,
            under_way: false,
            carried_by: None,
        }
    }

    /// An attempt is sent.
    pub(crate) fn start(&mut self, now: Timestamp) {
        self.attempts = self.attempts.saturating_add(1);
        self.spent = self.spent.saturating_add(1);
        self.under_way = true;
        self.first_sent.get_or_insert(now);
    }
}

impl<R: Resource> Operation<R> {
    /// Whether no attempt of it was sent yet, and the outbox is to send it.
    pub(crate) fn is_unsent(&self) -> bool {
        let unsent = |out: &Outgoing| out.attempts == 0 && out.carried_by.is_none();
        self.acked.is_none() && self.outgoing.as_ref().is_some_and(unsent)
    }

    /// Whether nobody has sent it: the outbox has not, or it waits for a creation (L1), so that its
    /// caller could not.
    pub(crate) fn awaits_sending(&self) -> bool {
        let waits = self.outgoing.is_none() && self.waiting;
        self.is_unsettled() && (self.is_unsent() || waits)
    }

    /// Whether the outbox drives it, and the server has not answered it: it does not age (K2).
    pub(crate) fn is_outgoing(&self) -> bool {
        self.outgoing.is_some() && self.acked.is_none()
    }

    /// Whether it waits to be sent or is under way.
    pub(crate) fn is_queued(&self) -> bool {
        self.is_unsettled() && self.is_outgoing() && !self.is_failed()
    }

    /// Whether it was sent under this idempotency key, or creates a resource with this token.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let token = match &self.payload {
            Payload::Create(new) => new.token(),
            _ => None,
        };
        token == Some(key) || self.outgoing.as_ref().is_some_and(|out| out.key == key)
    }

    pub(crate) fn is_under_way(&self) -> bool {
        let sent = self.outgoing.as_ref().is_some_and(|out| out.under_way);
        sent && self.acked.is_none() && self.is_unsettled()
    }

    /// Its attempt, if one ran, is over: answered, failed, or about to start.
    pub(crate) fn attempt_ended(&mut self) {
        self.meta.next_attempt_at = None;
        if let Some(out) = &mut self.outgoing {
            out.under_way = false;
            let told = retry_message(self.meta.retry_count.unwrap_or(0), self.meta.max_retries);
            self.meta.message.take_if(|message| *message == told);
        }
    }

    /// The user asks for it once more: its attempts are counted anew.
    pub(crate) fn queue_again(&mut self) {
        if let Some(out) = &mut self.outgoing {
            (out.spent, out.first_sent) = (0, None);
        }
    }

    /// Tells the user of the next attempt.
    pub(crate) fn tell_of_retry(&mut self, at: Timestamp) {
        if self.outgoing.is_some() {
            self.meta.next_attempt_at = Some(at).filter(|at| at.is_writable());
            let message = retry_message(self.meta.retry_count.unwrap_or(0), self.meta.max_retries);
            self.meta.message.get_or_insert(message);
        }
    }

    /// Whether and when an operation that the outbox drives is tried again; others as their caller
    /// says.
    pub(crate) fn if_not_given_up(&self, retry: Retry, cx: &Context<'_>) -> Retry {
        let Some(out) = self.outgoing.as_ref().filter(|_| retry != Retry::No) else {
            return retry;
        };
        let policy = &cx.config.retry;
        let wait = match retry {
            Retry::After(ms) => ms,
            _ => {
                let draw = draw(cx.config.seed, self.id, out.attempts.into());
                policy.backoff.wait_ms(out.spent.max(1), draw)
            }
        };
        let spent = policy.max_attempts.is_some_and(|most| out.spent >= most);
        let since = out.first_sent.map(|at| at.max(cx.online_since));
        let late = |age: u64| since.is_some_and(|at| cx.clock.plus_ms(wait) > at.plus_ms(age));
        if spent || policy.max_age_ms.is_some_and(late) {
            return Retry::No;
        }
        Retry::After(wait)
    }

    /// When its queue lets it go, for one that waits for nothing else.
    pub(crate) fn not_before(&self) -> Timestamp {
        let out = self.outgoing.as_ref();
        let queued = out.map_or(Timestamp(i64::MIN), |out| out.not_before);
        queued.max(self.retry_at.unwrap_or(queued))
    }

    /// From when on its queue lets it go, while nothing was sent.
    pub(crate) fn send_at(&self) -> Option<Timestamp> {
        (self.is_queued() && self.is_unsent()).then(|| self.not_before())
    }

    /// When the running attempt counts as lost: so long after it was sent, or progress was reported.
    pub(crate) fn lost_at(&self, timeout_ms: u64) -> Option<Timestamp> {
        self.is_under_way().then(|| self.heard.plus_ms(timeout_ms))
    }
}

fn retry_message(count: u32, most: Option<u32>) -> String {
    match most {
        Some(most) => format!("Retry {count}/{most}..."),
        None => format!("Retry {count}..."),
    }
}

impl<R: Resource> Row<R> {
    /// The operation that is to be sent next, and from when on. They go out in order, each after the
    /// server's answer to the one before.
    pub(crate) fn next_to_send(&self) -> Option<(Timestamp, OperationId)> {
        if self.under_way() > 0 {
            return None;
        }
        let first = self.queue().find(|o| !self.is_carried(o))?;
        let deletion = self.deletion().map(|index| &self.operations[index]);
        let next = match deletion.filter(|d| d.is_unsent() && d.id > first.id) {
            // One that waits for a creation is about what that makes, not about what was before.
            Some(deletion) if first.is_unsent() && (first.creates() || !deletion.waiting) => {
                deletion
            }
            _ => first,
        };
        let ends_creation = first.creates() && next.kind == Kind::Delete;
        if next.waiting && !ends_creation {
            return None;
        }
        Some((next.not_before(), next.id))
    }

    /// The last deletion that is asked for.
    fn deletion(&self) -> Option<usize> {
        let deletion = |o: &Operation<R>| o.is_unsettled() && o.hides();
        self.operations.iter().rposition(deletion)
    }

    pub(crate) fn under_way(&self) -> usize {
        self.operations.iter().filter(|o| o.is_under_way()).count()
    }

    /// What waits to be sent or is under way, in order. What is being deleted needs no other change.
    pub(crate) fn queue(&self) -> impl Iterator<Item = &Operation<R>> {
        let begun = |index: &usize| {
            let deletion = &self.operations[*index];
            !deletion.is_unsent() && !deletion.waiting
        };
        let sent = self.deletion().filter(begun);
        let queue = &self.operations[sent.unwrap_or(0)..];
        queue.iter().filter(|o| o.is_queued())
    }

    /// Whether an operation that has no answer yet carries this one.
    fn is_carried(&self, operation: &Operation<R>) -> bool {
        let carrier = operation.outgoing.as_ref().and_then(|out| out.carried_by);
        let waits = |o: &Operation<R>| Some(o.id) == carrier && o.is_queued();
        carrier.is_some() && self.operations.iter().any(waits)
    }

    /// The edits that attempts of the operation at `index` carry.
    pub(crate) fn carried(&self, index: usize) -> Vec<usize> {
        let id = self.operations[index].id;
        // One that the user asked for by itself since goes its own way.
        let with = |o: &Operation<R>| {
            let out = o.outgoing.as_ref().filter(|out| out.attempts == 0);
            out.and_then(|out| out.carried_by) == Some(id)
        };
        let later = index + 1..self.operations.len();
        let carried = later.filter(|i| {
            let o = &self.operations[*i];
            o.is_unsettled() && o.acked.is_none() && with(o)
        });
        carried.collect()
    }

    /// The same, behind the operation itself.
    pub(crate) fn with_carried(&self, index: usize) -> impl Iterator<Item = usize> + use<R> {
        std::iter::once(index).chain(self.carried(index))
    }

    /// Edits behind an update or a creation that is about to be sent go along with it: the server
    /// gets them as one.
    pub(crate) fn carry(&mut self, index: usize) {
        let carrier = &self.operations[index];
        let id = carrier.id;
        if !matches!(
            carrier.payload,
            Payload::Create(_) | Payload::Update { patch: Some(_), .. }
        ) {
            return;
        }
        for operation in &mut self.operations[index + 1..] {
            if !operation.is_unsettled() {
                continue;
            }
            let edit = matches!(operation.payload, Payload::Update { patch: Some(_), .. });
            match &mut operation.outgoing {
                Some(out) if edit && out.attempts == 0 && operation.acked.is_none() => {
                    out.carried_by = Some(id);
                }
                _ => return,
            }
        }
    }

    /// What was never sent and is to be deleted leaves without the server's knowing.
    pub(crate) fn end_unsent_creation(&mut self, deletion: usize, cx: &mut Context<'_>) -> bool {
        let unsent = |o: &Operation<R>| o.creates() && o.is_unsettled() && o.is_unsent();
        let Some(creation) = self.operations[..deletion].iter().rposition(unsent) else {
            return false;
        };
        self.settle(deletion, Trigger::Confirm, Settlement::Confirmed, false, cx);
        self.settle(creation, Trigger::Cancel, Settlement::Cancelled, false, cx);
        self.creation_gone(creation, cx);
        true
    }

    /// The server has accepted what attempts of the operation at `index` carried.
    pub(crate) fn acknowledge_carried(
        &mut self,
        index: usize,
        answer: Option<&R>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        for index in self.carried(index) {
            self.step(index, Trigger::Acknowledge)?;
            self.acknowledge(index, answer, cx);
        }
        Ok(())
    }

    /// The body that an attempt of the operation at `index` asks for, with the edits up to `last`.
    pub(crate) fn asked(&self, index: usize, last: usize, config: &Config) -> Option<R> {
        let (start, from) = match &self.operations[index].payload {
            Payload::Create(new) => (Some(new.clone()), index),
            Payload::Mark => return self.body().or(self.last.as_ref()).cloned(),
            Payload::Update { .. } => {
                let start = self.unedited().or_else(|| self.last.clone());
                (start, self.recreated().unwrap_or(0).min(index))
            }
        };
        let laid = self.operations[from..=last].iter().zip(from..);
        Some(laid.fold(start?, |body, (o, at)| {
            o.lay_over(body, self.base.as_ref(), &self.operations[from..at], config)
        }))
    }
}
