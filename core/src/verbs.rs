//! The verbs by the document's names. Each builds one event and applies it.

use crate::cache::ResourceCache;
use crate::changes::{Applied, Changes};
use crate::error::Error;
use crate::event::{Event, Retry, Snapshot, WatchEvent};
use crate::ids::{FetchToken, OperationId, ResourceId, Timestamp};
use crate::metadata::MetadataPatch;
use crate::resource::Resource;
use crate::state::Kind;

type Result<T> = std::result::Result<T, Error>;

macro_rules! verbs {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $type:ty),*) => $event:expr;)*) => {
        /// The verbs. All take `now`, and none changes anything when it is refused.
        impl<R: Resource> ResourceCache<R> {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// As [`apply`](Self::apply).
                pub fn $name(&mut self, $($arg: $type,)* now: Timestamp) -> Result<Applied> {
                    self.apply($event, now)
                }
            )*
        }
    };
}

verbs! {
    /// Takes the answer of a list call.
    merge(snapshot: Snapshot<R>) => Event::Merge(snapshot);
    /// Takes a watch event.
    observe(event: WatchEvent<R>) => Event::Observe(event);
    /// Hides a resource that is about to be deleted, for at least `min_ttl_ms`.
    mark_as_deleting(id: impl Into<ResourceId>, min_ttl_ms: Option<u64>) =>
        Event::Begin { id: id.into(), kind: Kind::Delete, patch: None, min_ttl_ms };
    /// Marks a resource as undergoing an operation.
    mark_as_processing(id: impl Into<ResourceId>, operation: Kind) =>
        Event::Begin { id: id.into(), kind: operation, patch: None, min_ttl_ms: None };
    /// Shows a resource with `patch` laid over it until the server has it.
    mark_as_updating(id: impl Into<ResourceId>, patch: R::Patch) =>
        Event::Begin { id: id.into(), kind: Kind::Update, patch: Some(patch), min_ttl_ms: None };
    /// Shows a new resource before the server has it.
    add_as_creating(resource: R) => Event::Create { resource, min_ttl_ms: None };
    /// The server answered the creation of `temp_id` with `resource`.
    replace_created(temp_id: impl Into<ResourceId>, resource: R) =>
        Event::ReplaceCreated { temp_id: temp_id.into(), resource };
    /// The server answered with some fields of a resource.
    update_in_place(id: impl Into<ResourceId>, patch: R::Patch) =>
        Event::UpdateInPlace { id: id.into(), patch };
    /// Changes the metadata fields that `patch` names.
    update_metadata(id: impl Into<ResourceId>, patch: MetadataPatch) =>
        Event::UpdateMetadata { id: id.into(), patch };
    /// The server accepted an operation, with the resource as it now is if it said so.
    acknowledge(operation: OperationId, answer: Option<R>) => Event::Acknowledge { operation, answer };
    /// An attempt failed.
    fail(operation: OperationId, error: impl Into<String>, retry: Retry) =>
        Event::Fail { operation, error: error.into(), retry };
    /// The next attempt starts.
    attempt(operation: OperationId) => Event::Attempt { operation };
    /// Begins an operation, `Begin` or `Create`, and leaves its sending to the outbox, not before
    /// `send_after_ms` milliseconds have passed. See [`poll_attempt`](Self::poll_attempt).
    queue(begin: Event<R>, send_after_ms: u64) =>
        Event::Queue { begin: Box::new(begin), send_after_ms };
    /// Whether attempts may be sent. Offline, the outbox holds them, for as long as it takes.
    set_online(online: bool) => Event::SetOnline { online };
    /// Takes one operation back.
    cancel(operation: OperationId) => Event::Cancel { operation };
    /// The newest operation of a resource is done.
    complete(id: impl Into<ResourceId>) => Event::Complete { id: id.into() };
    /// Ends every unsettled operation of a resource; what the server has answered stays.
    revert(id: impl Into<ResourceId>) => Event::Revert { id: id.into() };
    /// The same as [`revert`](Self::revert).
    cancel_operation(id: impl Into<ResourceId>) => Event::Revert { id: id.into() };
    /// Drops a resource; a deletion of it counts as confirmed.
    remove(id: impl Into<ResourceId>) => Event::Remove { id: id.into() };
    /// Gives up every operation older than `older_than_ms` that no live TTL protects.
    cleanup_stale_operations(older_than_ms: u64) => Event::CleanupStaleOperations { older_than_ms };
    /// Marks several resources, all or none.
    batch_mark_as_processing(ids: &[impl AsRef<str>], operation: Kind, min_ttl_ms: Option<u64>) =>
        Event::Batch(ids.iter().map(|id| Event::Begin {
            id: id.as_ref().into(), kind: operation, patch: None, min_ttl_ms,
        }).collect());
    /// Removes several resources, all or none.
    batch_remove(ids: &[impl AsRef<str>]) =>
        Event::Batch(ids.iter().map(|id| Event::Remove { id: id.as_ref().into() }).collect());
    /// Does what the user did, an edit, a creation, a deletion or a batch of them, queued or not, and
    /// keeps it as a step that [`undo`](Self::undo) undoes.
    perform(label: impl Into<String>, event: Event<R>) =>
        Event::Perform { label: label.into(), event: Box::new(event) };
    /// Undoes the last step: what was not sent is taken back, and costs nothing; what was sent gets
    /// its inverse, queued if the step was, else in [`Applied::operations`] for the caller to send.
    /// What is not any more what the step made of it is left alone, and told in
    /// [`Applied::conflicts`]. Without a step it does nothing.
    undo() => Event::Undo;
    /// Redoes the step that was undone last, in the same way.
    redo() => Event::Redo;
    /// Forgets all steps.
    clear_history() => Event::ClearHistory;
    /// Does all that is due.
    handle_timeout() => Event::HandleTimeout;
}

impl<R: Resource> ResourceCache<R> {
    /// A list call is about to start: hand the token in with its snapshot. What was due until now
    /// is done, as by every call, and told in the changes.
    pub fn begin_fetch(&mut self, now: Timestamp) -> (FetchToken, Changes) {
        let applied = self.apply(Event::BeginFetch, now).unwrap_or_default();
        let here = FetchToken {
            seq: self.seq,
            at: self.clock,
        };
        (applied.token.unwrap_or(here), applied.changes)
    }
}
