//! A collection that is kept in a store.

mod catch_up;
mod change;
mod outbox;
mod size;
mod v1;

use std::sync::Arc;

use resourcecache::{Applied, Changes, Config, Event, ResourceCache, Stored, Timestamp};

pub use self::outbox::Polled;
pub(crate) use self::size::Size;

use self::catch_up::new;
use self::outbox::Outbox;
use self::size::Weight;
use crate::error::Error;
use crate::store::{Store, StoreRevision, Watch};

/// What was committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed<T> {
    /// What other instances had committed first: for readers, to be applied before what the event
    /// itself changed.
    pub caught_up: Vec<Changes>,
    /// What the event answered.
    pub value: T,
}

/// A collection in memory that is kept in a store, and shared with other instances by it.
///
/// Whatever is answered is committed; whatever is refused, by the core or by the store, has changed
/// nothing. All instances of a collection are to have the same [`Config`].
#[derive(Clone)]
pub struct StoredCache<R: Stored> {
    store: Arc<dyn Store>,
    key: String,
    cache: ResourceCache<R>,
    /// At which commit it is; `None` before the first.
    revision: Option<StoreRevision>,
    outbox: Outbox,
    weight: Weight,
    /// A change has begun and not ended: somebody's code panicked in it.
    torn: bool,
}

impl<R: Stored> std::fmt::Debug for StoredCache<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredCache")
            .field("key", &self.key)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl<R: Stored> StoredCache<R> {
    /// Opens a collection, a new one where there is none, and does what has become due by `now`.
    /// Nothing is written before something changes.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when it cannot be read, or is damaged.
    pub fn open(
        store: Arc<dyn Store>,
        key: impl Into<String>,
        config: Config,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut opened = Self::empty(store, key, config);
        opened.read_first()?;
        let due = opened.cache.poll_timeout().is_some_and(|at| at <= now);
        if opened.revision.is_some() && due {
            opened.apply(Event::HandleTimeout, now)?;
        }
        Ok(opened)
    }

    /// One of which nothing is read yet.
    fn empty(store: Arc<dyn Store>, key: impl Into<String>, config: Config) -> Self {
        Self {
            store,
            key: key.into(),
            cache: new(config),
            revision: None,
            outbox: Outbox::Own,
            weight: Weight::default(),
            torn: false,
        }
    }

    /// The collection, to be read.
    pub fn cache(&self) -> &ResourceCache<R> {
        &self.cache
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// At which commit it is in memory; `None` before the first.
    pub fn revision(&self) -> Option<StoreRevision> {
        self.revision
    }

    /// Applies an event and commits it.
    ///
    /// When another instance committed first, catches up and applies it again, to what is there then.
    /// A timeout that changes nothing but the time is not committed by itself: it goes with the next
    /// event, or is forgotten.
    ///
    /// # Errors
    ///
    /// [`Error::Core`] when it is refused, [`Error::Store`] when it cannot be committed. Nothing has
    /// changed then, but that what others had committed may have been caught up with: readers learn
    /// of it by [`changes_since`](ResourceCache::changes_since).
    pub fn apply(&mut self, event: Event<R>, now: Timestamp) -> Result<Committed<Applied>, Error> {
        let may_wait = matches!(event, Event::HandleTimeout | Event::PollAttempt);
        self.change(may_wait, None, |cache| cache.apply(event.clone(), now))
    }

    /// Does something with the collection and commits it: any verb of [`ResourceCache`], or several.
    /// It is done again, to what is there then, when another instance committed first: give nothing
    /// away of what it answers before this returns.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply).
    pub fn update<T>(
        &mut self,
        change: impl FnMut(&mut ResourceCache<R>) -> Result<T, resourcecache::Error>,
    ) -> Result<Committed<T>, Error> {
        self.change(false, None, change)
    }

    /// Waits for commits of other instances: [`sync`](Self::sync) when it says that there may be some.
    /// `None` where the engine cannot tell.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when it cannot be watched.
    pub fn watch(&self) -> Result<Option<Box<dyn Watch>>, Error> {
        Ok(self.store.watch(&self.key)?)
    }
}
