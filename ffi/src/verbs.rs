//! The verbs, by the document's names.

use std::sync::Arc;

use resourcecache::json::JsonResource;
use resourcecache::{Event, MetadataPatch, OperationId, WatchEvent};

use crate::applied::Applied;
use crate::cache::JsonCache;
use crate::error::CacheError;
use crate::names::Kind;
use crate::outbox::Retry;

/// Taken before a list call starts and handed in with its answer: it tells when the answer was taken,
/// so that answers which arrive out of order are applied in the right one.
#[derive(Debug, uniffi::Object)]
pub struct FetchToken {
    token: resourcecache::FetchToken,
}

/// A fetch token, and what has become due until now.
#[derive(Clone, Debug, uniffi::Record)]
pub struct FetchStarted {
    /// To be handed in with the answer.
    pub token: Arc<FetchToken>,
    /// What has changed.
    pub applied: Applied,
}

/// What part of the collection a list is; absences count only inside it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Coverage {
    /// All of it.
    Complete,
    /// These ids.
    Ids {
        /// The ids.
        ids: Vec<String>,
    },
    /// One page in list order, between two resources that are not in it.
    Page {
        /// The last resource before the page; none at the start of the list.
        after: Option<String>,
        /// The first resource after the page; none at the end of the list.
        before: Option<String>,
    },
}

impl From<Coverage> for resourcecache::Coverage {
    fn from(coverage: Coverage) -> Self {
        match coverage {
            Coverage::Complete => Self::Complete,
            Coverage::Ids { ids } => Self::Ids(ids.into_iter().map(Into::into).collect()),
            Coverage::Page { after, before } => Self::Page {
                after: after.map(Into::into),
                before: before.map(Into::into),
            },
        }
    }
}

/// How a server names an operation of this client.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum NamedOperation {
    /// By the resource: its newest operation that has neither failed nor settled is meant.
    Id {
        /// The resource.
        id: String,
    },
    /// By what the client sent with it: an attempt's idempotency key, or the token of a resource that
    /// was to be created.
    Key {
        /// The key.
        key: String,
    },
}

impl From<NamedOperation> for resourcecache::Named {
    fn from(named: NamedOperation) -> Self {
        match named {
            NamedOperation::Id { id } => Self::Id(id.into()),
            NamedOperation::Key { key } => Self::Key(key),
        }
    }
}

#[uniffi::export]
impl JsonCache {
    /// A list call is about to start: hand the token in with its answer.
    pub fn begin_fetch(&self) -> Result<FetchStarted, CacheError> {
        self.change(|inner, now| {
            let line = inner.journal.line(&Event::BeginFetch, now);
            let (token, changes) = inner.cache.begin_fetch(now)?;
            inner.journal.push(line);
            Ok(FetchStarted {
                token: Arc::new(FetchToken { token }),
                applied: Applied::of_changes(inner, changes),
            })
        })
    }

    /// Takes the answer of a list call: its bytes, of all of the list unless a part is named. They
    /// are read once, and what is as it was is passed over by comparing bytes.
    #[uniffi::method(default(token = None, coverage = None))]
    pub fn merge(
        &self,
        response: &[u8],
        token: Option<Arc<FetchToken>>,
        coverage: Option<Coverage>,
    ) -> Result<Applied, CacheError> {
        let coverage = coverage.unwrap_or(Coverage::Complete).into();
        self.change(|inner, now| {
            if inner.journal.is_kept() {
                let mut snapshot = inner.schema.snapshot(response)?.covering(coverage);
                snapshot.token = token.map(|token| token.token);
                return inner.apply(Event::Merge(snapshot), now);
            }
            let mut asked = inner.schema.response(response).covering(coverage);
            if let Some(token) = token {
                asked = asked.with_token(token.token);
            }
            let applied = inner.cache.merge_response(asked, now)?;
            Ok(Applied::of(inner, applied))
        })
    }

    /// Checks the answer of a list call without keeping any of it: how many resources it holds.
    pub fn count(&self, response: &[u8]) -> Result<u64, CacheError> {
        let counted = self.read(|inner| inner.schema.count(response))?;
        Ok(counted? as u64)
    }

    /// Takes a watch event as Kubernetes writes it: an object of `type` (ADDED, MODIFIED, DELETED,
    /// BOOKMARK, or ERROR of code 410) and `object`.
    pub fn observe(&self, event: &[u8]) -> Result<Applied, CacheError> {
        self.event(|inner| Ok(Event::Observe(inner.schema.watch_event(event)?)))
    }

    /// A stream told that a resource is gone, and not what it was; the version at which it went, if
    /// it told that.
    #[uniffi::method(default(version = None))]
    pub fn observe_deleted(
        &self,
        id: String,
        version: Option<String>,
    ) -> Result<Applied, CacheError> {
        let id = id.into();
        self.event(|_| Ok(Event::Observe(WatchEvent::DeletedId { id, version })))
    }

    /// A stream told that the server gave up work that it had accepted: the operation fails, without
    /// another attempt. One that is not known, or has settled, stays as it is.
    pub fn observe_failed(
        &self,
        operation: NamedOperation,
        error: String,
    ) -> Result<Applied, CacheError> {
        let operation = operation.into();
        self.event(|_| Ok(Event::Observe(WatchEvent::Failed { operation, error })))
    }

    /// Takes a list that version 1.0 saved, with its marks; only into an empty collection.
    pub fn import_v1(&self, list: &[u8]) -> Result<Applied, CacheError> {
        self.event(|inner| {
            let items = inner.schema.list_v1(list)?;
            Ok(Event::ImportV1 { items })
        })
    }

    /// Hides a resource that is about to be deleted, for at least this many milliseconds.
    #[uniffi::method(default(min_ttl_ms = None))]
    pub fn mark_as_deleting(
        &self,
        id: String,
        min_ttl_ms: Option<u64>,
    ) -> Result<Applied, CacheError> {
        self.event(|_| Ok(begin(id, Kind::Delete, min_ttl_ms)))
    }

    /// Marks a resource as undergoing an operation.
    pub fn mark_as_processing(&self, id: String, operation: Kind) -> Result<Applied, CacheError> {
        self.event(|_| Ok(begin(id, operation, None)))
    }

    /// Shows a resource with a JSON merge patch (RFC 7396) laid over it until the server has it.
    #[uniffi::method(default(min_ttl_ms = None))]
    pub fn mark_as_updating(
        &self,
        id: String,
        patch: &[u8],
        min_ttl_ms: Option<u64>,
    ) -> Result<Applied, CacheError> {
        self.event(|inner| {
            Ok(Event::Begin {
                id: id.into(),
                kind: resourcecache::Kind::Update,
                patch: Some(inner.schema.merge_patch(patch)?),
                min_ttl_ms,
            })
        })
    }

    /// Shows a new resource before the server has it, under a temporary or its final id.
    #[uniffi::method(default(min_ttl_ms = None))]
    pub fn add_as_creating(
        &self,
        resource: &[u8],
        min_ttl_ms: Option<u64>,
    ) -> Result<Applied, CacheError> {
        self.event(|inner| {
            Ok(Event::Create {
                resource: inner.schema.resource(resource)?,
                min_ttl_ms,
            })
        })
    }

    /// The server answered the creation of `temp_id` with this resource.
    pub fn replace_created(&self, temp_id: String, resource: &[u8]) -> Result<Applied, CacheError> {
        self.event(|inner| {
            Ok(Event::ReplaceCreated {
                temp_id: temp_id.into(),
                resource: inner.schema.resource(resource)?,
            })
        })
    }

    /// The server answered with some fields of a resource; each replaces the whole's.
    pub fn update_in_place(&self, id: String, fields: &[u8]) -> Result<Applied, CacheError> {
        self.event(|inner| {
            Ok(Event::UpdateInPlace {
                id: id.into(),
                patch: inner.schema.partial(fields)?,
            })
        })
    }

    /// Changes the metadata fields that a JSON object names; null takes one away.
    pub fn update_metadata(&self, id: String, fields: &[u8]) -> Result<Applied, CacheError> {
        let patch: MetadataPatch = serde_json::from_slice(fields)
            .map_err(|error| CacheError::bad_input("metadata", error))?;
        self.event(|_| {
            let id = id.into();
            Ok(Event::UpdateMetadata { id, patch })
        })
    }

    /// The server accepted an operation, and answered with the resource as it now is, or with
    /// nothing: then the answer is empty.
    pub fn acknowledge(&self, operation: u64, answer: &[u8]) -> Result<Applied, CacheError> {
        self.event(|inner| {
            let answer: Option<JsonResource> = match answer {
                [] => None,
                answer => Some(inner.schema.resource(answer)?),
            };
            let operation = OperationId(operation);
            Ok(Event::Acknowledge { operation, answer })
        })
    }

    /// An attempt failed.
    pub fn fail(&self, operation: u64, error: String, retry: Retry) -> Result<Applied, CacheError> {
        self.event(|_| {
            Ok(Event::Fail {
                operation: OperationId(operation),
                error,
                retry: retry.into(),
            })
        })
    }

    /// The next attempt starts.
    pub fn attempt(&self, operation: u64) -> Result<Applied, CacheError> {
        let operation = OperationId(operation);
        self.event(|_| Ok(Event::Attempt { operation }))
    }

    /// Takes one operation back.
    pub fn cancel(&self, operation: u64) -> Result<Applied, CacheError> {
        let operation = OperationId(operation);
        self.event(|_| Ok(Event::Cancel { operation }))
    }

    /// The newest operation of a resource is done.
    pub fn complete(&self, id: String) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::Complete { id: id.into() }))
    }

    /// Ends every unsettled operation of a resource; what the server has answered stays.
    pub fn revert(&self, id: String) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::Revert { id: id.into() }))
    }

    /// The same as `revert`.
    pub fn cancel_operation(&self, id: String) -> Result<Applied, CacheError> {
        self.revert(id)
    }

    /// Drops a resource; a deletion of it counts as confirmed.
    pub fn remove(&self, id: String) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::Remove { id: id.into() }))
    }

    /// Gives up every operation older than this many milliseconds that no live guard protects.
    #[uniffi::method(default(older_than_ms = 300000))]
    pub fn cleanup_stale_operations(&self, older_than_ms: u64) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::CleanupStaleOperations { older_than_ms }))
    }

    /// Marks several resources, all or none.
    #[uniffi::method(default(min_ttl_ms = None))]
    pub fn batch_mark_as_processing(
        &self,
        ids: Vec<String>,
        operation: Kind,
        min_ttl_ms: Option<u64>,
    ) -> Result<Applied, CacheError> {
        let ids = ids.into_iter();
        let events = ids.map(|id| begin(id, operation, min_ttl_ms)).collect();
        self.event(|_| Ok(Event::Batch(events)))
    }

    /// Removes several resources, all or none.
    pub fn batch_remove(&self, ids: Vec<String>) -> Result<Applied, CacheError> {
        let ids = ids.into_iter();
        let events = ids.map(|id| Event::Remove { id: id.into() }).collect();
        self.event(|_| Ok(Event::Batch(events)))
    }

    /// Does all that is due.
    pub fn handle_timeout(&self) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::HandleTimeout))
    }
}

fn begin(id: String, kind: Kind, min_ttl_ms: Option<u64>) -> Event<JsonResource> {
    Event::Begin {
        id: id.into(),
        kind: kind.into(),
        patch: None,
        min_ttl_ms,
    }
}
