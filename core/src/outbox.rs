//! Drives operations: which may be sent next, in what order, and what one attempt carries.

use std::collections::BTreeSet;

use crate::cache::{Done, ResourceCache};
use crate::changes::Changes;
use crate::error::Error;
use crate::event::Event;
use crate::ids::{OperationId, ResourceId, Timestamp};
use crate::operation::Payload;
use crate::outgoing::Outgoing;
use crate::resource::Resource;
use crate::retry_policy::draw;
use crate::row::{Context, Row};
use crate::state::{Kind, State, Trigger};

/// One attempt to be sent: answer it with [`acknowledge`](ResourceCache::acknowledge) or
/// [`fail`](ResourceCache::fail), or not at all: then it counts as lost after
/// [`RetryPolicy::attempt_timeout_ms`](crate::RetryPolicy::attempt_timeout_ms).
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt<R: Resource> {
    /// The operation that it is for. It answers for the edits that it carries as well.
    pub operation: OperationId,
    /// How many attempts this makes, from 1.
    pub number: u32,
    /// What to ask of the server.
    pub kind: Kind,
    /// The resource, by the id that it has by now.
    pub id: ResourceId,
    /// The resource as it is to be: what to create, or what the update leads to. As it was, for a
    /// deletion. `None` when it is not known.
    pub body: Option<R>,
    /// What an update sets, the oldest first.
    pub patches: Vec<R::Patch>,
    /// The same for every attempt of this operation, also after a restart, and for no other: a
    /// server that honours it does the work once (`Idempotency-Key`). 32 hexadecimal digits, from
    /// [`Config::seed`](crate::Config::seed), which must be random for this.
    pub key: String,
}

/// What an operation asks of the server, for a caller that sends it by itself: after an
/// [`undo`](ResourceCache::undo), for one.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<R: Resource> {
    /// The operation.
    pub operation: OperationId,
    /// What to ask of the server.
    pub kind: Kind,
    /// The resource, by the id that it has by now.
    pub id: ResourceId,
    /// The resource as it is to be; as it was, for a deletion. `None` when it is not known.
    pub body: Option<R>,
    /// What an update sets.
    pub patch: Option<R::Patch>,
}

/// What waits to be sent, and what is under way.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    pub(crate) online: bool,
    pub(crate) online_since: Timestamp,
    /// By the time at which each may be sent; one of each resource at most.
    ready: BTreeSet<(Timestamp, OperationId)>,
    under_way: usize,
    queued: usize,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            online: true,
            online_since: Timestamp::default(),
            ready: BTreeSet::new(),
            under_way: 0,
            queued: 0,
        }
    }
}

impl Outbox {
    pub(crate) fn insert<R: Resource>(&mut self, row: &Row<R>) {
        self.ready.extend(row.next_to_send());
        self.under_way += row.under_way();
        self.queued += row.queue().count();
    }

    pub(crate) fn remove<R: Resource>(&mut self, row: &Row<R>) {
        if let Some(entry) = row.next_to_send() {
            self.ready.remove(&entry);
        }
        self.under_way -= row.under_way();
        self.queued -= row.queue().count();
    }

    /// The operation that may be sent first, if one may be by now.
    fn next(&self, clock: Timestamp, most: usize) -> Option<OperationId> {
        let (at, operation) = self.ready.first()?;
        let free = self.online && self.under_way < most;
        (free && *at <= clock).then_some(*operation)
    }
}

impl<R: Resource> ResourceCache<R> {
    /// Begins an operation, and leaves its sending to the outbox.
    pub(crate) fn begin_queued(
        &mut self,
        begin: Event<R>,
        send_after_ms: u64,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let first_new = OperationId(self.next_operation);
        self.dispatch(begin, cx, done)?;
        // A deletion that runs already stays as it is (L5).
        let Some(operation) = done.operations.last().copied().filter(|o| *o >= first_new) else {
            return Ok(());
        };
        self.record_queued(operation);
        let (mut row, index) = self.operation_row(operation)?;
        let seed = self.config.seed;
        let key = [cx.now.0 as u64, u64::MAX].map(|what| draw(seed, operation, what));
        let queued = &mut row.operations[index];
        let key = format!("{:016x}{:016x}", key[0], key[1]);
        queued.outgoing = Some(Outgoing::new(key, cx.clock.plus_ms(send_after_ms)));
        queued.meta.max_retries = self.config.retry.max_attempts;
        queued.meta.expected_at = None;
        if queued.kind == Kind::Delete && send_after_ms == 0 {
            row.end_unsent_creation(index, cx);
        }
        self.put(row);
        Ok(())
    }

    /// Starts the next attempt that may be sent, if there is one.
    pub(crate) fn start_attempt(
        &mut self,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        while let Some(operation) = self.outbox.next(cx.clock, self.config.max_under_way) {
            let (mut row, index) = self.operation_row(operation)?;
            if row.operations[index].kind == Kind::Delete && row.end_unsent_creation(index, cx) {
                self.put(row);
                continue;
            }
            if row.operations[index].is_unsent() {
                row.carry(index);
                let base = row.base.clone();
                row.operations[index].begin_plan(base.as_ref(), cx);
            }
            for index in row.with_carried(index) {
                if row.operations[index].state != State::Running(row.operations[index].kind) {
                    row.step(index, Trigger::Attempt)?;
                }
                row.operations[index].restart(cx);
                row.operations[index].begun = cx.clock;
            }
            if let Some(out) = &mut row.operations[index].outgoing {
                out.start(cx.clock);
            }
            row.operations[index].expect_end(cx);
            self.put(row);
            done.operations.push(operation);
            return Ok(());
        }
        Ok(())
    }

    /// The next attempt that may be sent by `now`, and what has changed. Call it until it answers
    /// none, whenever something was queued, answered or failed, and at each
    /// [`poll_timeout`](Self::poll_timeout).
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn poll_attempt(&mut self, now: Timestamp) -> Result<(Option<Attempt<R>>, Changes), Error> {
        let applied = self.apply(Event::PollAttempt, now)?;
        let attempt = applied.operations.first().and_then(|o| self.attempt_of(*o));
        Ok((attempt, applied.changes))
    }

    /// The attempt of this operation that is under way; `None` when none is. So a caller finds after
    /// a restart what it had sent.
    pub fn attempt_of(&self, operation: OperationId) -> Option<Attempt<R>> {
        let (row, index) = self.operation_row(operation).ok()?;
        let started = &row.operations[index];
        let out = started
            .outgoing
            .as_ref()
            .filter(|_| started.is_under_way())?;
        let patch = |index: usize| match &row.operations[index].payload {
            Payload::Update { patch, .. } => patch.clone(),
            _ => None,
        };
        let last = row.with_carried(index).last()?;
        Some(Attempt {
            operation,
            number: out.attempts,
            kind: started.kind,
            id: row.id.clone(),
            body: row.asked(index, last, &self.config),
            patches: row.with_carried(index).filter_map(patch).collect(),
            key: out.key.clone(),
        })
    }

    /// What an unsettled operation asks of the server; `None` for one that is not known, has settled,
    /// or waits for the creation of its resource to be answered (L1).
    pub fn request_of(&self, operation: OperationId) -> Option<Request<R>> {
        let (row, index) = self.operation_row(operation).ok()?;
        let asked = &row.operations[index];
        Some(Request {
            operation,
            kind: (asked.is_unsettled() && !asked.waiting).then_some(asked.kind)?,
            id: row.id.clone(),
            body: row.asked(index, index, &self.config),
            patch: match &asked.payload {
                Payload::Update { patch, .. } => patch.clone(),
                _ => None,
            },
        })
    }

    /// How many operations wait to be sent or are under way.
    pub fn queued(&self) -> usize {
        self.outbox.queued
    }

    /// Whether attempts may be sent.
    pub fn is_online(&self) -> bool {
        self.outbox.online
    }

    pub(crate) fn go_online(&mut self, online: bool, cx: &Context<'_>) {
        if online && !self.outbox.online {
            self.outbox.online_since = cx.clock;
        }
        self.outbox.online = online;
    }
}
