//! Everything that can happen to a collection. A journal of events replays to the same state (R1).

use serde::{Deserialize, Serialize};

use crate::ids::{FetchToken, OperationId, ResourceId};
use crate::metadata::{Metadata, MetadataPatch};
use crate::resource::Resource;
use crate::state::Kind;

/// One thing that happens to a collection, as [`apply`](crate::ResourceCache::apply) takes it.
///
/// Every verb builds one of these. Durations are in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub enum Event<R: Resource> {
    /// A list call is about to start.
    BeginFetch,
    /// The answer of a list call.
    Merge(Snapshot<R>),
    /// A watch event.
    Observe(WatchEvent<R>),
    /// An operation on a resource that has an id already.
    Begin {
        /// The resource; it need not be known (L10).
        id: ResourceId,
        /// What is asked for.
        kind: Kind,
        /// What an update sets, laid over the server's copy until the server has it.
        patch: Option<R::Patch>,
        /// How long it guards at least; the config's otherwise.
        min_ttl_ms: Option<u64>,
    },
    /// A new resource, shown at once (`add_as_creating`).
    Create {
        /// As the client thinks it will be, under a temporary or its final id.
        resource: R,
        /// How long it guards at least; the config's otherwise.
        min_ttl_ms: Option<u64>,
    },
    /// The server answered the creation of `temp_id` with this resource.
    ReplaceCreated {
        /// The id under which it was added.
        temp_id: ResourceId,
        /// The real one.
        resource: R,
    },
    /// The server answered with some fields of a resource (U6).
    UpdateInPlace {
        /// The resource.
        id: ResourceId,
        /// The fields.
        patch: R::Patch,
    },
    /// Changes the metadata fields that the patch names (M3).
    UpdateMetadata {
        /// The resource; its newest operation is meant.
        id: ResourceId,
        /// The fields.
        patch: MetadataPatch,
    },
    /// The server accepted the operation.
    Acknowledge {
        /// Which.
        operation: OperationId,
        /// The resource as the server answered it, if it did.
        answer: Option<R>,
    },
    /// An attempt failed.
    Fail {
        /// Which operation.
        operation: OperationId,
        /// What to tell the user.
        error: String,
        /// Whether another attempt is to come.
        retry: Retry,
    },
    /// The next attempt starts.
    Attempt {
        /// Which operation.
        operation: OperationId,
    },
    /// Begins an operation whose sending is left to the outbox.
    Queue {
        /// `Begin` or `Create`.
        begin: Box<Self>,
        /// How long it can be taken back before it is sent, in milliseconds.
        send_after_ms: u64,
    },
    /// Starts the next attempt that may be sent, if there is one.
    PollAttempt,
    /// Whether attempts may be sent.
    SetOnline {
        /// Whether there is a network.
        online: bool,
    },
    /// The user takes one operation back.
    Cancel {
        /// Which.
        operation: OperationId,
    },
    /// The newest operation of this resource is done (`complete`).
    Complete {
        /// The resource.
        id: ResourceId,
    },
    /// Ends every unsettled operation of a resource (`revert`, `cancel_operation`).
    Revert {
        /// The resource.
        id: ResourceId,
    },
    /// Drops a resource; a deletion of it counts as confirmed (D6).
    Remove {
        /// The resource.
        id: ResourceId,
    },
    /// Gives up every operation that is older than this and has no live guard (K1).
    CleanupStaleOperations {
        /// How old, in milliseconds.
        older_than_ms: u64,
    },
    /// Does all that is due.
    HandleTimeout,
    /// A list that v1.0 saved, with its marks; only into an empty collection (M1).
    ImportV1 {
        /// The resources in order, each without its `_meta`, and that `_meta`.
        items: Vec<(R, Option<Metadata>)>,
    },
    /// What the user did, to be kept as a step that can be undone.
    Perform {
        /// What to call it, such as `Delete 5 zones`.
        label: String,
        /// An edit, a creation or a deletion, queued or not, or a batch of these.
        event: Box<Self>,
    },
    /// Undoes the last step.
    Undo,
    /// Redoes the step that was undone last.
    Redo,
    /// Forgets all steps.
    ClearHistory,
    /// Several verbs, whole or not at all. Fetches, snapshots, watch events, imports and batches
    /// may not be in one.
    Batch(Vec<Self>),
}

/// Whether another attempt follows a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// None: the operation has failed.
    No,
    /// After the config's backoff times the number of failed attempts.
    Backoff,
    /// After this many milliseconds.
    After(u64),
    /// As the config's [`RetryPolicy`](crate::RetryPolicy) says of an HTTP status.
    ByStatus {
        /// The status.
        status: u16,
        /// The answer's `Retry-After`, in milliseconds.
        after_ms: Option<u64>,
    },
}

/// The answer of a list call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot<R> {
    /// The resources, in the server's order.
    pub items: Vec<R>,
    /// Items that could not be read as resources; what they lead to is the config's `bad_items`.
    pub bad: Vec<BadItem>,
    /// What part of the collection this is.
    pub coverage: Coverage,
    /// The list's own version, such as Kubernetes' `metadata.resourceVersion` (G4).
    pub list_version: Option<String>,
    /// Taken before the call started. Without it, the snapshot counts as taken when it arrives.
    pub token: Option<FetchToken>,
}

impl<R> Snapshot<R> {
    /// The whole collection.
    ///
    /// ```
    /// use resourcecache::{Coverage, Snapshot};
    /// let snapshot: Snapshot<()> = Snapshot::complete(vec![]);
    /// assert_eq!(snapshot.coverage, Coverage::Complete);
    /// ```
    pub fn complete(items: Vec<R>) -> Self {
        Self {
            items,
            bad: Vec::new(),
            coverage: Coverage::Complete,
            list_version: None,
            token: None,
        }
    }

    /// The same, of a part only.
    #[must_use]
    pub fn covering(mut self, coverage: Coverage) -> Self {
        self.coverage = coverage;
        self
    }

    /// The same, with the list's own version.
    #[must_use]
    pub fn with_list_version(mut self, version: impl Into<String>) -> Self {
        self.list_version = Some(version.into());
        self
    }

    /// The same, for the call that this token was taken for.
    #[must_use]
    pub fn with_token(mut self, token: FetchToken) -> Self {
        self.token = Some(token);
        self
    }
}

/// An item of a list that is no resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadItem {
    /// Its place in the list, from 0.
    pub position: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// What part of the collection a snapshot is; absences count only inside it (S3).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// All of it.
    #[default]
    Complete,
    /// These ids.
    Ids(Vec<ResourceId>),
    /// One page in list order, between two resources that are not in it.
    Page {
        /// The last resource before the page; `None` at the start of the list.
        after: Option<ResourceId>,
        /// The first resource after the page; `None` at the end of the list.
        before: Option<ResourceId>,
    },
}

/// How a server names an operation of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Named {
    /// By the resource: its newest operation that is not failed or settled is meant.
    Id(ResourceId),
    /// By what the client sent with it: the idempotency key of an attempt
    /// ([`Attempt::key`](crate::Attempt::key)), or the token of the resource to be created
    /// ([`Resource::token`]).
    Key(String),
}

/// A watch event: an observation of one resource, or of the stream itself (W1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchEvent<R> {
    /// It came into being, or into view.
    Added(R),
    /// It changed.
    Modified(R),
    /// It is gone; the body is its last.
    Deleted(R),
    /// The same, from a stream that tells no body.
    DeletedId {
        /// The resource.
        id: ResourceId,
        /// The version at which it went, if the stream tells.
        version: Option<String>,
    },
    /// The server gave up work that it had accepted: the operation fails, as by
    /// [`Event::Fail`] without another attempt. One that is not known, or that settled, stays as it
    /// is.
    Failed {
        /// Which operation.
        operation: Named,
        /// What to tell the user.
        error: String,
    },
    /// Everything else is as it was, up to this version of the list (W3).
    Bookmark {
        /// The list's version, if the stream tells.
        version: Option<String>,
    },
    /// The stream cannot go on (HTTP 410): list again.
    Expired,
}
