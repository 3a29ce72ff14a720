//! Changes of metadata, some of which are triggers (M3).

use crate::cache::{Done, ResourceCache};
use crate::error::Error;
use crate::event::Retry;
use crate::ids::ResourceId;
use crate::metadata::{Change, MetadataPatch, Status};
use crate::operation::Operation;
use crate::progress::Report;
use crate::resource::Resource;
use crate::row::{Context, Row};
use crate::state::{State, Trigger};

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn patch_metadata(
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
        let report = Report {
            old_stage: operation.meta.stage.clone(),
            progress: matches!(patch.progress, Change::Set(_)),
            within: matches!(patch.stage_progress, Change::Set(_)),
            message: !patch.message.is_keep(),
        };
        if !patch.stage.is_keep() {
            operation.hear(cx);
        }
        if let Change::Set(ttl) = patch.min_ttl {
            operation.extend(ttl);
        }
        patch.lay_over(&mut operation.meta);
        done.operations.push(operation.id);
        row.take_report(index, &report, cx);
        self.put(row);
        Ok(())
    }

    pub(crate) fn trigger_status(
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
            row.operations[index].back_off(Retry::Backoff, cx);
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
}
