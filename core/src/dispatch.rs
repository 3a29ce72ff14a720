//! Checks an event and hands it to what does it: the user's verbs, snapshots, the clock.

use crate::cache::{Done, ResourceCache};
use crate::error::Error;
use crate::event::Event;
use crate::history::History;
use crate::ids::{FetchToken, ResourceId};
use crate::metadata::check_progress;
use crate::resource::Resource;
use crate::row::Context;

impl<R: Resource> Event<R> {
    /// Whether it is about one resource that it names, and may be part of a batch.
    pub(crate) fn is_verb(&self) -> bool {
        !matches!(
            self,
            Self::BeginFetch
                | Self::Merge(_)
                | Self::Observe(_)
                | Self::HandleTimeout
                | Self::PollAttempt
                | Self::SetOnline { .. }
                | Self::CleanupStaleOperations { .. }
                | Self::ImportV1 { .. }
                | Self::Perform { .. }
                | Self::Undo
                | Self::Redo
                | Self::ClearHistory
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
            Event::Queue { begin, .. } => {
                return match &**begin {
                    Event::Begin { .. } | Event::Create { .. } => self.check(begin),
                    _ => Err(Error::bad_input(
                        "queue",
                        "only what begins an operation can be queued: begin or create",
                    )),
                };
            }
            Event::Perform { event, .. } => {
                if event.can_be_undone() {
                    return self.check(event);
                }
                return Err(Error::bad_input(
                    "perform",
                    "only edits, creations and deletions can be undone, or a batch of them",
                ));
            }
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
            Event::Queue {
                begin,
                send_after_ms,
            } => self.begin_queued(*begin, send_after_ms, cx, done),
            Event::PollAttempt => self.start_attempt(cx, done),
            Event::SetOnline { online } => {
                self.go_online(online, cx);
                Ok(())
            }
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
            Event::Perform { label, event } => self.perform_step(label, *event, cx, done),
            Event::Undo => {
                self.undo_step(cx, done);
                Ok(())
            }
            Event::Redo => {
                self.redo_step(cx, done);
                Ok(())
            }
            Event::ClearHistory => {
                self.history = History::default();
                Ok(())
            }
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
            let begun = match &event {
                Event::Queue { begin, .. } => begin,
                event => event,
            };
            let id = match begun {
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
                    .and_then(|key| self.rows.get(*key))
                    .map_or_else(|| ResourceId::from(""), |row| row.id().into()),
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
}
