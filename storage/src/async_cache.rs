//! Stored collections for async code, on tokio.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use resourcecache::{Applied, Changes, Config, Event, Resource, ResourceCache, Stored, Timestamp};
use tokio::sync::{Mutex, MutexGuard};

use crate::async_watch::AsyncWatch;
use crate::blocking::blocking;
use crate::error::Error;
use crate::store::{Store, StoreRevision};
use crate::stored_cache::{Committed, Polled, StoredCache};

/// A [`StoredCache`] for async code (feature `async`): the same methods, each of which waits for the
/// store on tokio's threads for blocking work. Clones share one collection; whoever asks first is served
/// first.
///
/// Dropping a future is harmless, as by a timeout or `select!`: what it asked for was either not begun,
/// or is done whole, and the collection goes on. Where it was begun nobody hears its answer: readers
/// learn of it by [`changes_since`](ResourceCache::changes_since), senders by
/// [`attempt_of`](ResourceCache::attempt_of). A panic in what is done is passed on; nothing of it is
/// committed.
///
/// It needs a runtime of tokio's; when that shuts down, what was begun is ended first.
///
/// ```
/// use std::sync::Arc;
/// use resourcecache::{Config, Event, Timestamp, json::{JsonResource, Schema}};
/// use resourcecache_storage::{AsyncStoredCache, MemoryStore};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = Arc::new(MemoryStore::new());
/// let (key, now) = ("dns-zones:project-1", Timestamp(0));
/// let zones: AsyncStoredCache<JsonResource> =
///     AsyncStoredCache::open(store, key, Config::default(), now).await?;
/// let list = Schema::default().snapshot(br#"[{"id":"a"},{"id":"b"}]"#)?;
/// zones.apply(Event::Merge(list), now).await?;
/// zones.update(move |zones| zones.mark_as_deleting("a", None, now)).await?;
/// let shown: Vec<String> = zones.cache().await.visible().map(|zone| zone.id().into()).collect();
/// assert_eq!(shown, ["b"]);
/// # Ok::<(), resourcecache_storage::Error>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsyncStoredCache<R: Stored> {
    cache: Arc<Mutex<StoredCache<R>>>,
    key: Arc<str>,
}

impl<R: Stored> Clone for AsyncStoredCache<R> {
    fn clone(&self) -> Self {
        Self {
            cache: Arc::clone(&self.cache),
            key: Arc::clone(&self.key),
        }
    }
}

impl<R: Stored> std::fmt::Debug for AsyncStoredCache<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncStoredCache")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl<R: Stored> From<StoredCache<R>> for AsyncStoredCache<R> {
    fn from(cache: StoredCache<R>) -> Self {
        let key = cache.key().into();
        let cache = Arc::new(Mutex::new(cache));
        Self { cache, key }
    }
}

impl<R> AsyncStoredCache<R>
where
    R: Stored + Resource<Patch: Send> + Send + 'static,
{
    /// Opens a collection, as [`StoredCache::open`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn open(
        store: Arc<dyn Store>,
        key: impl Into<String>,
        config: Config,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let key = key.into();
        let opened = blocking(move || StoredCache::open(store, key, config, now)).await?;
        Ok(opened.into())
    }

    /// The collection, to be read. Nothing else is done with it until this is dropped: do not keep it
    /// while awaiting something.
    pub async fn cache(&self) -> impl Deref<Target = ResourceCache<R>> + '_ {
        Reading(self.cache.lock().await)
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// At which commit it is in memory; `None` before the first.
    pub async fn revision(&self) -> Option<StoreRevision> {
        self.cache.lock().await.revision()
    }

    /// Applies an event and commits it, as [`StoredCache::apply`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn apply(
        &self,
        event: Event<R>,
        now: Timestamp,
    ) -> Result<Committed<Applied>, Error> {
        self.run(move |cache| cache.apply(event, now)).await
    }

    /// Does something with the collection and commits it, as [`StoredCache::update`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn update<T: Send + 'static>(
        &self,
        change: impl FnMut(&mut ResourceCache<R>) -> Result<T, resourcecache::Error> + Send + 'static,
    ) -> Result<Committed<T>, Error> {
        self.run(move |cache| cache.update(change)).await
    }

    /// Takes what other instances have committed since, as [`StoredCache::sync`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn sync(&self) -> Result<Changes, Error> {
        self.run(StoredCache::sync).await
    }

    /// Waits for commits of other instances, as [`StoredCache::watch`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn watch(&self) -> Result<Option<AsyncWatch>, Error> {
        let watch = self.run(|cache| cache.watch()).await?;
        Ok(watch.map(AsyncWatch::new))
    }

    /// Asks to be the one of several instances that sends, as [`StoredCache::lead`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn lead(&self, holder: impl Into<String>, ttl_ms: u64) -> Result<bool, Error> {
        let holder = holder.into();
        self.run(move |cache| cache.lead(&holder, ttl_ms)).await
    }

    /// Leaves the sending to another instance, as [`StoredCache::step_down`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn step_down(&self, holder: impl Into<String>) -> Result<(), Error> {
        let holder = holder.into();
        self.run(move |cache| cache.step_down(&holder)).await
    }

    /// The next attempt that may be sent, as [`StoredCache::poll_attempt`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn poll_attempt(&self, now: Timestamp) -> Result<Committed<Polled<R>>, Error> {
        self.run(move |cache| cache.poll_attempt(now)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut StoredCache<R>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        // Taken here and not on the thread, so that none is occupied by waiting for it.
        let mut cache = Arc::clone(&self.cache).lock_owned().await;
        let run = move || {
            catch_unwind(AssertUnwindSafe(|| act(&mut cache))).unwrap_or_else(|panic| {
                cache.mend();
                resume_unwind(panic)
            })
        };
        blocking(run).await
    }
}

struct Reading<'a, R: Stored>(MutexGuard<'a, StoredCache<R>>);

impl<R: Stored> Deref for Reading<'_, R> {
    type Target = ResourceCache<R>;

    fn deref(&self) -> &ResourceCache<R> {
        self.0.cache()
    }
}
