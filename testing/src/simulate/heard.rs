//! What a client's user takes from the answers to its calls, and from its own words.

use resourcecache::{
    Change, Coverage, Event, Kind, OperationInfo, Resource, ResourceId, Retry, Settlement, State,
};

use super::memory::{Memory, Taken};
use super::progress_laws::names_end;
use super::remembered::{Acked, Remembered, state_of};

impl<R: Resource> Memory<R> {
    pub(super) fn note_event(&mut self, taken: &Taken<'_, R>) {
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
                    // Completed after it had failed, it may fail once more.
                    let lingers = |state| matches!(state, State::Acknowledged(_));
                    one.accepted |= state_of(taken.after, one).is_some_and(lingers);
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

    pub(super) fn accepted(&mut self, taken: &Taken<'_, R>, index: usize, answer: Option<&R>) {
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
    pub(super) fn release(&mut self, taken: &Taken<'_, R>, id: &ResourceId, drops: bool) {
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
}
