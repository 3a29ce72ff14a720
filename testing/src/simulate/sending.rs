//! What a client's user remembers of the sending of an operation that the outbox drives.

use resourcecache::{
    Attempt, Backoff, Kind, OperationId, Resource, ResourceCache, RetryPolicy, Settlement,
};

use super::memory::Memory;
use super::remembered::{Remembered, state_of};

/// How far the sending of an operation is.
#[derive(Clone, Debug)]
pub(crate) struct Sending<R: Resource> {
    /// By the collection's own clock, no attempt may be sent before.
    pub(crate) not_before: i64,
    /// The last attempt that was handed out, and by the own clock, when.
    pub(crate) last: Option<(Attempt<R>, i64)>,
    /// How many attempts had been handed out when the user last asked for it.
    pub(crate) before: u32,
    /// Whether the user has asked for it once more after it had failed.
    pub(crate) again: bool,
    /// What its attempts carry beside.
    pub(crate) carries: Vec<OperationId>,
    /// Whether attempts of another one carry it.
    pub(crate) carried: bool,
}

impl<R: Resource> Sending<R> {
    pub(crate) fn new(not_before: i64) -> Self {
        Self {
            not_before,
            last: None,
            before: 0,
            again: false,
            carries: Vec::new(),
            carried: false,
        }
    }

    /// How many attempts were handed out.
    pub(crate) fn number(&self) -> u32 {
        self.last.as_ref().map_or(0, |(attempt, _)| attempt.number)
    }

    /// How many of them since the user last asked for it.
    pub(crate) fn spent(&self) -> u32 {
        self.number().saturating_sub(self.before)
    }

    /// Whether no attempt was handed out that has it.
    pub(crate) fn is_unsent(&self) -> bool {
        self.last.is_none() && !self.carried
    }
}

/// How long at least the policy waits after so many failures.
fn wait_ms(policy: &RetryPolicy, failed: u32, after_ms: Option<u64>) -> u64 {
    match (after_ms, policy.backoff) {
        (Some(ms), _) => ms,
        (None, Backoff::Linear { step_ms }) => step_ms * u64::from(failed),
        (None, Backoff::Exponential { .. }) => 0,
    }
}

impl<R: Resource> Memory<R> {
    pub(crate) fn get(&self, operation: OperationId) -> Option<&Remembered<R>> {
        self.operations.iter().find(|o| o.operation == operation)
    }

    pub(crate) fn get_mut(&mut self, operation: OperationId) -> Option<&mut Remembered<R>> {
        self.operations
            .iter_mut()
            .find(|o| o.operation == operation)
    }

    /// An operation, and what its attempts carry.
    pub(crate) fn carried(&self, operation: OperationId) -> Vec<OperationId> {
        let own = self.get(operation).and_then(|o| o.sending.as_ref());
        let carried = own.into_iter().flat_map(|sending| &sending.carries);
        let carried = carried.filter(|o| self.goes_along(**o));
        std::iter::once(&operation)
            .chain(carried)
            .copied()
            .collect()
    }

    /// Whether no attempt of its own was handed out.
    fn goes_along(&self, operation: OperationId) -> bool {
        let sending = self.get(operation).and_then(|o| o.sending.as_ref());
        sending.is_some_and(|sending| sending.last.is_none())
    }

    /// What an attempt that was just handed out carries beside its own operation: the edits that
    /// were queued behind it on its resource, as many as it has patches for. Later ones carry those
    /// again that `cache` still has.
    pub(crate) fn carried_by(
        &self,
        attempt: &Attempt<R>,
        cache: &ResourceCache<R>,
    ) -> Vec<OperationId> {
        let Some(own) = self.get(attempt.operation) else {
            return Vec::new();
        };
        if let Some(sending) = own.sending.as_ref().filter(|s| s.last.is_some()) {
            let mine = |o: &&OperationId| {
                let failed = |o: &Remembered<R>| o.outcomes.last() == Some(&Settlement::Failed);
                let there = |o: &Remembered<R>| state_of(cache, o).is_some();
                let open = |o: &Remembered<R>| o.is_open() || failed(o) && there(o);
                self.goes_along(**o) && self.get(**o).is_some_and(open)
            };
            return sending.carries.iter().filter(mine).copied().collect();
        }
        let patches = attempt.patches.len();
        let beside = patches - usize::from(own.kind == Kind::Update).min(patches);
        let behind = self
            .operations
            .iter()
            .filter(|o| o.operation > own.operation && o.is_about(&own.id, own.key) && o.is_open());
        let mut behind: Vec<OperationId> = behind.map(|o| o.operation).collect();
        behind.sort_unstable();
        behind.truncate(beside);
        behind
    }

    /// The outbox has handed out an attempt.
    pub(crate) fn sent(&mut self, attempt: &Attempt<R>, cache: &ResourceCache<R>, own: i64) {
        let carries = self.carried_by(attempt, cache);
        for operation in &carries {
            if let Some(one) = self.get_mut(*operation).filter(|o| o.acked.is_none()) {
                one.begun = own;
                one.attempted |= one.has_outcome();
                if let Some(sending) = &mut one.sending {
                    sending.carried = true;
                }
            }
        }
        let Some(one) = self.get_mut(attempt.operation) else {
            return;
        };
        one.begun = own;
        if let Some(sending) = &mut one.sending {
            sending.last = Some((attempt.clone(), own));
            sending.carries = carries;
        }
    }

    /// An attempt failed, and another is to follow.
    pub(crate) fn backs_off(
        &mut self,
        operation: OperationId,
        after_ms: Option<u64>,
        own: i64,
        policy: &RetryPolicy,
    ) {
        let sending = self.get_mut(operation).and_then(|o| o.sending.as_mut());
        if let Some(sending) = sending {
            let wait = wait_ms(policy, sending.spent().max(1), after_ms);
            sending.not_before = own.saturating_add_unsigned(wait);
        }
    }

    /// The user asks for it once more.
    pub(crate) fn asked_again(&mut self, operation: OperationId, own: i64) {
        let Some(one) = self.get_mut(operation) else {
            return;
        };
        let failed = one.has_outcome();
        if let Some(sending) = &mut one.sending {
            sending.not_before = sending.not_before.min(own);
            sending.before = sending.number();
            sending.again |= failed;
        }
    }
}
