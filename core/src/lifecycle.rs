//! What a verb or an answer does to one row's operations.

use crate::changes::Settlement;
use crate::error::Error;
use crate::event::Retry;
use crate::ids::Timestamp;
use crate::operation::{Acked, Guard, Operation, Payload};
use crate::resource::Resource;
use crate::retry_policy::Backoff;
use crate::row::{Context, Row, detached};
use crate::state::{Kind, State, Trigger};

impl<R: Resource> Operation<R> {
    /// A longer TTL, counted from the first mark; a shorter one does nothing (L5).
    pub(crate) fn extend(&mut self, ttl_ms: u64) {
        self.extended_until = self.extended_until.max(self.begun.plus_ms(ttl_ms));
        self.meta.min_ttl = Some(self.meta.min_ttl.unwrap_or(self.ttl_ms).max(ttl_ms));
    }

    pub(crate) fn back_off(&mut self, retry: Retry, cx: &Context<'_>) {
        self.attempt_ended();
        let count = self.meta.retry_count.unwrap_or(0).saturating_add(1);
        self.meta.retry_count = Some(count);
        let wait = match retry {
            Retry::After(ms) => ms,
            _ => {
                let step_ms = cx.config.retry_backoff_ms;
                Backoff::Linear { step_ms }.wait_ms(count, 0)
            }
        };
        self.hear(cx);
        self.meta.expected_at = None;
        self.retry_at = Some(cx.clock.plus_ms(wait));
        self.tell_of_retry(cx.now.plus_ms(wait));
    }

    /// Runs again: its clocks start anew.
    pub(crate) fn restart(&mut self, cx: &Context<'_>) {
        self.hear(cx);
        self.retry_at = None;
        self.shown_until = None;
        self.stale = false;
        self.meta.error = None;
        self.attempt_ended();
        self.expect_end(cx);
    }

    fn accepted(&mut self, version: Option<String>, cx: &Context<'_>) {
        self.acked = Some(Acked {
            at: cx.clock,
            seq: cx.seq,
            version,
        });
        self.hear(cx);
        self.retry_at = None;
        self.shown_until = None;
        self.waiting = false;
        self.live = self.is_unsettled() || self.can_guard();
        self.meta.completed_at = Some(cx.now).filter(|_| !self.goes_on());
        self.meta.error = None;
        self.attempt_ended();
    }
}

impl<R: Resource> Row<R> {
    /// Whether an operation of this kind may begin: `Some` names one that runs already and is the
    /// same (L5). Every refusal is the table's.
    pub(crate) fn admit(&self, kind: Kind) -> Result<Option<usize>, Error> {
        let refuse = |state| Err(Error::transition(&self.id, state, Trigger::Begin(kind)));
        let newest = self
            .operations
            .iter()
            .rposition(|o| o.is_unsettled() && !(o.kind == Kind::Delete && o.is_failed()));
        let Some(index) = newest else {
            if self.is_hidden() {
                return State::Gone
                    .next(Trigger::Begin(kind))
                    .map(|_| None)
                    .or_else(|_| refuse(State::Gone));
            }
            return Ok(None);
        };
        let running = &self.operations[index];
        match (running.kind, kind) {
            (Kind::Delete, Kind::Delete) => Ok(Some(index)),
            (Kind::Delete, _) => refuse(running.state),
            (_, Kind::Create) if self.unsettled().any(|o| o.kind == Kind::Create) => {
                refuse(running.state)
            }
            _ => Ok(None),
        }
    }

    /// What an update that begins now adds to the bodies whose values are old to it: those of the
    /// updates before it are old to it as well.
    pub(crate) fn seen(&self) -> Vec<R> {
        // What was created and is not listed yet may be listed without its edits.
        let body = self.base.clone().or_else(|| self.unedited());
        body.iter().map(detached).collect()
    }

    /// The server has accepted the operation, now or late.
    pub(crate) fn acknowledge(&mut self, index: usize, answer: Option<&R>, cx: &mut Context<'_>) {
        let version = answer.and_then(R::version).map(str::to_string);
        let base = self.base.clone();
        let completed_shown = cx.config.completed_shown_ms;
        let unsettled = self.operations[index].is_unsettled();
        self.operations[index].accepted(version.clone(), cx);
        let operation = &mut self.operations[index];
        if let (None, Some(answer)) = (&base, answer) {
            operation.bring_along(answer);
        }
        let goes_on = operation.goes_on();
        match &mut operation.payload {
            Payload::Mark if operation.kind != Kind::Delete && unsettled && !goes_on => {
                operation.shown_until = Some(cx.clock.plus_ms(completed_shown));
            }
            Payload::Mark => {}
            Payload::Create(new) => {
                if let Some(answer) = answer {
                    *new = answer.clone();
                }
                self.release_waiting(cx);
            }
            Payload::Update {
                patch,
                guards,
                seen,
            } => {
                if let Some(old) = base.as_ref().filter(|old| !seen.contains(old)) {
                    seen.push(detached(old));
                }
                let mut fields = patch.as_ref().map(R::fields).unwrap_or_default();
                if let Some(answer) = answer {
                    for field in &mut fields {
                        *field = answer.pick(field);
                    }
                    if let Some(base) = &base {
                        for field in R::fields(&base.diff(answer)) {
                            if !fields.iter().any(|f| R::overlaps(f, &field)) {
                                fields.push(field);
                            }
                        }
                    }
                }
                *guards = fields.into_iter().map(Guard::Hold).collect();
                self.newest_version_wins(index, version.as_deref(), cx);
            }
        }
    }

    /// Acknowledged out of order: where two answers name a field, the newer version's counts (U5).
    fn newest_version_wins(&mut self, index: usize, version: Option<&str>, cx: &Context<'_>) {
        let order = cx.config.version_order;
        for other in 0..self.operations.len() {
            let theirs = &self.operations[other];
            let Some(acked) = theirs
                .acked
                .as_ref()
                .filter(|_| other != index && theirs.live)
            else {
                continue;
            };
            let newer = match (version, acked.version.as_deref()) {
                (Some(mine), Some(theirs)) => crate::observe::compare(order, mine, theirs),
                _ => None,
            };
            let mine_wins = match newer {
                Some(std::cmp::Ordering::Greater) => true,
                Some(std::cmp::Ordering::Less) => false,
                _ => index > other,
            };
            let (from, to) = if mine_wins {
                (index, other)
            } else {
                (other, index)
            };
            let winners: Vec<R::Patch> = match &self.operations[from].payload {
                Payload::Update { guards, .. } => guards
                    .iter()
                    .filter_map(|g| match g {
                        Guard::Hold(v) => Some(v.clone()),
                        Guard::Caught(_) | Guard::Server(_) => None,
                    })
                    .collect(),
                _ => Vec::new(),
            };
            if let Payload::Update { guards, .. } = &mut self.operations[to].payload {
                for guard in guards {
                    if let Guard::Hold(value) = guard {
                        if let Some(w) = winners.iter().find(|w| R::overlaps(w, value)) {
                            *value = w.clone();
                        }
                    }
                }
            }
        }
    }

    /// The user takes one operation back; what the server has answered stays (L7, L8).
    pub(crate) fn cancel(&mut self, index: usize, cx: &mut Context<'_>) {
        let operation = &self.operations[index];
        if !operation.is_unsettled() {
            return;
        }
        let has_patch = matches!(&operation.payload, Payload::Update { patch: Some(_), .. });
        let accepted = operation.acked.is_some() || operation.is_listed();
        let answered = accepted
            && matches!(operation.kind, Kind::Create | Kind::Update)
            && (has_patch || operation.kind == Kind::Create || operation.answered)
            || operation.kind == Kind::Update
                && operation.answered
                && self.server_has(operation, cx);
        let guard = accepted && operation.kind != Kind::Delete;
        let done = operation.lingers();
        let how = if answered || done {
            Settlement::Confirmed
        } else {
            Settlement::Cancelled
        };
        let creation = operation.creates() && !guard;
        self.settle(index, Trigger::Cancel, how, guard, cx);
        if creation {
            self.creation_gone(index, cx);
        }
        self.drop_spent();
    }

    /// Whether the server's copy, with its answers laid over it, contains the operation's patch.
    fn server_has(&self, operation: &Operation<R>, cx: &Context<'_>) -> bool {
        let Payload::Update {
            patch: Some(patch), ..
        } = &operation.payload
        else {
            return true;
        };
        let Some(base) = &self.base else { return false };
        let answers = self.operations.iter().filter(|o| o.acked.is_some());
        let copy = answers.fold(base.clone(), |copy, o| {
            o.lay_over(copy, Some(base), &[], cx.config)
        });
        R::fields(patch).iter().all(|f| copy.pick(f) == *f)
    }

    /// The soonest time at which asking the server can decide something (T4).
    pub(crate) fn useful_at(&self) -> Option<Timestamp> {
        self.unsettled()
            .filter(|o| !o.waiting && !o.is_failed() && !o.is_unsent())
            .map(Operation::guard_end)
            .min()
    }
}
