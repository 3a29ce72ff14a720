//! Records what the user does as steps, with what it takes to undo them, and what becomes of it (H1,
//! H3, H4).

use crate::cache::{Done, ResourceCache};
use crate::changes::Settlement;
use crate::error::Error;
use crate::event::Event;
use crate::history::{Part, Step, What};
use crate::ids::OperationId;
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, Row};
use crate::state::Kind;

impl<R: Resource> Event<R> {
    /// Whether it can be undone: it begins an edit, a creation or a deletion, or several.
    pub(crate) fn can_be_undone(&self) -> bool {
        match self {
            Self::Begin { kind, patch, .. } => {
                *kind == Kind::Delete || *kind == Kind::Update && patch.is_some()
            }
            Self::Create { .. } => true,
            Self::Queue { begin, .. } => {
                !matches!(**begin, Self::Batch(_)) && begin.can_be_undone()
            }
            Self::Batch(events) => events
                .iter()
                .all(|e| !matches!(e, Self::Batch(_)) && e.can_be_undone()),
            _ => false,
        }
    }
}

impl<R: Resource> ResourceCache<R> {
    /// Does what the user did, and keeps it as a step.
    pub(crate) fn perform_step(
        &mut self,
        label: String,
        event: Event<R>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        self.recording = Some(Vec::new());
        let performed = self.dispatch(event, cx, done);
        let parts = self.recording.take().unwrap_or_default();
        performed?;
        if !parts.is_empty() {
            self.history
                .push(Step { label, parts }, self.config.history);
        }
        Ok(())
    }

    /// Remembers what is about to begin, where a step is being recorded.
    pub(crate) fn record_part(
        &mut self,
        row: &Row<R>,
        operation: &Operation<R>,
        what: impl FnOnce(Option<&R>) -> What<R>,
    ) {
        let Some(parts) = &mut self.recording else {
            return;
        };
        parts.push(Part {
            key: row.key,
            id: row.id.clone(),
            what: what(row.body()),
            queued: false,
            min_ttl_ms: operation.meta.min_ttl,
            operations: vec![operation.id],
            older: Vec::new(),
            settled: None,
            skipped: false,
        });
    }

    /// What was begun last is the outbox's to send.
    pub(crate) fn record_queued(&mut self, operation: OperationId) {
        let part = self.recording.as_mut().and_then(|parts| parts.last_mut());
        if let Some(part) = part.filter(|part| part.operations.contains(&operation)) {
            part.queued = true;
        }
    }

    /// Heeds how operations of the history settled (H4): what has failed needs no undoing, and no
    /// inverse that was not sent.
    pub(crate) fn heed_outcomes(&mut self, cx: &mut Context<'_>) {
        let mut at = 0;
        while let Some(outcome) = cx.outcomes.get(at) {
            let (operation, settlement) = (outcome.operation, outcome.settlement);
            at += 1;
            let needless = self.history.with_part(operation, |part, _| {
                if part.operations.contains(&operation) {
                    part.settled = Some(settlement);
                    return Vec::new();
                }
                match settlement {
                    Settlement::Failed => part.operations.clone(),
                    _ => Vec::new(),
                }
            });
            for inverse in needless.into_iter().flatten() {
                self.take_back_unsent(inverse, cx);
            }
        }
    }

    fn take_back_unsent(&mut self, operation: OperationId, cx: &mut Context<'_>) {
        let Ok((mut row, index)) = self.operation_row(operation) else {
            return;
        };
        if row.operations[index].awaits_sending() {
            row.cancel(index, cx);
            self.put(row);
        }
    }

    /// The server answered edits with values of its own: those are what the edits made (H3). Of those
    /// that went along together, the last that names a field made its value.
    pub(crate) fn heed_answer(&mut self, row: &Row<R>, index: usize, answer: &R) {
        let answered: Vec<&Operation<R>> = row
            .with_carried(index)
            .map(|index| &row.operations[index])
            .collect();
        for (at, operation) in answered.iter().enumerate() {
            let made = |field: &R::Patch| {
                operation.names_any_of(field)
                    && !answered[at + 1..].iter().any(|o| o.names_any_of(field))
            };
            let answered = |values: &R::Patch| {
                let fields = R::fields(values);
                let others = fields.iter().filter(|field| !made(field));
                let mixed = others.fold(answer.clone(), |mixed, field| mixed.apply(field));
                mixed.pick(values)
            };
            self.history.with_part(operation.id, |part, done| {
                let What::Edit { before, after } = &mut part.what else {
                    return;
                };
                if !part.operations.contains(&operation.id) {
                    return;
                }
                let values = if done { Some(after) } else { before.as_mut() };
                if let Some(values) = values {
                    *values = answered(values);
                }
            });
        }
    }
}

impl<R: Resource> Operation<R> {
    fn names_any_of(&self, fields: &R::Patch) -> bool {
        match &self.payload {
            Payload::Update { patch, .. } => patch.as_ref().is_some_and(|p| R::overlaps(p, fields)),
            _ => false,
        }
    }
}
