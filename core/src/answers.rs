//! The server's direct answers to operations: accepted, failed, attempted again, done.

use crate::cache::{Done, ResourceCache};
use crate::changes::Settlement;
use crate::error::{Error, Missing};
use crate::event::Retry;
use crate::ids::{OperationId, ResourceId};
use crate::observe::Observation;
use crate::operation::{Acked, Guard, Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, LISTED, Row};
use crate::state::{Kind, State, Trigger};

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn replace_created_row(
        &mut self,
        temp_id: &ResourceId,
        resource: R,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let row = self.draft(temp_id);
        let creation = row
            .operations
            .iter()
            .rfind(|o| o.creates() && o.acked.is_none())
            .map(|o| o.id);
        let Some(operation) = creation else {
            if row.is_empty() {
                return Err(Error::no_resource(temp_id));
            }
            return Err(Error::transition(
                temp_id,
                row.state(),
                Trigger::Acknowledge,
            ));
        };
        done.operations.push(operation);
        self.accept(operation, Some(resource), cx)
    }

    /// The row of an operation, with what is due done, and the operation's place in it.
    pub(crate) fn operation_row(&self, operation: OperationId) -> Result<(Row<R>, usize), Error> {
        let missing = || Error::NotFound(Missing::Operation(operation));
        let key = self.by_operation.get(&operation).ok_or_else(missing)?;
        let row = self.draft_of(*key).ok_or_else(missing)?;
        let index = row.operations.iter().position(|o| o.id == operation);
        index.map(|i| (row, i)).ok_or_else(missing)
    }

    pub(crate) fn accept(
        &mut self,
        operation: OperationId,
        answer: Option<R>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let (mut row, index) = self.operation_row(operation)?;
        let created = row.operations[index].creates();
        if row.operations[index].acked.is_some() {
            let state = row.operations[index].state;
            return Err(Error::transition(&row.id, state, Trigger::Acknowledge));
        }
        if let (Some(answer), false) = (&answer, created) {
            let names = |id: &ResourceId| id == answer.id();
            if !names(&row.id) && !row.aliases.iter().any(names) {
                return Err(Error::bad_input(
                    row.id.as_str(),
                    format!("the answer is about {:?}, another resource", answer.id()),
                ));
            }
        }
        let settled = !row.operations[index].is_unsettled();
        if settled && self.news_of_its_own(&mut row, index, answer.as_ref(), cx) {
            return Ok(());
        }
        if let Some(answer) = answer.as_ref().filter(|_| !self.history.is_empty()) {
            self.heed_answer(&row, index, answer);
        }
        if row.operations[index].lingers() {
            // A list or a report has told before what came of it.
            let version = answer.as_ref().and_then(R::version).map(str::to_string);
            let (at, seq) = (cx.clock, cx.seq);
            let operation = &mut row.operations[index];
            operation.acked = Some(Acked { at, seq, version });
            if let (Payload::Create(new), Some(answer)) = (&mut operation.payload, &answer) {
                new.clone_from(answer);
            }
        } else {
            if !settled {
                row.step(index, Trigger::Acknowledge)?;
            }
            row.acknowledge(index, answer.as_ref(), cx);
            row.acknowledge_carried(index, answer.as_ref(), cx)?;
            if let Some(answer) = &answer {
                row.follow(answer, true, &Observation::now(cx), cx);
            }
        }
        if let (Some(answer), true) = (&answer, created) {
            self.end_what_had_its_id(&row, answer, cx);
            self.rename(&mut row, answer.id(), cx);
            // Under an id that comes again, the copy may be of what had it before.
            let other = |base: &R| base.uid().is_some() && base.uid() != answer.uid();
            row.base
                .take_if(|base| answer.uid().is_some() && other(base));
        }
        self.put(row);
        Ok(())
    }

    /// A late answer to a creation whose id has been used for another since: the resource that it
    /// made is one that the server shows.
    pub(crate) fn news_of_its_own(
        &mut self,
        row: &mut Row<R>,
        index: usize,
        answer: Option<&R>,
        cx: &mut Context<'_>,
    ) -> bool {
        let replaced = row.operations[index + 1..].iter().any(Operation::creates);
        if !row.operations[index].creates() || !replaced {
            return false;
        }
        row.operations[index].acked = Some(Acked {
            at: cx.clock,
            seq: cx.seq,
            version: None,
        });
        self.put(row.clone());
        if let Some(answer) = answer {
            self.see(answer, &Observation::now(cx), cx);
        }
        true
    }

    /// What had the id of a new resource, by its uid another one, is gone: so is all that was asked of
    /// it (G4).
    fn end_what_had_its_id(&mut self, row: &Row<R>, answer: &R, cx: &mut Context<'_>) {
        let other = self.key_of(answer.id()).filter(|key| *key != row.key);
        let other = other.and_then(|key| self.draft_of(key));
        // One that had this id once, and has another by now, is not concerned.
        let Some(mut other) = other.filter(|other| other.id == *answer.id()) else {
            return;
        };
        let known = other.base.as_ref().or(other.last.as_ref());
        let (Some(known), Some(uid)) = (known.and_then(R::uid), answer.uid()) else {
            return;
        };
        if known == uid {
            return;
        }
        if let Some(deletion) = other.operations.iter().rposition(Operation::hides) {
            if other.operations[deletion].is_unsettled() {
                other.settle(deletion, Trigger::Confirm, Settlement::Confirmed, false, cx);
            }
        }
        other.supersede_before(usize::MAX, cx);
        self.put(other);
    }

    /// Gives a created row its real id, and takes in the row that the server's list already made.
    pub(crate) fn rename(&mut self, row: &mut Row<R>, id: &str, cx: &Context<'_>) {
        if row.id == id {
            return;
        }
        if let Some(key) = self.rows.alias(id).filter(|key| *key != row.key) {
            self.drop_alias(key, id);
        }
        if let Some(key) = self.key_of(id).filter(|key| *key != row.key) {
            if let Some(other) = self.take(key) {
                row.taken = row.taken.max(other.taken);
                row.base = other.base.or(row.base.take());
                row.place = other.place.filter(|p| p.0 == LISTED).or(row.place);
                row.operations.extend(other.operations);
                row.operations.sort_by_key(|o| o.id);
                row.aliases.extend(other.aliases);
                // What waited for a creation of its own knows that the resource is there.
                row.release_before(row.operations.len(), cx);
            }
        }
        // Answered twice, the row has left what the first answer named.
        row.base.take_if(|base| base.id() != id);
        let old = std::mem::replace(&mut row.id, id.into());
        row.aliases.retain(|a| *a != row.id);
        row.aliases.push(old);
    }

    pub(crate) fn fail_attempt(
        &mut self,
        operation: OperationId,
        error: String,
        retry: Retry,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let (mut row, index) = self.operation_row(operation)?;
        let failed = &row.operations[index];
        // The call's answer was lost, and a list has told what came of it.
        let listed = failed.is_listed() && failed.acked.is_none() && retry != Retry::No;
        let told = failed.tracked.is_some() && (listed || failed.lingers());
        if failed.is_unsettled() && !told {
            row.fail(index, &error, retry, cx)?;
            self.put(row);
        }
        Ok(())
    }

    pub(crate) fn attempt_again(
        &mut self,
        operation: OperationId,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let (mut row, index) = self.operation_row(operation)?;
        done.operations.push(operation);
        let state = row.operations[index].state;
        if matches!(state, State::Running(_)) {
            return Ok(());
        }
        row.step(index, Trigger::Attempt)?;
        for index in row.with_carried(index) {
            let again = &mut row.operations[index];
            again.state = State::Running(again.kind);
            again.meta.completed_at = None;
            again.restart(cx);
            again.queue_again();
        }
        self.put(row);
        Ok(())
    }

    pub(crate) fn complete_newest(
        &mut self,
        id: &ResourceId,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let mut row = self.draft(id);
        let Some(index) = row.operations.iter().rposition(Operation::is_unsettled) else {
            if row.is_empty() {
                return Err(Error::no_resource(id));
            }
            return Err(Error::transition(
                &row.id,
                row.state(),
                Trigger::Acknowledge,
            ));
        };
        if row.operations[index].tracked.is_some() {
            row.complete(index, cx)?;
        } else {
            row.step(index, Trigger::Acknowledge)?;
            row.acknowledge(index, None, cx);
        }
        self.put(row);
        Ok(())
    }

    pub(crate) fn answer_in_place(
        &mut self,
        id: &ResourceId,
        patch: &R::Patch,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let mut row = self.draft(id);
        let Some(body) = row.body() else {
            return Err(Error::no_resource(id));
        };
        if body.changes_identity(patch) {
            return Err(Error::bad_input(
                id.as_str(),
                "an answer about another resource; its id differs",
            ));
        }
        let fields = R::fields(patch);
        let mut answer = self.new_operation(
            Kind::Update,
            Payload::Update {
                patch: None,
                guards: fields.iter().cloned().map(Guard::Hold).collect(),
                seen: row.seen(),
            },
            None,
            false,
            cx,
        );
        answer.state = State::Idle;
        answer.settled_at = Some(cx.clock);
        answer.acked = Some(Acked {
            at: cx.clock,
            seq: cx.seq,
            version: None,
        });
        for operation in &mut row.operations {
            operation.answered |= operation.is_unsettled();
            let acked = operation.acked.is_some();
            match &mut operation.payload {
                Payload::Update { guards, .. } if acked => {
                    guards.retain(|guard| !R::overlaps(guard.field(), patch));
                }
                Payload::Create(new) => *new = new.apply(patch),
                _ => {}
            }
        }
        let first_pending = row
            .operations
            .iter()
            .position(|o| o.kind == Kind::Update && o.is_unsettled() && o.acked.is_none());
        let at = first_pending.unwrap_or(row.operations.len());
        row.operations.insert(at, answer);
        self.put(row);
        Ok(())
    }
}
