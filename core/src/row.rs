//! One resource's row: the server's copy, the operations on it, and what they make of it together.

use serde::{Deserialize, Serialize};

use crate::changes::{Outcome, Settlement};
use crate::config::Config;
use crate::error::Error;
use crate::event::Retry;
use crate::ids::{ResourceId, RowKey, Timestamp};
use crate::metadata::Metadata;
use crate::operation::{Guard, Operation, Payload};
use crate::resource::Resource;
use crate::state::{Kind, State, Trigger};

/// Where a row stands: the zone of the new items at the start, the server's list, or the zone at
/// the end; and the place within.
pub(crate) type Place = (u8, i64);

/// The zones of [`Place`].
pub(crate) const START: u8 = 0;
pub(crate) const LISTED: u8 = 1;
pub(crate) const END: u8 = 2;

/// What the row's steps need to know of the collection.
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    /// The collection's own clock.
    pub(crate) clock: Timestamp,
    /// The caller's clock, for stamps.
    pub(crate) now: Timestamp,
    pub(crate) seq: u64,
    /// Since when attempts may be sent.
    pub(crate) online_since: Timestamp,
    pub(crate) outcomes: Vec<Outcome>,
}

/// A copy that keeps nothing alive but itself, to be held for long.
pub(crate) fn detached<R: Resource>(body: &R) -> R {
    let mut alone = [body.clone()];
    R::gather(&mut alone);
    let [alone] = alone;
    alone
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) struct Row<R: Resource> {
    pub(crate) key: RowKey,
    pub(crate) id: ResourceId,
    /// Earlier ids by which it is still found (V7).
    pub(crate) aliases: Vec<ResourceId>,
    /// The server's copy, as last observed.
    pub(crate) base: Option<R>,
    /// The last body of a resource that is gone, for its tombstone.
    pub(crate) last: Option<R>,
    pub(crate) place: Option<Place>,
    /// When the base was observed, in events.
    pub(crate) taken: u64,
    /// In order of their begin.
    pub(crate) operations: Vec<Operation<R>>,
    /// What is shown, where operations make it other than the base.
    pub(crate) shown: Option<R>,
    /// Until when it is certain that seeing the same again, or missing it again, decides nothing.
    #[serde(skip)]
    pub(crate) calm_until: Timestamp,
}

impl<R: Resource> Row<R> {
    pub(crate) fn new(key: RowKey, id: ResourceId) -> Self {
        Self {
            key,
            id,
            aliases: Vec::new(),
            base: None,
            last: None,
            place: None,
            taken: 0,
            operations: Vec::new(),
            shown: None,
            calm_until: Timestamp(i64::MIN),
        }
    }

    /// Nothing is left to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.base.is_none() && self.operations.is_empty()
    }

    pub(crate) fn unsettled(&self) -> impl DoubleEndedIterator<Item = &Operation<R>> {
        self.operations.iter().filter(|o| o.is_unsettled())
    }

    pub(crate) fn tombstone(&self) -> Option<&Operation<R>> {
        self.operations.iter().rfind(|o| o.is_tombstone())
    }

    /// Whether a deletion hides it that no later creation undid.
    pub(crate) fn is_hidden(&self) -> bool {
        self.operations.iter().fold(false, |hidden, o| {
            if o.creates() && o.live {
                false
            } else {
                hidden || o.hides()
            }
        })
    }

    pub(crate) fn is_visible(&self) -> bool {
        self.place.is_some() && self.body().is_some() && !self.is_hidden()
    }

    /// The body as the user sees it.
    pub(crate) fn body(&self) -> Option<&R> {
        self.shown.as_ref().or(self.base.as_ref())
    }

    /// The operation by which the resource's state and status are told (M7).
    pub(crate) fn leading(&self) -> Option<&Operation<R>> {
        // A deletion that is older than a re-creation is of the resource which it replaced (L6).
        let since = self.creation().map(|o| o.id);
        let replaced = |o: &Operation<R>| o.kind == Kind::Delete && since > Some(o.id);
        let current = || self.unsettled().filter(|o| !replaced(o));
        current()
            .rfind(|o| o.metadata().status.is_some())
            .or_else(|| current().next_back())
            .or_else(|| self.is_hidden().then(|| self.tombstone()).flatten())
    }

    pub(crate) fn state(&self) -> State {
        match self.leading() {
            Some(o) if o.is_tombstone() => State::Gone,
            Some(o) => o.state,
            None => State::Idle,
        }
    }

    pub(crate) fn metadata(&self) -> Option<Metadata> {
        self.leading().map(Operation::metadata)
    }

    /// Whether a creation of ours is live: what the server lists is not all there is to it.
    pub(crate) fn creation(&self) -> Option<&Operation<R>> {
        self.operations.iter().rfind(|o| o.live && o.creates())
    }

    /// The server's copy, or the new resource that has its place.
    pub(crate) fn unedited(&self) -> Option<R> {
        match (self.creation(), &self.base) {
            (Some(creation), base) if base.is_none() || self.recreated().is_some() => {
                match &creation.payload {
                    Payload::Create(new) => Some(new.clone()),
                    _ => base.clone(),
                }
            }
            (_, base) => base.clone(),
        }
    }

    /// Where the re-creation of what a deletion hides stands: what is older is not about it (L6).
    pub(crate) fn recreated(&self) -> Option<usize> {
        let creation = self
            .operations
            .iter()
            .rposition(|o| o.live && o.creates())?;
        let hides = |o: &Operation<R>| o.id < self.operations[creation].id && o.hides();
        self.operations.iter().any(hides).then_some(creation)
    }

    /// Lays the operations over the base again.
    pub(crate) fn refresh(&mut self, config: &Config) {
        if self.operations.is_empty() {
            (self.shown, self.last) = (None, None);
            return;
        }
        self.calm_until = self.calm();
        let mut body = self.unedited();
        let from_last = body.is_none();
        if from_last && self.is_hidden() {
            body.clone_from(&self.last);
        }
        if let Some(start) = body {
            let current = &self.operations[self.recreated().unwrap_or(0)..];
            let laid = current.iter().enumerate();
            let laid = laid.fold(start, |body, (index, o)| {
                o.lay_over(body, self.base.as_ref(), &current[..index], config)
            });
            self.shown = (self.base.as_ref() != Some(&laid)).then_some(laid);
        } else {
            self.shown = None;
        }
    }

    /// Takes an operation through the table; the error names the resource.
    pub(crate) fn step(&mut self, index: usize, trigger: Trigger) -> Result<(), Error> {
        let operation = &mut self.operations[index];
        operation.state = operation
            .state
            .next(trigger)
            .map_err(|source| Error::Transition {
                id: self.id.clone(),
                source,
            })?;
        Ok(())
    }

    /// Reports how an operation ended, without ending it.
    pub(crate) fn report(&self, index: usize, settlement: Settlement, cx: &mut Context<'_>) {
        let operation = &self.operations[index];
        cx.outcomes.push(Outcome {
            operation: operation.id,
            id: self.id.clone(),
            kind: operation.kind,
            settlement,
            error: (settlement == Settlement::Failed)
                .then(|| operation.meta.error.clone())
                .flatten(),
            at: cx.now,
        });
    }

    /// Ends an operation by `trigger`, and reports it unless its end was reported before: a stale
    /// deletion's (K1), and a failure's, whose confirmation alone is news (L14). `guard` tells
    /// whether its payload goes on to guard.
    pub(crate) fn settle(
        &mut self,
        index: usize,
        trigger: Trigger,
        settlement: Settlement,
        guard: bool,
        cx: &mut Context<'_>,
    ) {
        let operation = &mut self.operations[index];
        let Ok(next) = operation.state.next(trigger) else {
            debug_assert!(false, "{} cannot {trigger}", operation.state);
            return;
        };
        let failed = matches!(operation.state, State::Failed(_));
        let told = operation.stale || failed && trigger != Trigger::Confirm;
        operation.state = next;
        operation.live = guard && operation.can_guard();
        operation.settled_at = Some(cx.clock);
        operation.waiting = false;
        operation.retry_at = None;
        operation.shown_until = None;
        if !told {
            self.report(index, settlement, cx);
        }
    }

    /// Ends every unsettled operation before `end` as superseded (L11).
    pub(crate) fn supersede_before(&mut self, end: usize, cx: &mut Context<'_>) {
        for index in 0..end.min(self.operations.len()) {
            if self.operations[index].is_unsettled() {
                self.settle(index, Trigger::Supersede, Settlement::Superseded, false, cx);
            } else {
                self.operations[index].live = false;
            }
        }
        if !self.unsettled().any(Operation::creates_unanswered) {
            self.release_waiting(cx);
        }
    }

    /// A creation has left without a resource: what waited for it is cancelled (L1). What follows a
    /// re-creation is about that one; a deletion that did not wait is decided by itself (D3).
    pub(crate) fn creation_gone(&mut self, creation: usize, cx: &mut Context<'_>) {
        let later = self.operations.iter().skip(creation + 1);
        let count = later.take_while(|o| !o.creates()).count();
        for index in creation..=creation + count {
            let operation = &self.operations[index];
            let decides = operation.kind == Kind::Delete && !operation.waiting;
            if operation.is_unsettled() && operation.kind != Kind::Create && !decides {
                self.settle(index, Trigger::Cancel, Settlement::Cancelled, false, cx);
            }
            if matches!(self.operations[index].kind, Kind::Create | Kind::Update) {
                self.operations[index].live = false;
            }
        }
    }

    /// The clocks of what waited start (L1).
    ///
    /// What stands behind a re-creation that has no answer yet waits for that one.
    pub(crate) fn release_waiting(&mut self, cx: &Context<'_>) {
        let unanswered = |o: &Operation<R>| o.is_unsettled() && o.creates_unanswered();
        let end = self.operations.iter().rposition(unanswered);
        let end = end.unwrap_or(self.operations.len());
        self.release_before(end, cx);
    }

    /// The same of all, up to the `end`.
    pub(crate) fn release_before(&mut self, end: usize, cx: &Context<'_>) {
        for operation in self.operations[..end].iter_mut().filter(|o| o.waiting) {
            operation.waiting = false;
            operation.begun = cx.clock;
            operation.heard = cx.clock;
            operation.extended_until = cx.clock;
            operation.expect_end(cx);
        }
    }

    /// Does what is due by time alone.
    pub(crate) fn run_due(&mut self, cx: &mut Context<'_>) {
        let mut index = 0;
        while index < self.operations.len() {
            let operation = &self.operations[index];
            let timeout = cx.config.retry.attempt_timeout_ms;
            if operation.lost_at(timeout).is_some_and(|at| at <= cx.clock) {
                let error = format!("no answer within {timeout} ms");
                if self.fail(index, &error, Retry::Backoff, cx).is_err() {
                    // Only a damaged state has one under way that cannot fail.
                    self.operations[index].attempt_ended();
                }
            } else if operation.shown_until.is_some_and(|at| at <= cx.clock) {
                let created = operation.kind == Kind::Create;
                if operation.is_failed() {
                    let in_place = operation.is_in_place_creation();
                    let guard = operation.is_listed();
                    self.settle(index, Trigger::Expire, Settlement::Failed, guard, cx);
                    if created && !in_place {
                        self.creation_gone(index, cx);
                    }
                } else {
                    let trigger = if created {
                        Trigger::Confirm
                    } else {
                        Trigger::Expire
                    };
                    // The lists may lag behind what said that it is complete.
                    let guard = operation.creates();
                    self.settle(index, trigger, Settlement::Confirmed, guard, cx);
                }
            } else if operation
                .stale_at(cx.config)
                .is_some_and(|at| at <= cx.clock)
            {
                self.go_stale(index, false, cx);
            }
            let operation = &mut self.operations[index];
            let stalled = operation.stalled_at(cx.config.progress.get(&operation.kind));
            if stalled.is_some_and(|at| at <= cx.clock) {
                operation.meta.stalled = Some(true);
            }
            index += 1;
        }
        let listed = self.base.is_some();
        for operation in &mut self.operations {
            if operation.is_tombstone() && !listed && operation.guard_end() <= cx.clock {
                operation.live = false;
            }
        }
        self.forget_settled(cx);
    }

    /// Drops what is settled, guards nothing that is there, and is past the time of late answers.
    fn forget_settled(&mut self, cx: &Context<'_>) {
        let listed = self.base.is_some();
        self.operations.retain(|o| {
            let forgotten = o.forgotten_at(listed, cx.config);
            forgotten.is_none_or(|at| at > cx.clock)
        });
    }

    /// Gives an operation up (K1). A deletion by itself stays hidden until a snapshot decides;
    /// `at_once` shows it again.
    pub(crate) fn go_stale(&mut self, index: usize, at_once: bool, cx: &mut Context<'_>) {
        let operation = &self.operations[index];
        let how = Settlement::Stale;
        match operation.kind {
            Kind::Delete if !at_once => {
                self.report(index, Settlement::Stale, cx);
                self.operations[index].stale = true;
                self.operations[index].retry_at = None;
            }
            Kind::Create if operation.acked.is_none() && !operation.is_in_place_creation() => {
                self.settle(index, Trigger::Stale, how, false, cx);
                self.creation_gone(index, cx);
            }
            Kind::Create | Kind::Update => {
                let guard = operation.acked.is_some() || operation.is_listed();
                self.settle(index, Trigger::Stale, how, guard, cx);
            }
            Kind::Process | Kind::Delete => self.settle(index, Trigger::Stale, how, false, cx),
        }
        self.drop_spent();
    }

    /// Lets go of guards that hold nothing, unless they pin a field above an older edit (L15).
    pub(crate) fn drop_spent(&mut self) {
        let mut older_unsettled = false;
        for operation in &mut self.operations {
            let unsettled = operation.is_unsettled();
            if let Payload::Update { guards, .. } = &mut operation.payload {
                if !older_unsettled {
                    guards.retain(|g| !matches!(g, Guard::Server(_)));
                }
                if !unsettled && operation.acked.is_some() && guards.is_empty() {
                    operation.live = false;
                }
            }
            older_unsettled |= unsettled;
        }
    }
}
