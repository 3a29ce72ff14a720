//! The user's verbs and the server's direct answers, each as one step on one row.

use crate::cache::{Done, ResourceCache};
use crate::changes::Settlement;
use crate::config::OnFailure;
use crate::error::{Error, Missing};
use crate::event::{Event, Retry};
use crate::ids::{FetchToken, OperationId, ResourceId, RowKey};
use crate::metadata::{Change, Metadata, MetadataPatch, Status, check_progress};
use crate::observe::Observation;
use crate::operation::{Acked, Guard, Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, LISTED, Row};
use crate::state::{Kind, State, Trigger};

impl<R: Resource> Event<R> {
    /// Whether it is about one resource that it names, and may be part of a batch.
    pub(crate) fn is_verb(&self) -> bool {
        !matches!(
            self,
            Self::BeginFetch
                | Self::Merge(_)
                | Self::Observe(_)
                | Self::HandleTimeout
                | Self::CleanupStaleOperations { .. }
                | Self::ImportV1 { .. }
        )
    }
}

impl<R: Resource> ResourceCache<R> {
    /// Refuses what is wrong whatever the state.
    pub(crate) fn check(&self, event: &Event<R>) -> Result<(), Error> {
        let id = match event {
            Event::Begin { id, .. }
            | Event::UpdateInPlace { id, .. }
            | Event::UpdateMetadata { id, .. }
            | Event::Complete { id }
            | Event::Revert { id }
            | Event::Remove { id } => Some(id.as_str()),
            Event::ReplaceCreated { temp_id, .. } => Some(temp_id.as_str()),
            Event::Create { resource, .. } => Some(resource.id()),
            _ => None,
        };
        if id == Some("") {
            return Err(Error::bad_input("id", "is empty; a resource needs one"));
        }
        match event {
            Event::UpdateMetadata { patch, .. } => patch.check(),
            Event::ReplaceCreated { resource, .. } if resource.id().is_empty() => {
                Err(Error::bad_input("id", "the answer's id is empty"))
            }
            Event::Acknowledge {
                answer: Some(answer),
                ..
            } if answer.id().is_empty() => Err(Error::bad_input("id", "the answer's id is empty")),
            Event::ImportV1 { items } => {
                if !self.rows.is_empty() {
                    return Err(Error::bad_input(
                        "import",
                        "the collection is not empty; import into a new one",
                    ));
                }
                for (resource, meta) in items {
                    if resource.id().is_empty() {
                        return Err(Error::bad_input("id", "is empty; a resource needs one"));
                    }
                    if let Some(progress) = meta.as_ref().and_then(|m| m.progress) {
                        check_progress(progress)?;
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn dispatch(
        &mut self,
        event: Event<R>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        match event {
            Event::BeginFetch => {
                done.token = Some(FetchToken {
                    seq: cx.seq,
                    at: cx.clock,
                });
                Ok(())
            }
            Event::Merge(snapshot) => self.merge_snapshot(snapshot, cx, done),
            Event::Observe(event) => self.observe_event(event, cx),
            Event::HandleTimeout => Ok(()),
            Event::Begin {
                id,
                kind,
                patch,
                min_ttl_ms,
            } => self.begin(&id, kind, patch, min_ttl_ms, cx, done),
            Event::Create {
                resource,
                min_ttl_ms,
            } => self.create(resource, min_ttl_ms, cx, done),
            Event::ReplaceCreated { temp_id, resource } => {
                self.replace_created_row(&temp_id, resource, cx, done)
            }
            Event::UpdateInPlace { id, patch } => self.answer_in_place(&id, &patch, cx),
            Event::UpdateMetadata { id, patch } => self.patch_metadata(&id, patch, cx, done),
            Event::Acknowledge { operation, answer } => self.accept(operation, answer, cx),
            Event::Fail {
                operation,
                error,
                retry,
            } => self.fail_attempt(operation, error, retry, cx),
            Event::Attempt { operation } => self.attempt_again(operation, cx, done),
            Event::Cancel { operation } => {
                let (mut row, index) = self.operation_row(operation)?;
                row.cancel(index, cx);
                self.put(row);
                Ok(())
            }
            Event::Complete { id } => self.complete_newest(&id, cx),
            Event::Revert { id } => {
                self.revert_all(&id, cx);
                Ok(())
            }
            Event::Remove { id } => {
                self.remove_row(&id, cx);
                Ok(())
            }
            Event::CleanupStaleOperations { older_than_ms } => {
                self.cleanup(older_than_ms, cx);
                Ok(())
            }
            Event::ImportV1 { items } => self.import_v1(items, cx),
            Event::Batch(events) => self.batch(events, cx, done),
        }
    }

    fn batch(
        &mut self,
        events: Vec<Event<R>>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let mut results = Vec::with_capacity(events.len());
        for event in events {
            let id = match &event {
                Event::Begin { id, .. }
                | Event::UpdateInPlace { id, .. }
                | Event::UpdateMetadata { id, .. }
                | Event::Complete { id }
                | Event::Revert { id }
                | Event::Remove { id } => id.clone(),
                Event::Create { resource, .. } | Event::ReplaceCreated { resource, .. } => {
                    ResourceId::from(resource.id())
                }
                Event::Acknowledge { operation, .. }
                | Event::Fail { operation, .. }
                | Event::Attempt { operation }
                | Event::Cancel { operation } => self
                    .by_operation
                    .get(operation)
                    .and_then(|key| self.rows.get(key))
                    .map_or_else(|| ResourceId::from(""), |row| row.id.clone()),
                _ => ResourceId::from(""),
            };
            let allowed = event.is_verb() && !matches!(event, Event::Batch(_));
            let result = if allowed {
                self.check(&event)
                    .and_then(|()| self.dispatch(event, cx, done))
            } else {
                Err(Error::bad_input("batch", "only verbs may be in one"))
            };
            results.push((id, result.err()));
        }
        if results.iter().any(|(_, error)| error.is_some()) {
            return Err(Error::Batch { results });
        }
        Ok(())
    }

    fn new_operation(
        &mut self,
        kind: Kind,
        payload: Payload<R>,
        min_ttl_ms: Option<u64>,
        waiting: bool,
        cx: &Context<'_>,
    ) -> Operation<R> {
        let id = OperationId(self.next_operation);
        self.next_operation += 1;
        let mut meta = Metadata {
            started_at: Some(cx.now),
            min_ttl: (kind == Kind::Delete)
                .then(|| min_ttl_ms.unwrap_or(self.config.ttl_ms))
                .or(min_ttl_ms),
            ..Metadata::default()
        };
        match kind {
            Kind::Create => meta.created_at = Some(cx.now),
            Kind::Update => meta.updated_at = Some(cx.now),
            Kind::Delete => meta.deleted_at = Some(cx.now),
            Kind::Process => {}
        }
        Operation {
            id,
            kind,
            state: State::Running(kind),
            payload,
            live: true,
            begun: cx.clock,
            heard: cx.clock,
            ttl_ms: min_ttl_ms.unwrap_or(self.config.ttl_ms),
            extended_until: cx.clock,
            acked: None,
            waiting,
            stale: false,
            answered: false,
            retry_at: None,
            shown_until: None,
            settled_at: None,
            meta,
        }
    }

    fn begin(
        &mut self,
        id: &ResourceId,
        kind: Kind,
        patch: Option<R::Patch>,
        min_ttl_ms: Option<u64>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let mut row = self.draft(id);
        if let Some(index) = row.admit(kind)? {
            let operation = &mut row.operations[index];
            if let Some(ttl) = min_ttl_ms {
                operation.extend(ttl);
            }
            done.operations.push(operation.id);
            self.put(row);
            return Ok(());
        }
        if let (Some(patch), Some(body)) = (&patch, row.body()) {
            if body.changes_identity(patch) {
                return Err(Error::bad_input(
                    id.as_str(),
                    "the patch would change the id; create another resource instead",
                ));
            }
        }
        let waiting = row
            .unsettled()
            .any(|o| matches!(o.payload, Payload::Create(_)) && o.acked.is_none());
        let payload = if kind == Kind::Update {
            Payload::Update {
                patch,
                guards: Vec::new(),
                seen: row.seen(),
            }
        } else {
            Payload::Mark
        };
        let operation = self.new_operation(kind, payload, min_ttl_ms, waiting, cx);
        done.operations.push(operation.id);
        row.operations.push(operation);
        self.put(row);
        Ok(())
    }

    fn create(
        &mut self,
        resource: R,
        min_ttl_ms: Option<u64>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let id = ResourceId::from(resource.id());
        let mut row = self.draft(&id);
        let creating = |o: &Operation<R>| o.kind == Kind::Create;
        if row.body().is_some() && !row.is_hidden() || row.id == id && row.unsettled().any(creating)
        {
            return Err(Error::AlreadyExists { id });
        }
        if row.id != id {
            // A temporary id used again, while what it became is being deleted: a new row.
            row.aliases.retain(|alias| *alias != id);
            self.put(row);
            self.by_id.remove(&id);
            row = Row::new(RowKey(self.next_key), id);
        }
        let operation = self.new_operation(
            Kind::Create,
            Payload::Create(resource),
            min_ttl_ms,
            false,
            cx,
        );
        done.operations.push(operation.id);
        row.operations.push(operation);
        self.put(row);
        Ok(())
    }

    fn replace_created_row(
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
            .rfind(|o| matches!(o.payload, Payload::Create(_)) && o.acked.is_none())
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
    fn operation_row(&self, operation: OperationId) -> Result<(Row<R>, usize), Error> {
        let missing = || Error::NotFound(Missing::Operation(operation));
        let key = self.by_operation.get(&operation).ok_or_else(missing)?;
        let id = &self.rows.get(key).ok_or_else(missing)?.id;
        let row = self.draft(id);
        let index = row.operations.iter().position(|o| o.id == operation);
        index.map(|i| (row, i)).ok_or_else(missing)
    }

    fn accept(
        &mut self,
        operation: OperationId,
        answer: Option<R>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let (mut row, index) = self.operation_row(operation)?;
        let created = matches!(row.operations[index].payload, Payload::Create(_));
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
        if !settled {
            row.step(index, Trigger::Acknowledge)?;
        }
        row.acknowledge(index, answer.as_ref(), cx);
        if let (Some(answer), true) = (&answer, created) {
            self.rename(&mut row, answer.id());
        }
        self.put(row);
        Ok(())
    }

    /// A late answer to a creation whose id has been used for another since: the resource that it
    /// made is one that the server shows.
    fn news_of_its_own(
        &mut self,
        row: &mut Row<R>,
        index: usize,
        answer: Option<&R>,
        cx: &mut Context<'_>,
    ) -> bool {
        let creates = |o: &Operation<R>| matches!(o.payload, Payload::Create(_));
        if !creates(&row.operations[index]) || !row.operations[index + 1..].iter().any(creates) {
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

    /// Gives a created row its real id, and takes in the row that the server's list already made.
    pub(crate) fn rename(&mut self, row: &mut Row<R>, id: &str) {
        if row.id == id {
            return;
        }
        if let Some(key) = self.key_of(id).filter(|key| *key != row.key) {
            if let Some(other) = self.take(key) {
                row.taken = row.taken.max(other.taken);
                row.base = other.base.or(row.base.take());
                row.place = other.place.filter(|p| p.0 == LISTED).or(row.place);
                row.operations.extend(other.operations);
                row.operations.sort_by_key(|o| o.id);
                row.aliases.extend(other.aliases);
            }
        }
        let old = std::mem::replace(&mut row.id, id.into());
        row.aliases.retain(|a| *a != row.id);
        row.aliases.push(old);
    }

    fn fail_attempt(
        &mut self,
        operation: OperationId,
        error: String,
        retry: Retry,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let (mut row, index) = self.operation_row(operation)?;
        if !row.operations[index].is_unsettled() {
            return Ok(());
        }
        let base_ms = self.config.retry_backoff_ms;
        match retry {
            Retry::No => row.step(index, Trigger::Fail)?,
            Retry::Backoff | Retry::After(_) => row.step(index, Trigger::BackOff)?,
        }
        let keep = self.config.on_failure == OnFailure::Keep;
        let failed = &mut row.operations[index];
        failed.meta.error = Some(error);
        failed.heard = cx.clock;
        if retry == Retry::No {
            failed.meta.completed_at = Some(cx.now);
            failed.shown_until = (!keep).then(|| cx.clock.plus_ms(self.config.error_shown_ms));
            failed.acked = None;
            if let Payload::Update { guards, .. } = &mut failed.payload {
                guards.clear();
            }
            row.report(index, Settlement::Failed, cx);
        } else {
            failed.back_off(retry, base_ms, cx);
        }
        self.put(row);
        Ok(())
    }

    fn attempt_again(
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
        row.operations[index].meta.completed_at = None;
        row.step(index, Trigger::Attempt)?;
        row.operations[index].restart(cx);
        self.put(row);
        Ok(())
    }

    fn complete_newest(&mut self, id: &ResourceId, cx: &mut Context<'_>) -> Result<(), Error> {
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
        row.step(index, Trigger::Acknowledge)?;
        row.acknowledge(index, None, cx);
        self.put(row);
        Ok(())
    }

    fn revert_all(&mut self, id: &ResourceId, cx: &mut Context<'_>) {
        let mut row = self.draft(id);
        if row.operations.is_empty() && row.base.is_none() {
            return;
        }
        for index in (0..row.operations.len()).rev() {
            row.cancel(index, cx);
        }
        self.put(row);
    }

    fn remove_row(&mut self, id: &ResourceId, cx: &mut Context<'_>) {
        let mut row = self.draft(id);
        if row.is_empty() {
            return;
        }
        let newest = row.operations.iter().rposition(Operation::is_unsettled);
        match newest.filter(|i| row.operations[*i].hides()) {
            Some(index) => {
                row.supersede_before(index, cx);
                row.last = row.body().cloned();
                let how = (!row.operations[index].stale).then_some(Settlement::Confirmed);
                row.settle(index, Trigger::Confirm, how, true, cx);
                row.operations[index].stale = false;
            }
            None => {
                for index in 0..row.operations.len() {
                    let operation = &row.operations[index];
                    if operation.is_unsettled() {
                        let how = (!operation.is_failed()).then_some(Settlement::Cancelled);
                        row.settle(index, Trigger::Remove, how, false, cx);
                    }
                    let tombstone = row.operations[index].is_tombstone();
                    row.operations[index].live &= tombstone;
                }
            }
        }
        row.base = None;
        self.put(row);
    }

    fn cleanup(&mut self, older_than_ms: u64, cx: &mut Context<'_>) {
        let keys: Vec<_> = self.rows.keys().copied().collect();
        for key in keys {
            let Some(row) = self.rows.get(&key) else {
                continue;
            };
            if row.unsettled().next().is_none() {
                continue;
            }
            let mut row = row.clone();
            for index in 0..row.operations.len() {
                let o = &row.operations[index];
                let old = cx.clock.ms_since(o.heard) > older_than_ms;
                if o.is_unsettled() && old && cx.clock >= o.guard_end() {
                    row.go_stale(index, true, cx);
                }
            }
            self.put(row);
        }
    }

    fn answer_in_place(
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
                    guards.retain(|g| {
                        let (Guard::Hold(f) | Guard::Server(f)) = g;
                        !R::overlaps(f, patch)
                    });
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

    fn patch_metadata(
        &mut self,
        id: &ResourceId,
        patch: MetadataPatch,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let row = self.draft(id);
        if let Change::Set(status) = patch.status {
            self.trigger_status(id, &row, status, &patch, cx)?;
        }
        let mut row = self.draft(id);
        let Some(index) = row
            .leading()
            .filter(|o| o.is_unsettled())
            .map(|o| o.id)
            .and_then(|id| row.operations.iter().position(|o| o.id == id))
        else {
            if row.is_empty() {
                return Err(Error::no_resource(id));
            }
            return Err(Error::NoOperation { id: row.id.clone() });
        };
        let operation = &mut row.operations[index];
        if matches!(patch.progress, Change::Set(_)) || !patch.stage.is_keep() {
            operation.heard = cx.clock;
        }
        if let Change::Set(ttl) = patch.min_ttl {
            operation.extend(ttl);
        }
        patch.lay_over(&mut operation.meta);
        done.operations.push(operation.id);
        self.put(row);
        Ok(())
    }

    fn trigger_status(
        &mut self,
        id: &ResourceId,
        row: &Row<R>,
        status: Status,
        patch: &MetadataPatch,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let newest = row.leading().filter(|o| o.is_unsettled());
        let current = newest.and_then(|o| o.metadata().status);
        let failed = newest.is_some_and(Operation::is_failed);
        if current == Some(status) && !failed {
            return Ok(());
        }
        let Some(kind) = status.kind() else {
            let Some(operation) = newest.map(|o| o.id) else {
                if row.is_empty() {
                    return Err(Error::no_resource(id));
                }
                return Err(Error::transition(id, row.state(), Trigger::BackOff));
            };
            let (mut row, index) = self.operation_row(operation)?;
            row.step(index, Trigger::BackOff)?;
            let ms = self.config.retry_backoff_ms;
            row.operations[index].back_off(Retry::Backoff, ms, cx);
            self.put(row);
            return Ok(());
        };
        let mut unnamed = Done::default();
        match newest {
            Some(o)
                if o.kind == kind && matches!(o.state, State::Retrying(_) | State::Failed(_)) =>
            {
                let operation = o.id;
                self.attempt_again(operation, cx, &mut unnamed)
            }
            _ => {
                let ttl = match patch.min_ttl {
                    Change::Set(ttl) => Some(ttl),
                    _ => None,
                };
                self.begin(id, kind, None, ttl, cx, &mut unnamed)
            }
        }
    }

    fn import_v1(
        &mut self,
        items: Vec<(R, Option<Metadata>)>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        for (resource, meta) in items {
            let id = ResourceId::from(resource.id());
            let mut row = self.draft(&id);
            let kind = meta.as_ref().and_then(|m| m.status);
            if kind == Some(Status::Creating) {
                let creation = self.imported(Kind::Create, Payload::Create(resource), meta, cx);
                row.operations.push(creation);
            } else {
                row.base = Some(resource);
                row.taken = cx.seq;
                if let Some(status) = kind {
                    let kind = status.kind().unwrap_or(Kind::Update);
                    let payload = if kind == Kind::Update {
                        Payload::Update {
                            patch: None,
                            guards: Vec::new(),
                            seen: Vec::new(),
                        }
                    } else {
                        Payload::Mark
                    };
                    let mut operation = self.imported(kind, payload, meta, cx);
                    if status == Status::Retrying {
                        operation.state = State::Retrying(kind);
                    }
                    row.operations.push(operation);
                }
            }
            self.put(row);
        }
        Ok(())
    }

    /// A mark of v1.0 as an operation. Its clock starts at its own time, but never ahead of now (T5).
    fn imported(
        &mut self,
        kind: Kind,
        payload: Payload<R>,
        meta: Option<Metadata>,
        cx: &Context<'_>,
    ) -> Operation<R> {
        let mut meta = meta.unwrap_or_default();
        meta.status = None;
        let mut operation = self.new_operation(kind, payload, meta.min_ttl, false, cx);
        let stamp = [
            meta.started_at,
            meta.deleted_at,
            meta.created_at,
            meta.updated_at,
        ]
        .into_iter()
        .flatten()
        .next();
        let begun = stamp.map_or(cx.clock, |t| t.min(cx.clock));
        operation.begun = begun;
        operation.heard = begun;
        operation.extended_until = begun;
        meta.started_at = meta.started_at.or(stamp).or(Some(cx.now));
        operation.meta = meta;
        operation
    }
}
