//! Loads a list that v1.0 saved (M1).

use crate::cache::ResourceCache;
use crate::error::Error;
use crate::ids::ResourceId;
use crate::metadata::{Metadata, Status};
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::row::Context;
use crate::state::{Kind, State};

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn import_v1(
        &mut self,
        items: Vec<(R, Option<Metadata>)>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        for (resource, meta) in items {
            let id = ResourceId::from(resource.id());
            let mut row = self.draft(&id);
            if meta.as_ref().is_some_and(|m| m.status.is_some()) {
                // An id that is there twice has the last body, as in a list (S2), and the last mark.
                row.operations.clear();
            }
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
    pub(crate) fn imported(
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
