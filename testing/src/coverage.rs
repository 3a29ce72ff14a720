//! How often histories reach each transition and each outcome.

use std::collections::BTreeMap;

use resourcecache::{
    Applied, Event, Kind, OperationId, Resource, ResourceCache, Settlement, State, Trigger,
};

/// The unsettled operations of a cache, each with its state.
pub type States = BTreeMap<OperationId, State>;

/// How often each transition, each outcome and each rule was reached.
///
/// ```
/// use resourcecache_testing::Coverage;
/// let coverage = Coverage::default();
/// assert!(!coverage.unreached().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By state and trigger.
    pub transitions: BTreeMap<(State, Trigger), u64>,
    /// By outcome.
    pub outcomes: BTreeMap<Settlement, u64>,
    /// By rule of the model: how often its condition was met. Only the simulator counts these.
    pub rules: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// The states of the operations on these resources.
    pub fn states<'a, R: Resource>(
        cache: &ResourceCache<R>,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> States {
        ids.into_iter()
            .flat_map(|id| cache.operations(id))
            .map(|o| (o.id, o.state))
            .collect()
    }

    /// Notes what an accepted event did to the operations of a cache.
    pub fn note<R: Resource>(
        &mut self,
        before: &States,
        after: &States,
        event: &Event<R>,
        applied: &Applied,
    ) {
        for outcome in &applied.changes.outcomes {
            *self.outcomes.entry(outcome.settlement).or_default() += 1;
        }
        for (id, state) in before {
            let now = after.get(id).copied();
            if now == Some(*state) {
                continue;
            }
            let outcomes = applied.changes.outcomes.iter();
            let mut told = outcomes.filter(|o| o.operation == *id);
            let (outcome, more) = (told.next().map(|o| o.settlement), told.next());
            let by = trigger(*state, now, outcome, event).filter(|_| more.is_none());
            if let Some(trigger) = by {
                *self.transitions.entry((*state, trigger)).or_default() += 1;
            }
        }
        for (_, state) in after.iter().filter(|(id, _)| !before.contains_key(id)) {
            if let State::Running(kind) = state {
                let begun = (State::Idle, Trigger::Begin(*kind));
                *self.transitions.entry(begun).or_default() += 1;
            }
        }
    }

    /// Counts that a rule's condition was met.
    pub(crate) fn met(&mut self, rule: &'static str) {
        *self.rules.entry(rule).or_default() += 1;
    }

    /// Adds what others reached.
    pub fn add(&mut self, other: &Self) {
        for (pair, count) in &other.transitions {
            *self.transitions.entry(*pair).or_default() += count;
        }
        for (outcome, count) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += count;
        }
        for (rule, count) in &other.rules {
            *self.rules.entry(rule).or_default() += count;
        }
    }

    /// The transitions that can be seen, in the table's order.
    pub fn expected() -> impl Iterator<Item = (State, Trigger)> {
        // What the resource does when no operation is on it, and what `remove` does, has no
        // operation to be seen by.
        let seen = |e: &resourcecache::Edge| {
            (e.from.is_unsettled() || e.from == State::Idle)
                && e.trigger != Trigger::Remove
                && is_reachable(e.from, e.trigger)
        };
        State::edges().filter(seen).map(|e| (e.from, e.trigger))
    }

    /// The transitions and outcomes that were never reached.
    pub fn unreached(&self) -> Vec<String> {
        let transitions = Self::expected()
            .filter(|pair| !self.transitions.contains_key(pair))
            .map(|(state, trigger)| format!("{state} {trigger}"));
        let outcomes = Settlement::ALL
            .into_iter()
            .filter(|outcome| !self.outcomes.contains_key(outcome))
            .map(|outcome| outcome.name().to_string());
        transitions.chain(outcomes).collect()
    }
}

/// By what an operation went from one state to another, or left.
fn trigger<R: Resource>(
    before: State,
    after: Option<State>,
    outcome: Option<Settlement>,
    event: &Event<R>,
) -> Option<Trigger> {
    let ended = |by: &[Trigger]| {
        by.iter()
            .copied()
            .find(|t| before.next(*t).is_ok_and(|to| !to.is_unsettled()))
    };
    let observed = matches!(event, Event::Merge(_) | Event::Observe(_));
    let taken_back = matches!(event, Event::Cancel { .. } | Event::Revert { .. });
    if let Some(after) = after {
        return Trigger::all().find(|t| before.next(*t) == Ok(after));
    }
    match outcome {
        _ if taken_back => ended(&[Trigger::Cancel]),
        Some(Settlement::Confirmed) => ended(&[Trigger::Confirm, Trigger::Expire]),
        Some(Settlement::NotConfirmed) => ended(&[Trigger::Expire]),
        Some(Settlement::Superseded) => ended(&[Trigger::Supersede]),
        Some(Settlement::Cancelled) => ended(&[Trigger::Cancel]),
        Some(Settlement::Stale) => ended(&[Trigger::Stale]),
        Some(Settlement::Failed) => None,
        None if matches!(event, Event::Remove { .. }) => ended(&[Trigger::Remove]),
        None if matches!(before, State::Failed(_)) && observed => ended(&[Trigger::Supersede]),
        None if matches!(before, State::Failed(_)) => ended(&[Trigger::Expire]),
        None => None, // a stale deletion that a list decides: its outcome was told before
    }
}

/// What fails or is complete is not given up: the end of its error or completion settles it before.
fn is_reachable(from: State, trigger: Trigger) -> bool {
    let shown = matches!(from, State::Failed(_) | State::Acknowledged(Kind::Process));
    !(shown && trigger == Trigger::Stale)
}
