//! Reads a collection: whole, or what others have committed since.

use resourcecache::{Changes, Config, Loader, ResourceCache, Saved, SavedKey, Stored};

use super::StoredCache;
use super::size::Weight;
use crate::error::{Error, StoreError};
use crate::store::{Since, Store, StoreRevision};

impl<R: Stored> StoredCache<R> {
    /// Takes what other instances have committed since, and answers what it changes for readers.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when it cannot be read.
    pub fn sync(&mut self) -> Result<Changes, Error> {
        let changed = match self.revision {
            Some(revision) if !self.torn => self.changes_since(revision)?,
            _ => None,
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

    /// The parts that changed since; `None` when all is to be loaded anew.
    #[allow(clippy::type_complexity)]
    fn changes_since(
        &mut self,
        revision: StoreRevision,
    ) -> Result<Option<(Vec<(SavedKey, Option<Saved<R>>)>, StoreRevision)>, Error> {
        let mut parts = Vec::new();
        let mut read = 0;
        let since = self
            .store
            .changes_since(&self.key, revision, &mut |key, bytes| {
                read += bytes.map_or(0, <[u8]>::len);
                let decode = |bytes| Saved::decode(&key, bytes);
                let part = bytes.map(decode).transpose();
                let part = part.map_err(|error| StoreError::damaged(&self.key, error))?;
                parts.push((key, part));
                Ok(())
            })?;
        self.weight.add(read);
        Ok(match since {
            Since::Changes(revision) => Some((parts, revision)),
            Since::TooOld | Since::Gone => None,
        })
    }

    /// Takes back what a panic left in the middle of a change, where there was one: to what is in the
    /// store, if that can be read.
    #[cfg(feature = "async")]
    pub(crate) fn mend(&mut self) {
        if self.torn {
            self.cache.revert_delta();
            // Where it cannot be read now, it is before the next change.
            let _ = self.reload();
        }
    }

    /// Reads all of it where nothing is in memory yet. What a reader saw of it before, by another
    /// instance, is not known here: it takes the whole view.
    pub(super) fn read_first(&mut self) -> Result<(), Error> {
        let loaded = load(&*self.store, &self.key, self.cache.config())?;
        if let Some((cache, revision, bytes)) = loaded {
            self.cache = cache;
            self.revision = Some(revision);
            self.weight = Weight::of(bytes);
        }
        Ok(())
    }

    /// Reads all of it anew, and answers what that changes for readers.
    pub(super) fn reload(&mut self) -> Result<Changes, Error> {
        let config = self.cache.config();
        let (loaded, revision, bytes) = match load(&*self.store, &self.key, config)? {
            Some((cache, revision, bytes)) => (cache, Some(revision), bytes),
            None => (new(config.clone()), None, 0),
        };
        self.revision = revision;
        self.weight = Weight::of(bytes);
        self.torn = false;
        Ok(self.cache.catch_up_with(loaded))
    }
}

/// An empty collection, none of which is saved yet.
pub(super) fn new<R: Stored>(config: Config) -> ResourceCache<R> {
    let mut cache = ResourceCache::new(config);
    cache.track_saved();
    cache
}

/// All of a collection, at which commit it is, and how many bytes were read.
#[allow(clippy::type_complexity)]
fn load<R: Stored>(
    store: &dyn Store,
    key: &str,
    config: &Config,
) -> Result<Option<(ResourceCache<R>, StoreRevision, usize)>, StoreError> {
    let damaged = |error| StoreError::damaged(key, error);
    let mut loader = Loader::new();
    let mut read = 0;
    let revision = store.load(key, &mut |name, bytes| {
        read += bytes.len();
        loader.read(name, bytes).map_err(damaged)
    })?;
    let Some(revision) = revision else {
        return Ok(None);
    };
    let cache = loader.finish_reading(config.clone()).map_err(damaged)?;
    Ok(Some((cache, revision, read)))
}
