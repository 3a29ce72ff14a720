//! From the list that v1.0 kept under a key, and back.

use std::sync::Arc;

use resourcecache::json::{self, JsonResource, Schema};
use resourcecache::{Config, Event, Timestamp};

use super::StoredCache;
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::store::Store;

impl StoredCache<JsonResource> {
    /// Makes a collection of what version 1.0 kept in unstorage under a key: a JSON array of the
    /// resources, each perhaps with its `_meta`. Its operations go on where they were: hidden rows stay
    /// hidden, and their clocks count from v1.0's marks. All of it is committed, or nothing.
    ///
    /// Times that cannot be read are passed over, as [`Schema::list_v1`] says. A resource that is there
    /// twice has the last body and the last mark.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use resourcecache::{Config, Timestamp, json::Schema};
    /// use resourcecache_storage::{MemoryStore, StoredCache};
    ///
    /// // What unstorage's `getItemRaw("dns-zones:project-1")` answers.
    /// let old = br#"[{"id":"a"},{"id":"b","_meta":
    ///     {"status":"deleting","deletedAt":"2025-01-19T00:00:00.000Z","minTtl":60000}}]"#;
    /// let (store, now) = (Arc::new(MemoryStore::new()), Timestamp(1_737_244_810_000));
    /// let zones = StoredCache::import_v1(
    ///     store, "dns-zones:project-1", &Schema::default(), old, Config::default(), now)?;
    /// assert_eq!(zones.cache().visible().map(|zone| zone.id()).collect::<Vec<_>>(), ["a"]);
    /// assert!(zones.export_v1().contains(r#""minTtl":60000"#)); // and back
    /// # Ok::<(), resourcecache_storage::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Exists`](StoreErrorKind::Exists) where the store has a collection of this key: what is in it is
    /// newer. [`Error::Core`] names the item of a list that cannot be read, and what is wrong with it.
    pub fn import_v1(
        store: Arc<dyn Store>,
        key: impl Into<String>,
        schema: &Schema,
        list: &[u8],
        config: Config,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut new = Self::empty(store, key, config);
        if new.store.revision(&new.key)?.is_some() {
            return Err(exists(&new.key).into());
        }
        let items = schema.list_v1(list)?;
        new.cache.apply(Event::ImportV1 { items }, now)?;
        let delta = new.cache.delta();
        match new.commit(&delta, None) {
            Ok(()) => Ok(new),
            // Another instance was here first, or has imported it.
            Err(error) if error.is(StoreErrorKind::Conflict) => Err(exists(&new.key).into()),
            Err(error) => Err(error),
        }
    }

    /// The collection as the JSON array that version 1.0 reads: every resource as it is shown, hidden
    /// ones too, each with the `_meta` of its newest operation. What v1.0 has no words for is not in it:
    /// the outbox, older operations on the same resource, guards of what is confirmed, undo, outcomes.
    pub fn export_v1(&self) -> String {
        json::list_v1(&self.cache)
    }
}

fn exists(key: &str) -> StoreError {
    let problem = "the collection exists already, and is newer than what v1.0 kept; delete it first if \
                   that is to replace it";
    StoreError::new(StoreErrorKind::Exists, Some(key), problem)
}
