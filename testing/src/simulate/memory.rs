//! What a client's user remembers, apart from the cache under test: what was asked for, when, and
//! what the server answered. The laws are held against this.

use std::collections::BTreeMap;

use resourcecache::{
    Applied, Change, Config, Coverage, Event, FetchToken, Kind, OperationId, OperationInfo,
    ProgressPlan, Resource, ResourceCache, ResourceId, Retry, RetryPolicy, Settlement, State,
    VersionOrder, WatchEvent,
};

use super::order::{OwnClock, at_or_past, newer};
use super::progress_laws::names_end;
use super::remembered::{Acked, Field, Remembered, state_of};
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
    ttl_ms: u64,
    order: VersionOrder,
    retry: RetryPolicy,
    plans: BTreeMap<Kind, ProgressPlan>,
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

    /// What came along with a creation that was listed before it was answered has come too.
    fn came_along(&mut self, taken: &Taken<'_, R>) {
        if !matches!(taken.event, Event::Merge(_) | Event::Observe(_)) {
            return;
        }
        let listed = |o: &&Remembered<R>| o.new.is_some() && o.acked.is_none() && o.was_seen;
        let creations = self.operations.iter().filter(listed);
        let carried = creations.filter_map(|o| o.sending.as_ref());
        let carried: Vec<OperationId> = carried.flat_map(|s| s.carries.clone()).collect();
        for operation in carried {
            if let Some(one) = self.get_mut(operation).filter(|o| o.acked.is_none()) {
                one.was_answered = true;
                one.acked = Some(Acked {
                    answer: None,
                    at: taken.own,
                    version: None,
                });
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

    fn note_event(&mut self, taken: &Taken<'_, R>) {
        match taken.event {
            Event::Acknowledge { operation, answer } => {
                let own = *operation;
                for operation in self.carried(own) {
                    let of = |o: &Remembered<R>| {
                        o.operation == operation && (o.acked.is_none() || operation == own)
                    };
                    if let Some(index) = self.operations.iter().position(of) {
                        self.accepted(taken, index, answer.as_ref());
                    }
                }
            }
            Event::ReplaceCreated { resource, .. } => {
                let operation = taken.applied.operation();
                let of = |o: &Remembered<R>| Some(o.operation) == operation;
                if let Some(index) = self.operations.iter().position(of) {
                    self.accepted(taken, index, Some(resource));
                }
            }
            Event::Attempt { operation } => {
                self.asked_again(*operation, taken.own);
                let carried = self.carried(*operation);
                for one in self.operations.iter_mut() {
                    let failed = one.outcomes.last().is_none_or(|o| *o == Settlement::Failed);
                    let there = failed && state_of(taken.after, one).is_some();
                    let meant = there && carried.contains(&one.operation);
                    one.attempted |= meant || one.operation == *operation;
                }
            }
            Event::Fail {
                operation, retry, ..
            } if *retry != Retry::No
                && self.get(*operation).is_some_and(Remembered::is_outgoing) =>
            {
                let after_ms = match retry {
                    Retry::After(ms) => Some(*ms),
                    Retry::ByStatus { after_ms, .. } => *after_ms,
                    _ => None,
                };
                let policy = self.retry.clone();
                self.backs_off(*operation, after_ms, taken.own, &policy);
            }
            Event::Fail { operation, .. } | Event::Cancel { operation } => {
                for one in self.operations.iter_mut() {
                    // What was accepted stays the server's word (L8).
                    let answered = one.acked.is_some() && one.kind != Kind::Delete;
                    let fails = matches!(taken.event, Event::Fail { .. });
                    if one.operation == *operation {
                        one.released |= fails || !answered;
                        one.acked.take_if(|_| fails);
                    }
                }
            }
            Event::Complete { id } => {
                let before = taken.before.operations(id.as_str());
                let running = |o: &&OperationInfo| {
                    !before.contains(o) && matches!(o.state, State::Acknowledged(_))
                };
                let after = taken.after.operations(id.as_str());
                let newest = after.iter().rfind(running).or(before.last()).map(|o| o.id);
                let of = |o: &Remembered<R>| Some(o.operation) == newest;
                if let Some(index) = self.operations.iter().position(of) {
                    if self.operations[index].acked.is_none() {
                        self.accepted(taken, index, None);
                    }
                    // What had failed is accepted by the user's word.
                    let completed = &mut self.operations[index];
                    (completed.accepted, completed.was_completed) = (true, true);
                }
            }
            Event::UpdateMetadata { id, patch } if patch.stage != Change::Keep => {
                for index in 0..self.operations.len() {
                    let one = &mut self.operations[index];
                    if one.id != id.as_str() {
                        continue;
                    }
                    one.saw_end = true;
                    // A stage may complete what nobody has answered.
                    let is_done = taken.applied.changes.outcomes.iter().any(|o| {
                        o.operation == one.operation && o.settlement == Settlement::Confirmed
                    });
                    let done = |state| matches!(state, State::Acknowledged(_));
                    if one.acked.is_none()
                        && (is_done || state_of(taken.after, one).is_some_and(done))
                    {
                        one.was_completed = true;
                        for operation in self.carried(self.operations[index].operation) {
                            let of = |o: &Remembered<R>| o.operation == operation;
                            if let Some(index) = self.operations.iter().position(of) {
                                self.accepted(taken, index, None);
                            }
                        }
                    }
                }
            }
            Event::UpdateInPlace { id, patch } => self.answered_in_place(taken, id, patch),
            Event::Revert { id } => self.release(taken, id, false),
            Event::Remove { id } => self.release(taken, id, true),
            Event::CleanupStaleOperations { .. } => {}
            Event::Merge(snapshot) => {
                let version = snapshot.list_version.as_deref();
                let order = self.order;
                for item in &snapshot.items {
                    self.seen(item, version, order);
                }
                self.outrun(version, order);
                if snapshot.coverage == Coverage::Complete {
                    self.newest_list = self.newest_list.max(snapshot.token);
                }
            }
            Event::Observe(event) => self.told(event),
            _ => {}
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

    fn accepted(&mut self, taken: &Taken<'_, R>, index: usize, answer: Option<&R>) {
        let own = taken.own;
        let operation = &mut self.operations[index];
        (operation.accepted, operation.was_answered) = (true, true);
        let outcomes = taken.applied.changes.outcomes.iter();
        let mut told = outcomes.filter(|o| o.operation == operation.operation);
        let cancelled = told.any(|o| o.settlement == Settlement::Cancelled);
        let late = |o: &Settlement| *o != Settlement::Confirmed;
        // Late news: what it shows is the server's word. But nobody takes back by accepting.
        operation.released |= !cancelled && operation.outcomes.iter().any(late);
        operation.acked = Some(Acked {
            answer: answer.cloned(),
            at: own,
            version: answer.and_then(R::version).map(String::from),
        });
        let Some(answer) = answer else { return };
        // It is a copy of the server, for all that goes on.
        let (id, key) = (
            self.operations[index].id.clone(),
            self.operations[index].key,
        );
        let about = |o: &&mut Remembered<R>| o.id == answer.id() || o.is_about(&id, key);
        for one in self.operations.iter_mut().filter(about) {
            let plan = self.plans.get(&one.kind);
            one.saw_end |= plan.is_some_and(|plan| names_end(plan, answer));
        }
        let operation = &mut self.operations[index];
        for field in &mut operation.fields {
            field.wanted = answer.pick(&field.wanted);
            field.released |= field.old.as_ref() == Some(&field.wanted);
        }
        if operation.new.is_some() {
            let asked = operation.rename(answer.id());
            let key = operation.key;
            // By its uid, what had this id before is gone.
            for one in self.operations.iter_mut().filter(|o| o.id == answer.id()) {
                let known = one.body.as_ref().and_then(R::uid);
                one.released |= known.is_some() && answer.uid().is_some() && known != answer.uid();
            }
            // What was asked of it while it was being created is about this resource.
            let of_it = self
                .operations
                .iter_mut()
                .filter(|o| o.key == key && key.is_some() || o.id == asked);
            for body in of_it.filter_map(|o| o.body.as_mut()) {
                if body.uid().is_none() {
                    body.clone_from(answer);
                }
            }
        }
    }

    /// The server's answer lets go of the fields that it names (U6).
    fn answered_in_place(&mut self, taken: &Taken<'_, R>, id: &ResourceId, patch: &R::Patch) {
        let key = taken.after.get_one(id.as_str()).map(|i| i.key());
        for one in &mut self.operations {
            if one.is_about(id.as_str(), key) {
                for field in &mut one.fields {
                    field.released |= R::overlaps(&field.wanted, patch);
                }
            }
        }
    }

    /// The user takes back, or drops, all that runs on a resource.
    fn release(&mut self, taken: &Taken<'_, R>, id: &ResourceId, drops: bool) {
        let key = taken.before.get_one(id.as_str()).map(|i| i.key());
        for one in &mut self.operations {
            if !one.is_about(id.as_str(), key) {
                continue;
            }
            one.was_completed |= drops;
            one.released |= match (one.kind, drops) {
                // Once it has worked, its tombstone stays (D6, D3).
                (Kind::Delete, _) => {
                    let worked = one.outcomes.contains(&Settlement::Confirmed);
                    !drops && !worked || one.outcomes.contains(&Settlement::Cancelled)
                }
                (_, true) => true,
                // What was accepted stays the server's word (L8).
                (_, false) => one.acked.is_none(),
            };
        }
    }

    /// A body of the server lets go of what it says something new about (U2, U4, G4).
    fn seen(&mut self, body: &R, list_version: Option<&str>, order: VersionOrder) {
        for one in &mut self.operations {
            let token = one.new.as_ref().and_then(R::token);
            one.was_seen |= one.id == body.id() || token.is_some() && token == body.token();
            if one.id != body.id() {
                continue;
            }
            let plan = self.plans.get(&one.kind);
            one.saw_end |= plan.is_some_and(|plan| names_end(plan, body));
            // What began on a new resource is about the one that is seen in its place.
            let begun_on = one.body.as_mut().filter(|b| b.uid().is_none());
            if let Some(begun_on) = begun_on.filter(|_| body.uid().is_some()) {
                begun_on.clone_from(body);
            }
            let known = one.body.as_ref().and_then(R::uid);
            let other = known.is_some() && body.uid().is_some() && known != body.uid();
            if other && one.kind != Kind::Create {
                one.released = true;
            }
            if one.is_other(body) {
                let acked = one.acked.as_ref().and_then(|a| a.version.as_deref());
                one.released |= newer(order, body.version(), acked);
            }
            let Some(acked) = &one.acked else { continue };
            let at = acked.version.as_deref();
            let proof =
                at_or_past(order, body.version(), at) || at_or_past(order, list_version, at);
            for field in &mut one.fields {
                let shown = body.pick(&field.wanted);
                let known = shown == field.wanted || Some(&shown) == field.old.as_ref();
                field.released |= !known || proof;
            }
        }
    }

    /// A list that is newer than a creation's answer decides about it (C3).
    fn outrun(&mut self, list_version: Option<&str>, order: VersionOrder) {
        for one in self.operations.iter_mut().filter(|o| o.new.is_some()) {
            let acked = one.acked.as_ref().and_then(|a| a.version.as_deref());
            one.released |= at_or_past(order, list_version, acked);
        }
    }

    fn told(&mut self, event: &WatchEvent<R>) {
        let order = self.order;
        match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                self.seen(item, None, order);
                let added = matches!(event, WatchEvent::Added(_));
                let deletions = self
                    .operations
                    .iter_mut()
                    .filter(|o| o.kind == Kind::Delete);
                for one in deletions.filter(|o| added && o.id == item.id()) {
                    let known = one.body.as_ref().and_then(R::version);
                    one.released |= known.is_none() || newer(order, item.version(), known);
                }
            }
            WatchEvent::Deleted(item) => {
                for one in self.operations.iter_mut().filter(|o| o.id == item.id()) {
                    let known = one.uid();
                    let other = known.is_some() && item.uid().is_some() && known != item.uid();
                    one.released |= one.kind != Kind::Delete && !other;
                }
            }
            WatchEvent::DeletedId { id, .. } => {
                let named = self.operations.iter_mut().filter(|o| id == o.id.as_str());
                for one in named {
                    one.released |= one.kind != Kind::Delete;
                }
            }
            WatchEvent::Bookmark { version } => self.outrun(version.as_deref(), order),
            // What fails is told as an outcome.
            WatchEvent::Failed { .. } | WatchEvent::Expired => {}
        }
    }

    /// Follows rows that have got another id, or were made one with another row.
    fn follow_rows(&mut self, cache: &ResourceCache<R>) {
        for one in &mut self.operations {
            if let Some(item) = one.key.and_then(|key| cache.row(key)) {
                if item.id() != one.id {
                    one.rename(item.id());
                }
            } else if one.key.is_none() || one.new.is_none() {
                one.key = cache.get_one(&one.id).map(|i| i.key()).or(one.key);
            }
        }
        let creations = self.operations.iter().filter(|o| o.new.is_some());
        let creations: Vec<(OperationId, String)> =
            creations.map(|o| (o.operation, o.id.clone())).collect();
        for one in &mut self.operations {
            // The id is that of a newer resource of ours; of two that we made, nobody knows which.
            one.released |= creations.iter().any(|(operation, id)| {
                let later = *operation > one.operation || one.new.is_some();
                later && *operation != one.operation && *id == one.id
            });
            let namesakes = creations.iter().filter(|(_, id)| *id == one.id).count();
            one.released |= namesakes > 1;
        }
    }
}
