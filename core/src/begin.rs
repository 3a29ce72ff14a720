//! Begins operations: marks, updates, creations.

use crate::cache::{Done, ResourceCache};
use crate::error::Error;
use crate::history::What;
use crate::ids::{OperationId, ResourceId, RowKey};
use crate::metadata::Metadata;
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, Row, detached};
use crate::state::{Kind, State};

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn new_operation(
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
            outgoing: None,
            tracked: None,
            meta,
        }
    }

    pub(crate) fn begin(
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
        let newest = row.creation().filter(|o| o.is_unsettled());
        let waiting = newest.is_some_and(Operation::creates_unanswered);
        let payload = if kind == Kind::Update {
            Payload::Update {
                patch,
                guards: Vec::new(),
                seen: row.seen(),
            }
        } else {
            Payload::Mark
        };
        let mut operation = self.new_operation(kind, payload, min_ttl_ms, waiting, cx);
        operation.begin_plan(row.base.as_ref(), cx);
        self.record_part(&row, &operation, |body| match &operation.payload {
            Payload::Update {
                patch: Some(after), ..
            } => What::Edit {
                before: body.map(|body| body.pick(after)),
                after: after.clone(),
            },
            _ => What::Deletion(body.map(detached)),
        });
        done.operations.push(operation.id);
        row.operations.push(operation);
        self.put(row);
        Ok(())
    }

    pub(crate) fn create(
        &mut self,
        resource: R,
        min_ttl_ms: Option<u64>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let id = ResourceId::from(resource.id());
        let mut row = self.draft(&id);
        let creating = |o: &Operation<R>| o.kind == Kind::Create && o.acked.is_none();
        if row.body().is_some() && !row.is_hidden() || row.id == id && row.unsettled().any(creating)
        {
            return Err(Error::AlreadyExists { id });
        }
        if row.id != id {
            // A temporary id used again, while what it became is being deleted: a new row.
            row.aliases.retain(|alias| *alias != id);
            self.put(row);
            row = Row::new(RowKey(self.next_key), id);
        }
        let mut operation = self.new_operation(
            Kind::Create,
            Payload::Create(resource),
            min_ttl_ms,
            false,
            cx,
        );
        // What has the id so far is another.
        operation.begin_plan(None, cx);
        if let Payload::Create(new) = &operation.payload {
            self.record_part(&row, &operation, |_| What::Creation(detached(new)));
        }
        done.operations.push(operation.id);
        row.operations.push(operation);
        self.put(row);
        Ok(())
    }
}
