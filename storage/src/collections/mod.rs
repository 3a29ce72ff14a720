//! Many collections behind one store, of which memory holds those that are used.

mod held;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use resourcecache::{Config, Stored, Timestamp};

use self::held::{Cell, Held, State};
use crate::error::Error;
use crate::store::Store;
use crate::stored_cache::StoredCache;

/// How much of a store's collections is held in memory, and for how long.
///
/// What is beyond a limit is dropped from memory, the collection that was not used for the longest time
/// first; in the store it stays. The one that was used last is held however large it is, and so are
/// those in use, and those with attempts that wait to be sent or answered.
///
/// ```
/// use resourcecache_storage::Limits;
/// let mut limits = Limits::default();
/// limits.bytes = 256 << 20;
/// limits.age_ms = 5 * 60_000;
/// assert_eq!(limits.resources, usize::MAX);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of memory, about. Default: 64 MiB.
    pub bytes: usize,
    /// Resources, in all collections. Default: any number.
    pub resources: usize,
    /// Collections. Default: any number.
    pub collections: usize,
    /// For how many milliseconds one is held that nobody uses. Default: 10 minutes.
    pub age_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            resources: usize::MAX,
            collections: usize::MAX,
            age_ms: 600_000,
        }
    }
}

/// Many collections behind one store, as of a portal with thousands of projects.
///
/// A collection is read when it is first used; one that nobody uses costs nothing: no read, no memory
/// beyond the [`Limits`], no thread, no connection, no watch. Dropping one from memory loses nothing:
/// what was answered is in the store. Threads may share this; each collection is used by one at a time,
/// different ones at the same time.
///
/// ```
/// use std::sync::Arc;
/// use resourcecache::{Config, Event, Timestamp, json::{JsonResource, Schema}};
/// use resourcecache_storage::{Collections, Limits, MemoryStore};
///
/// let mut limits = Limits::default();
/// limits.collections = 100;
/// let store = Arc::new(MemoryStore::new());
/// let projects: Collections<JsonResource> = Collections::new(store, Config::default(), limits);
/// for project in 0..1_000 {
///     let (key, now) = (format!("dns-zones:project-{project}"), Timestamp(project));
///     let zones = Schema::default().snapshot(br#"[{"id":"a"},{"id":"b"}]"#)?;
///     projects.with(&key, now, |cache| cache.apply(Event::Merge(zones), now))?;
/// }
/// assert_eq!(projects.len(), 100);
/// let now = Timestamp(2_000);
/// let zones = projects.with("dns-zones:project-0", now, |zones| Ok(zones.cache().visible().count()))?;
/// assert_eq!(zones, 2); // read again
/// # Ok::<(), resourcecache_storage::Error>(())
/// ```
pub struct Collections<R: Stored> {
    store: Arc<dyn Store>,
    config: Config,
    limits: Limits,
    held: Mutex<Held<R>>,
    /// Whether instances share the outboxes: one was led.
    shares_outbox: AtomicBool,
}

impl<R: Stored> std::fmt::Debug for Collections<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collections")
            .field("limits", &self.limits)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<R: Stored> Collections<R> {
    /// Of this store, none of them read yet; all with the same settings.
    pub fn new(store: Arc<dyn Store>, config: Config, limits: Limits) -> Self {
        Self {
            store,
            config,
            limits,
            held: Mutex::new(Held::new()),
            shares_outbox: AtomicBool::new(false),
        }
    }

    /// Does something with a collection; reads it first where memory does not hold it. Afterwards what
    /// is beyond the limits is dropped from memory.
    ///
    /// It waits for other threads that use the same collection, and for no others. What other
    /// instances have committed is seen by [`StoredCache::sync`] in it, or by its next event. `act` must
    /// not use the same collection by this once more.
    ///
    /// Where one collection was [led](StoredCache::lead), those that are read later hand out attempts
    /// only while they are led.
    ///
    /// # Errors
    ///
    /// What `act` answers; [`Error::Store`] when the collection cannot be read.
    pub fn with<T>(
        &self,
        key: &str,
        now: Timestamp,
        act: impl FnOnce(&mut StoredCache<R>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let cell = self.held().enter(key, now);
        let done = self.act(&cell, key, now, act);
        drop(cell);
        self.evict(now);
        done
    }

    fn act<T>(
        &self,
        cell: &Cell<R>,
        key: &str,
        now: Timestamp,
        act: impl FnOnce(&mut StoredCache<R>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
        // Told while the cell is locked, so that the last to use it has the last word, and also when
        // `act` panics.
        let mut using = Using {
            collections: self,
            key,
            state: State::default(),
        };
        let mut open = match cell.take() {
            Some(open) => open,
            None => self.open(key, now)?,
        };
        // One in which `act` panics is not put back: what it left there is not known.
        let done = act(&mut open);
        if open.shares_outbox() {
            self.shares_outbox.store(true, Ordering::Relaxed);
        }
        using.state = State {
            size: open.size(),
            unsent: open.has_unsent(),
            due: open.cache().poll_timeout(),
            is_open: true,
        };
        *cell = Some(open);
        done
    }

    fn open(&self, key: &str, now: Timestamp) -> Result<StoredCache<R>, Error> {
        let store = Arc::clone(&self.store);
        let mut open = StoredCache::open(store, key, self.config.clone(), now)?;
        if self.shares_outbox.load(Ordering::Relaxed) {
            open.follow();
        }
        Ok(open)
    }

    /// Drops from memory what nobody has used for as long as [`Limits::age_ms`] says, and what is beyond
    /// the other limits; answers how many collections that were. [`with`](Self::with) does it
    /// too.
    pub fn evict(&self, now: Timestamp) -> usize {
        let dropped = self.held().evict(&self.limits, now);
        dropped.len()
    }

    /// How many collections memory holds.
    pub fn len(&self) -> usize {
        self.held().len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether memory holds this one.
    pub fn holds(&self, key: &str) -> bool {
        self.held().holds(key)
    }

    /// How many resources memory holds.
    pub fn resources(&self) -> usize {
        self.held().size().resources
    }

    /// How many bytes of memory that takes, about.
    pub fn bytes(&self) -> usize {
        self.held().size().bytes
    }

    /// The collections in memory with attempts that wait to be sent or answered, in the order of their
    /// keys. They are not dropped.
    pub fn unsent(&self) -> Vec<String> {
        self.held().unsent()
    }

    /// The collections in memory in which something is due by `now`, in the order of their keys: call
    /// `HandleTimeout` or [`StoredCache::poll_attempt`] on each. One that was dropped does what is due
    /// when it is read again.
    pub fn due(&self, now: Timestamp) -> Vec<String> {
        self.held().due(now)
    }

    /// When something is due next in one of the collections in memory.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.held().poll_timeout()
    }

    fn held(&self) -> MutexGuard<'_, Held<R>> {
        // Nobody's code runs while it is held.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A collection is in use.
struct Using<'a, R: Stored> {
    collections: &'a Collections<R>,
    key: &'a str,
    state: State,
}

impl<R: Stored> Drop for Using<'_, R> {
    fn drop(&mut self) {
        self.collections.held().leave(self.key, self.state);
    }
}
