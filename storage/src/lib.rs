//! Keeps collections of `resourcecache` where a user keeps data.
//!
//! A [`StoredCache`] opens a collection by its key, applies events, commits what they changed, and
//! hands out the changes. What it commits to is a [`Store`]: `SqliteStore`, the embedded default;
//! [`MemoryStore`] for tests and for what need not survive; or one of your own, held to [`contract`].
//! [`Collections`] holds many of them, in as much memory as you say. The feature `async` adds
//! `AsyncStoredCache`.
//!
//! ```
//! use std::sync::Arc;
//! use resourcecache::{Config, Event, Timestamp, json::{JsonResource, Schema}};
//! use resourcecache_storage::{MemoryStore, StoredCache};
//!
//! let store = Arc::new(MemoryStore::new());
//! let (key, now) = ("dns-zones:project-1", Timestamp(0));
//! let mut zones: StoredCache<JsonResource> = StoredCache::open(store.clone(), key, Config::default(), now)?;
//! let list = Schema::default().snapshot(br#"[{"id":"a"},{"id":"b"}]"#)?;
//! zones.apply(Event::Merge(list), now)?;
//! zones.update(|zones| zones.mark_as_deleting("a", None, now))?;
//!
//! // After a restart, or in another process:
//! let zones: StoredCache<JsonResource> = StoredCache::open(store, key, Config::default(), now)?;
//! assert_eq!(zones.cache().visible().map(|zone| zone.id()).collect::<Vec<_>>(), ["b"]);
//! # Ok::<(), resourcecache_storage::Error>(())
//! ```

#![forbid(unsafe_code)]

#[cfg(feature = "async")]
mod async_cache;
#[cfg(feature = "async")]
mod async_watch;
#[cfg(feature = "async")]
mod blocking;
mod collections;
pub mod contract;
mod error;
mod lease;
mod memory;
mod notices;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod stored_cache;

#[cfg(feature = "async")]
pub use async_cache::AsyncStoredCache;
#[cfg(feature = "async")]
pub use async_watch::AsyncWatch;
pub use collections::{Collections, Limits};
pub use error::{Error, StoreError, StoreErrorKind};
pub use lease::{Fence, Leased};
pub use memory::MemoryStore;
pub use notices::Notices;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore, Synchronous};
pub use store::{ChangeVisitor, Commit, CommitId, PartVisitor, Since, Store, StoreRevision, Watch};
pub use stored_cache::{Committed, Polled, StoredCache};

/// The examples of the guide, run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../docs/storage.md")]
    mod storage {}
    #[cfg(feature = "redis")]
    #[doc = include_str!("../../docs/redis.md")]
    mod redis {}
}
