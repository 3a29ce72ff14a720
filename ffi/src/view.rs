//! Reading: rows in list order, and questions about one resource. Nothing here changes anything.

use resourcecache::{Revision, RowKey};

use crate::applied::{Applied, json, row, rows};
use crate::cache::JsonCache;
use crate::error::CacheError;
use crate::names::{Kind, Status};

/// One unsettled operation.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct OperationInfo {
    /// Its number.
    pub operation: u64,
    /// What it does.
    pub kind: Kind,
    /// How far it is: `creating`, `created`, `retrying` and so on.
    pub state: String,
}

#[uniffi::export]
impl JsonCache {
    /// The settings as JSON, the seed left out.
    pub fn config(&self) -> Result<String, CacheError> {
        self.read(|inner| {
            let mut config = serde_json::to_value(inner.cache.config()).unwrap_or_default();
            if let Some(config) = config.as_object_mut() {
                config.remove("seed");
            }
            config.to_string()
        })
    }

    /// The collection's change counter; it only grows.
    pub fn revision(&self) -> Result<u64, CacheError> {
        self.read(|inner| inner.cache.revision().0)
    }

    /// What has changed in the list since a revision, with the outcomes since; none when that far
    /// back is no longer known: take the whole list then.
    pub fn changes_since(&self, revision: u64) -> Result<Option<Applied>, CacheError> {
        self.read(|inner| {
            let changes = inner.cache.changes_since(Revision(revision))?;
            Some(Applied::of_changes(inner, changes))
        })
    }

    /// The row of an id, hidden or not, as JSON: `key`, `id`, `state`, `visible`, perhaps `meta`,
    /// `badge` and `progress`, and `body`.
    pub fn get_one(&self, id: String) -> Result<Option<String>, CacheError> {
        self.read(|inner| inner.cache.get_one(&id).map(|item| row(inner, &item)))
    }

    /// The row of a key, likewise.
    pub fn row(&self, key: u64) -> Result<Option<String>, CacheError> {
        self.read(|inner| inner.cache.row(RowKey(key)).map(|item| row(inner, &item)))
    }

    /// The visible list, in order: each row as JSON after a U+001E.
    pub fn visible(&self) -> Result<String, CacheError> {
        self.read(|inner| rows(inner, inner.cache.visible()))
    }

    /// How many rows are visible.
    pub fn visible_count(&self) -> Result<u64, CacheError> {
        self.read(|inner| inner.cache.visible().count() as u64)
    }

    /// How many rows are held, hidden ones included.
    pub fn row_count(&self) -> Result<u64, CacheError> {
        self.read(|inner| inner.cache.row_count() as u64)
    }

    /// Whether the resource is in the visible list.
    pub fn is_visible(&self, id: String) -> Result<bool, CacheError> {
        self.read(|inner| {
            inner
                .cache
                .get_one(&id)
                .is_some_and(|item| item.is_visible())
        })
    }

    /// The full list, hidden resources included, likewise; those without a place come last.
    pub fn all(&self) -> Result<String, CacheError> {
        self.read(|inner| rows(inner, inner.cache.all()))
    }

    /// The resources with this status, hidden ones included, likewise.
    pub fn get_by_status(&self, status: Status) -> Result<String, CacheError> {
        self.read(|inner| rows(inner, inner.cache.get_by_status(status.into())))
    }

    /// Whether an operation on this resource is unsettled.
    pub fn is_processing(&self, id: String) -> Result<bool, CacheError> {
        self.read(|inner| inner.cache.is_processing(&id))
    }

    /// Where a resource is in the lifecycle: `idle`, `creating`, `created` and so on; none when
    /// nothing is known of it.
    pub fn state(&self, id: String) -> Result<Option<String>, CacheError> {
        self.read(|inner| inner.cache.state(&id).map(|state| state.name().into()))
    }

    /// The unsettled operations on a resource, oldest first.
    pub fn operations(&self, id: String) -> Result<Vec<OperationInfo>, CacheError> {
        self.read(|inner| {
            let operations = inner.cache.operations(&id).into_iter();
            let info = |o: resourcecache::OperationInfo| OperationInfo {
                operation: o.id.0,
                kind: o.kind.into(),
                state: o.state.name().into(),
            };
            operations.map(info).collect()
        })
    }

    /// Why a row is hidden, shown, or not what the server says, as JSON: `text` has it as sentences,
    /// and `id`, `state`, `visible`, `operation`, `rule`, `why` and `next` in parts.
    pub fn explain(&self, id: String) -> Result<String, CacheError> {
        self.read(|inner| {
            let explanation = inner.cache.explain(&id);
            let mut value = serde_json::to_value(&explanation).unwrap_or_default();
            value["text"] = explanation.to_string().into();
            value["state"] = explanation.state.map(resourcecache::State::name).into();
            value.to_string()
        })
    }

    /// Every deadline that is ahead, the earliest first, as a JSON array: `at` in milliseconds, `id`,
    /// `operation` and `reason`.
    pub fn deadlines(&self) -> Result<String, CacheError> {
        self.read(|inner| json(&inner.cache.deadlines().collect::<Vec<_>>()))
    }

    /// When to call `handle_timeout` next, in milliseconds after 1970-01-01T00:00:00Z.
    pub fn poll_timeout_ms(&self) -> Result<Option<i64>, CacheError> {
        self.read(|inner| inner.cache.poll_timeout().map(|at| at.0))
    }

    /// Whether asking the server again is of use: an operation is unsettled, or a watch has expired.
    pub fn should_poll(&self) -> Result<bool, CacheError> {
        self.read(|inner| inner.cache.should_poll())
    }

    /// The soonest time at which asking the server can decide something, likewise.
    pub fn next_poll_ms(&self) -> Result<Option<i64>, CacheError> {
        let now = resourcecache::Timestamp(self.now_ms());
        self.read(|inner| inner.cache.next_poll(now).map(|at| at.0))
    }

    /// How operations settled, the oldest first, as a JSON array: `operation`, `id`, `kind`,
    /// `settlement`, `error` and `at` in milliseconds.
    pub fn outcomes(&self) -> Result<String, CacheError> {
        self.read(|inner| json(&inner.cache.outcomes().collect::<Vec<_>>()))
    }

    /// The whole collection, hidden resources included, as a list that version 1.0 reads.
    pub fn list_v1(&self) -> Result<String, CacheError> {
        self.read(|inner| resourcecache::json::list_v1(&inner.cache))
    }
}
