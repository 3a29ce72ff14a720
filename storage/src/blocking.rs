//! Runs what waits for a store on tokio's threads for blocking work.

use std::panic::resume_unwind;
use std::sync::Arc;

use resourcecache::{Resource, Stored, Timestamp};
use tokio::task::spawn_blocking;

use crate::collections::Collections;
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::stored_cache::StoredCache;

/// Does something there. Once it has begun it is ended, also when the future is dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match spawn_blocking(act).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => {
                let problem = "tokio's runtime is shutting down, and begins nothing any more";
                Err(StoreError::new(StoreErrorKind::Closed, None, problem).into())
            }
        },
    }
}

impl<R> Collections<R>
where
    R: Stored + Resource<Patch: Send> + Send + 'static,
{
    /// [`with`](Self::with) for async code (feature `async`), on tokio's threads for blocking work. When
    /// the future is dropped it is either not begun, or done whole.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use resourcecache::{Config, Timestamp, json::JsonResource};
    /// use resourcecache_storage::{Collections, Limits, MemoryStore};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let store = Arc::new(MemoryStore::new());
    /// let projects: Arc<Collections<JsonResource>> =
    ///     Arc::new(Collections::new(store, Config::default(), Limits::default()));
    /// let now = Timestamp(0);
    /// let count = projects.with_async("project-1", now, |zones| Ok(zones.cache().visible().count()));
    /// assert_eq!(count.await?, 0);
    /// # Ok::<(), resourcecache_storage::Error>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`with`](Self::with).
    pub async fn with_async<T: Send + 'static>(
        self: &Arc<Self>,
        key: impl Into<String>,
        now: Timestamp,
        act: impl FnOnce(&mut StoredCache<R>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (collections, key) = (Arc::clone(self), key.into());
        blocking(move || collections.with(&key, now, act)).await
    }
}
