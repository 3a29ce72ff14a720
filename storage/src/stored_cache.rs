//! A collection that is kept in a store.

use std::sync::Arc;
use std::time::Duration;

use resourcecache::{
    Applied, Attempt, Changes, Config, Delta, Event, Loader, ResourceCache, Saved, SavedKey,
    Stored, Timestamp,
};

use crate::error::{Error, StoreError, StoreErrorKind};
use crate::lease::{Fence, Leased};
use crate::store::{Commit, CommitId, Since, Store, StoreRevision, Watch};

/// How often an event is applied again after another instance committed first.
const ATTEMPTS: u32 = 64;

/// How often a commit is tried whose store cannot be reached.
const REPEATED: u32 = 4;

/// The lease of who sends what is queued.
const OUTBOX: &str = "outbox";

/// What was committed.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed<T> {
    /// What other instances had committed first: for readers, to be applied before what the event
    /// itself changed.
    pub caught_up: Vec<Changes>,
    /// What the event answered.
    pub value: T,
}

/// An attempt to be sent, if there is one, and what handing it out changed.
pub type Polled<R> = (Option<Attempt<R>>, Changes);

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
}

/// Who sends what is queued.
#[derive(Clone, Debug, PartialEq)]
enum Outbox {
    /// This instance, alone.
    Own,
    /// One of those who share it: another.
    Followed,
    /// One of those who share it: this one.
    Led(Fence),
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
        let key = key.into();
        let (cache, revision) = match load(&*store, &key, &config)? {
            Some((cache, revision)) => (cache, Some(revision)),
            None => (new(config), None),
        };
        let mut opened = Self {
            store,
            key,
            cache,
            revision,
            outbox: Outbox::Own,
        };
        let due = opened.cache.poll_timeout().is_some_and(|at| at <= now);
        if opened.revision.is_some() && due {
            opened.apply(Event::HandleTimeout, now)?;
        }
        Ok(opened)
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

    /// Takes what other instances have committed since, and answers what it changes for readers.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when it cannot be read.
    pub fn sync(&mut self) -> Result<Changes, Error> {
        let changed = match self.revision {
            Some(revision) => self.changes_since(revision)?,
            None => None,
        };
        let Some((parts, revision)) = changed else {
            return self.reload();
        };
        if self.revision == Some(revision) {
            return Ok(Changes {
                revision: self.cache.revision(),
                ..Changes::default()
            });
        }
        match self.cache.catch_up(parts) {
            Ok(changes) => {
                self.revision = Some(revision);
                Ok(changes)
            }
            // The parts do not follow on what is here; all of them together do.
            Err(_) => self.reload(),
        }
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

    /// Asks to be the one of several instances that sends what is queued, for `ttl_ms`; asked again
    /// before that is over, goes on to be. Answers whether it is. From the first call on,
    /// [`poll_attempt`](Self::poll_attempt) hands out attempts only while it is.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the store cannot say.
    pub fn lead(&mut self, holder: &str, ttl_ms: u64) -> Result<bool, Error> {
        let leased = self.store.acquire(&self.key, OUTBOX, holder, ttl_ms);
        self.outbox = match &leased {
            Ok(Leased::Held(fence)) => Outbox::Led(fence.clone()),
            _ => Outbox::Followed,
        };
        leased?;
        Ok(matches!(self.outbox, Outbox::Led(_)))
    }

    /// Leaves the sending to another instance.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the store cannot be told: then the lease runs until it expires.
    pub fn step_down(&mut self, holder: &str) -> Result<(), Error> {
        self.outbox = Outbox::Followed;
        self.store.release(&self.key, OUTBOX, holder)?;
        Ok(())
    }

    /// The next attempt that may be sent by `now`, as
    /// [`ResourceCache::poll_attempt`]; it is committed that it was handed out. `None` as well where
    /// another instance [leads](Self::lead).
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply); [`Fenced`](StoreErrorKind::Fenced) when the lease has passed to
    /// another: then nothing was handed out.
    pub fn poll_attempt(&mut self, now: Timestamp) -> Result<Committed<Polled<R>>, Error> {
        let fence = match &self.outbox {
            Outbox::Own => None,
            Outbox::Led(fence) => Some(fence.clone()),
            Outbox::Followed => {
                return Ok(Committed {
                    caught_up: Vec::new(),
                    value: (None, Changes::default()),
                });
            }
        };
        let polled = self.change(true, fence, |cache| cache.poll_attempt(now));
        let fenced = |e: &StoreError| e.kind == StoreErrorKind::Fenced;
        if matches!(&polled, Err(Error::Store(error)) if fenced(error)) {
            self.outbox = Outbox::Followed;
        }
        polled
    }

    /// Does something, and commits it. `may_wait`: what changes only the time need not be committed.
    fn change<T>(
        &mut self,
        may_wait: bool,
        fence: Option<Fence>,
        mut act: impl FnMut(&mut ResourceCache<R>) -> Result<T, resourcecache::Error>,
    ) -> Result<Committed<T>, Error> {
        let mut caught_up = Vec::new();
        let mut attempt = 0;
        loop {
            let acted = act(&mut self.cache);
            let delta = self.cache.delta();
            let value = match acted {
                Ok(value) => value,
                Err(error) => {
                    // Verbs before the refused one are not done either.
                    if !delta.only_time {
                        self.cache.revert_delta();
                    }
                    // It may be about what another instance has done.
                    if attempt < ATTEMPTS && self.store.revision(&self.key)? != self.revision {
                        attempt += 1;
                        caught_up.push(self.sync()?);
                        continue;
                    }
                    return Err(error.into());
                }
            };
            if delta.is_empty() || may_wait && delta.only_time {
                return Ok(Committed { caught_up, value });
            }
            match self.commit(&delta, fence.clone()) {
                Ok(revision) => {
                    self.cache.delta_saved();
                    self.revision = Some(revision);
                    return Ok(Committed { caught_up, value });
                }
                Err(error) => {
                    self.cache.revert_delta();
                    attempt += 1;
                    let conflict =
                        matches!(&error, Error::Store(e) if e.kind == StoreErrorKind::Conflict);
                    if !conflict || attempt == ATTEMPTS {
                        return Err(error);
                    }
                    pause(attempt)?;
                    caught_up.push(self.sync()?);
                }
            }
        }
    }

    /// Commits a delta; again under the same name when it is not known whether it was.
    fn commit(&self, delta: &Delta<R>, fence: Option<Fence>) -> Result<StoreRevision, Error> {
        let mut parts = Vec::with_capacity(delta.parts.len());
        for (key, part) in &delta.parts {
            parts.push((key.clone(), part.as_ref().map(Saved::encode).transpose()?));
        }
        let commit = Commit {
            id: CommitId::random()?,
            expect: self.revision,
            parts,
            fence,
        };
        let mut attempt = 0;
        loop {
            let error = match self.store.commit(&self.key, &commit) {
                Ok(revision) => return Ok(revision),
                Err(error) => error,
            };
            attempt += 1;
            if error.kind != StoreErrorKind::Unavailable || attempt == REPEATED {
                return Err(error.into());
            }
            pause(4 * attempt)?;
        }
    }

    /// The parts that changed since; `None` when all is to be loaded anew.
    #[allow(clippy::type_complexity)]
    fn changes_since(
        &self,
        revision: StoreRevision,
    ) -> Result<Option<(Vec<(SavedKey, Option<Saved<R>>)>, StoreRevision)>, Error> {
        let mut parts = Vec::new();
        let since = self
            .store
            .changes_since(&self.key, revision, &mut |key, bytes| {
                let decode = |bytes| Saved::decode(&key, bytes);
                let part = bytes.map(decode).transpose();
                let part = part.map_err(|error| StoreError::damaged(&self.key, error))?;
                parts.push((key, part));
                Ok(())
            })?;
        Ok(match since {
            Since::Changes(revision) => Some((parts, revision)),
            Since::TooOld | Since::Gone => None,
        })
    }

    fn reload(&mut self) -> Result<Changes, Error> {
        let config = self.cache.config();
        let (loaded, revision) = match load(&*self.store, &self.key, config)? {
            Some((cache, revision)) => (cache, Some(revision)),
            None => (new(config.clone()), None),
        };
        self.revision = revision;
        Ok(self.cache.catch_up_with(loaded))
    }
}

/// An empty collection, none of which is saved yet.
fn new<R: Stored>(config: Config) -> ResourceCache<R> {
    let mut cache = ResourceCache::new(config);
    cache.track_saved();
    cache
}

fn load<R: Stored>(
    store: &dyn Store,
    key: &str,
    config: &Config,
) -> Result<Option<(ResourceCache<R>, StoreRevision)>, StoreError> {
    let damaged = |error| StoreError::damaged(key, error);
    let mut loader = Loader::new();
    let revision = store.load(key, &mut |name, bytes| {
        loader.read(name, bytes).map_err(damaged)
    })?;
    let Some(revision) = revision else {
        return Ok(None);
    };
    let cache = loader.finish_reading(config.clone()).map_err(damaged)?;
    Ok(Some((cache, revision)))
}

/// Waits a little, the longer the more often it was tried: a random part of a time that doubles, so
/// that instances which met do not meet again.
fn pause(attempt: u32) -> Result<(), StoreError> {
    let most = 1_u128 << attempt.min(6);
    let ms = CommitId::random()?.0 % most;
    std::thread::sleep(Duration::from_millis(ms as u64));
    Ok(())
}
