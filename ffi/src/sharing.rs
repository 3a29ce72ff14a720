//! A collection that is kept in a store, and shared by it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::applied::Applied;
use crate::cache::JsonCache;
use crate::clock::ManualClock;
use crate::error::CacheError;
use crate::kept::Kept;
use crate::settings::{Config, Schema};
use crate::store::Store;

/// Waits for commits of other instances.
#[derive(uniffi::Object)]
pub struct CommitWatch {
    watch: Mutex<Box<dyn resourcecache_storage::Watch>>,
}

#[uniffi::export]
impl CommitWatch {
    /// Waits until the collection may have been committed to since the last call, or the watch began:
    /// then call `sync`. False when nothing was heard of for so many milliseconds. It blocks its
    /// thread, and does not hold the cache.
    pub fn wait(&self, timeout_ms: u64) -> Result<bool, CacheError> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(watch.wait(Duration::from_millis(timeout_ms))?)
    }
}

#[uniffi::export]
impl JsonCache {
    /// Opens a collection of a store by its key, a new one where there is none; what has become due
    /// since is done. From then on every call that changes something commits it before it answers;
    /// where another instance committed first, that is taken first, and is part of the answer.
    /// Settings are not part of what is kept: give the same ones each time, and to every instance.
    #[uniffi::constructor(default(key = "default", config = None, schema = None, clock = None))]
    pub fn open(
        store: Arc<Store>,
        key: String,
        config: Option<Config>,
        schema: Option<Schema>,
        clock: Option<Arc<ManualClock>>,
    ) -> Result<Arc<Self>, CacheError> {
        Self::opened(config, schema, clock, |config, now| {
            let store = Arc::clone(&store.shared);
            let stored = resourcecache_storage::StoredCache::open(store, key, config, now)?;
            Ok(Kept::in_store(stored))
        })
    }

    /// Under which key it is kept; none where it is in memory alone.
    pub fn key(&self) -> Result<Option<String>, CacheError> {
        self.read(|inner| inner.cache.key().map(Into::into))
    }

    /// Takes what other instances have committed since.
    pub fn sync(&self) -> Result<Applied, CacheError> {
        self.change(|inner, _| {
            let changes = inner.cache.sync()?;
            Ok(Applied::of_changes(inner, changes))
        })
    }

    /// What waits for commits of other instances; none where the engine cannot tell: call `sync` from
    /// time to time then.
    pub fn watch(&self) -> Result<Option<Arc<CommitWatch>>, CacheError> {
        self.change(|inner, _| {
            let watch = inner.cache.stored()?.watch()?.map(Mutex::new);
            Ok(watch.map(|watch| Arc::new(CommitWatch { watch })))
        })
    }

    /// Asks to be the one of several instances that sends what is queued, for so many milliseconds;
    /// asked again before that is over, goes on to be. Answers whether it is. From the first call on,
    /// `poll_attempt` hands out attempts only while it is.
    pub fn lead(&self, holder: String, ttl_ms: u64) -> Result<bool, CacheError> {
        self.change(|inner, _| Ok(inner.cache.stored()?.lead(&holder, ttl_ms)?))
    }

    /// Leaves the sending to another instance.
    pub fn step_down(&self, holder: String) -> Result<(), CacheError> {
        self.change(|inner, _| Ok(inner.cache.stored()?.step_down(&holder)?))
    }
}
