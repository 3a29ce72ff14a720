//! What a client's user remembers, apart from the cache under test: what was asked for, when, and
//! what the server answered. The laws are held against this.

use std::collections::BTreeMap;

use resourcecache::{
    Applied, Config, Event, FetchToken, Kind, OperationId, OperationInfo, ProgressPlan, Resource,
    ResourceCache, RetryPolicy, Settlement, VersionOrder,
};

use super::order::OwnClock;
use super::remembered::{Field, Remembered};
use super::sending::Sending;
use super::step::Tag;

/// All that a client's user remembers. It is written down with the cache's state, and lost with it.
#[derive(Clone, Debug)]
pub(crate) struct Memory<R: Resource> {
    pub(crate) clock: OwnClock,
    pub(crate) operations: Vec<Remembered<R>>,
    /// The newest list that was merged whole.
    pub(crate) newest_list: Option<FetchToken>,
    /// The labels of the user's steps, each with whether the outbox sends it.
    pub(crate) steps: Vec<(String, bool)>,
    /// How many operations the last event has begun.
    pub(crate) fresh: usize,
    /// Since when each completion is shown, by its operation.
    pub(crate) complete: BTreeMap<OperationId, i64>,
    pub(super) ttl_ms: u64,
    pub(super) order: VersionOrder,
    pub(super) retry: RetryPolicy,
    pub(super) plans: BTreeMap<Kind, ProgressPlan>,
}

/// An event that the cache has taken, and what it made of it.
pub(crate) struct Taken<'a, R: Resource> {
    pub(crate) event: &'a Event<R>,
    pub(crate) tag: Option<Tag>,
    pub(crate) before: &'a ResourceCache<R>,
    pub(crate) after: &'a ResourceCache<R>,
    pub(crate) applied: &'a Applied,
    /// By the collection's own clock.
    pub(crate) own: i64,
}

impl<R: Resource> Memory<R> {
    /// Nothing is remembered yet, of a cache with these settings.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            clock: OwnClock::default(),
            operations: Vec::new(),
            newest_list: None,
            steps: Vec::new(),
            fresh: 0,
            complete: BTreeMap::new(),
            ttl_ms: config.ttl_ms,
            order: config.version_order,
            retry: config.retry.clone(),
            plans: config.progress.clone(),
        }
    }

    /// Everything is lost.
    pub(crate) fn forget(&mut self) {
        self.clock = OwnClock::default();
        self.operations.clear();
        self.newest_list = None;
        self.steps.clear();
        self.complete.clear();
    }

    pub(crate) fn by_tag(&self, tag: Tag) -> Option<&Remembered<R>> {
        self.operations.iter().find(|o| o.tag == tag)
    }

    /// Those that have not ended, by the states of the cache.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Remembered<R>> {
        self.operations.iter().filter(|o| {
            let failed = o.outcomes.last() == Some(&Settlement::Failed);
            !o.has_outcome() || o.attempted || o.accepted || failed
        })
    }

    /// Takes an event in.
    pub(crate) fn note(&mut self, taken: &Taken<'_, R>) {
        let known = self.operations.len();
        // Accepted late, it may fail once more by what the answer says.
        let accepted = match taken.event {
            Event::Acknowledge { operation, .. } => Some(*operation),
            Event::ReplaceCreated { .. } => taken.applied.operation(),
            _ => None,
        };
        if let Some(one) = accepted.and_then(|operation| self.get_mut(operation)) {
            one.accepted = true;
        }
        self.note_outcomes(0, taken);
        match taken.event {
            Event::Perform { label, event } => {
                let first = self.operations.len();
                self.note_begun(taken, event, &mut taken.applied.operations.iter());
                let begun = &mut self.operations[first..];
                begun.iter_mut().for_each(|one| one.step = true);
                let queued = begun.iter().any(|one| one.sending.is_some());
                self.steps.push((label.clone(), queued));
            }
            Event::Undo | Event::Redo => self.note_step(taken),
            event => {
                self.note_begun(taken, event, &mut taken.applied.operations.iter());
                self.note_event(taken);
            }
        }
        // What began may have ended at once.
        self.note_outcomes(known, taken);
        self.fresh = self.operations.len() - known;
        self.came_along(taken);
        self.follow_rows(taken.after);
    }

    fn note_outcomes(&mut self, from: usize, taken: &Taken<'_, R>) {
        for outcome in &taken.applied.changes.outcomes {
            // A creation that is seen to have worked has brought along what it carried.
            if (outcome.kind, outcome.settlement) == (Kind::Create, Settlement::Confirmed) {
                for operation in self.carried(outcome.operation).into_iter().skip(1) {
                    let one = self.get_mut(operation);
                    one.into_iter().for_each(|one| one.accepted = true);
                }
            }
            let is = |o: &&mut Remembered<R>| o.operation == outcome.operation;
            for operation in self.operations[from..].iter_mut().filter(is) {
                operation.ends(outcome.settlement);
            }
        }
    }

    /// What begins, each with the next of these operations.
    fn note_begun<'a>(
        &mut self,
        taken: &Taken<'_, R>,
        event: &Event<R>,
        operations: &mut impl Iterator<Item = &'a OperationId>,
    ) {
        match event {
            Event::Begin {
                id,
                kind,
                patch,
                min_ttl_ms,
            } => {
                let (id, patch) = (id.as_str(), patch.as_ref());
                let operation = operations.next().copied();
                self.begin(taken, operation, id, *kind, patch, *min_ttl_ms);
            }
            Event::Create { resource, .. } => {
                self.create(taken, operations.next().copied(), resource);
            }
            Event::Queue {
                begin,
                send_after_ms,
            } => {
                let known = self.operations.len();
                self.note_begun(taken, begin, operations);
                if let Some(begun) = self.operations.get_mut(known) {
                    let not_before = taken.own.saturating_add_unsigned(*send_after_ms);
                    begun.sending = Some(Sending::new(not_before));
                }
            }
            Event::Batch(events) => {
                for event in events {
                    self.note_begun(taken, event, operations);
                }
            }
            _ => {}
        }
    }

    /// The tag of the operation that an event began, of those that it began.
    fn tag(taken: &Taken<'_, R>, operation: OperationId) -> Tag {
        let place = taken
            .applied
            .operations
            .iter()
            .position(|o| *o == operation);
        match (taken.tag, place) {
            (Some(first), Some(place)) => first + place,
            _ => usize::MAX,
        }
    }

    /// A step was undone or redone: what was not sent is taken back, what was sent has an inverse.
    fn note_step(&mut self, taken: &Taken<'_, R>) {
        for outcome in &taken.applied.changes.outcomes {
            if outcome.settlement == Settlement::Cancelled {
                let one = self.get_mut(outcome.operation);
                one.into_iter().for_each(|one| one.released = true);
            }
        }
        let label = match taken.event {
            Event::Undo => taken.before.undo_label(),
            _ => taken.before.redo_label(),
        };
        let step = self.steps.iter().find(|step| Some(&*step.0) == label);
        let queued = step.is_some_and(|step| step.1);
        for operation in &taken.applied.operations {
            let known = self.operations.len();
            let asked = taken.after.request_of(*operation);
            let id = asked.as_ref().map(|asked| asked.id.clone());
            let id = id.or_else(|| {
                let is = |o: &OperationInfo| o.id == *operation;
                let mut all = taken.after.all();
                let item = all.find(|item| taken.after.operations(item.id()).iter().any(is));
                item.map(|item| item.id().into())
            });
            let Some(id) = id else { continue };
            let begun = taken.after.operations(id.as_str());
            let kind = begun.iter().find(|o| o.id == *operation).map(|o| o.kind);
            match (asked, kind) {
                (Some(asked), Some(Kind::Create)) => {
                    if let Some(body) = &asked.body {
                        self.create(taken, Some(*operation), body);
                    }
                }
                (asked, Some(kind)) => {
                    let patch = asked.as_ref().and_then(|asked| asked.patch.as_ref());
                    self.begin(taken, Some(*operation), id.as_str(), kind, patch, None);
                }
                _ => {}
            }
            if let Some(begun) = self.operations.get_mut(known) {
                (begun.step, begun.inverse) = (true, true);
                begun.vague = begun.kind == Kind::Update && begun.patch.is_none();
                begun.sending = queued.then(|| Sending::new(taken.own));
            }
        }
    }

    /// The state was loaded, and what became due meanwhile was done.
    pub(crate) fn note_loaded(&mut self, cache: &ResourceCache<R>) {
        for one in &mut self.operations {
            one.outcomes.clear();
        }
        for outcome in cache.outcomes() {
            let known = self.operations.iter_mut();
            for operation in known.filter(|o| o.operation == outcome.operation) {
                operation.outcomes.push(outcome.settlement);
            }
        }
    }

    fn begin(
        &mut self,
        taken: &Taken<'_, R>,
        operation: Option<OperationId>,
        id: &str,
        kind: Kind,
        patch: Option<&R::Patch>,
        ttl_ms: Option<u64>,
    ) {
        let Some(operation) = operation else {
            return;
        };
        if self.operations.iter().any(|o| o.operation == operation) {
            return; // a deletion that runs already (L5)
        }
        let item = taken.before.get_one(id);
        let key = taken.after.get_one(id).map(|i| i.key());
        let body = item.map(|i| i.body().clone());
        let alone = !self.operations.iter().any(|o| o.is_about(id, key));
        let fields = patch.map(R::fields).unwrap_or_default().into_iter();
        let fields = fields.map(|wanted| Field {
            old: body
                .as_ref()
                .filter(|_| alone)
                .map(|b| b.pick(&wanted))
                .filter(|old| *old != wanted),
            wanted,
            released: false,
        });
        let fields = fields.collect();
        self.operations.push(Remembered {
            tag: Self::tag(taken, operation),
            key,
            body,
            patch: patch.cloned(),
            fields,
            begun: taken.own,
            ttl_ms: ttl_ms.unwrap_or(self.ttl_ms),
            ..Remembered::new(operation, kind, id)
        });
    }

    fn create(&mut self, taken: &Taken<'_, R>, operation: Option<OperationId>, resource: &R) {
        let Some(operation) = operation else {
            return;
        };
        let key = taken.after.get_one(resource.id()).map(|i| i.key());
        for older in &mut self.operations {
            // What was deleted under this id is another resource from now on (L6).
            older.released |= older.is_about(resource.id(), key);
        }
        self.operations.push(Remembered {
            tag: Self::tag(taken, operation),
            key,
            new: Some(resource.clone()),
            begun: taken.own,
            ttl_ms: self.ttl_ms,
            ..Remembered::new(operation, Kind::Create, resource.id())
        });
    }
}
