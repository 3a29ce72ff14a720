//! A collection whose outbox several processes share, in whatever store.

use std::sync::Arc;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Backoff, Config, Event, Timestamp};
use resourcecache_storage::redis::{RedisOptions, RedisStore};
use resourcecache_storage::{SqliteStore, Store, StoredCache};

/// An attempt that nobody has answered counts as lost after this.
const LOST_AFTER_MS: u64 = 800;

/// Opens it: `sqlite:PATH`, or an address of Redis.
///
/// # Panics
///
/// It cannot be opened.
pub fn open(store: &str, key: &str) -> StoredCache<JsonResource> {
    let store: Arc<dyn Store> = match store.strip_prefix("sqlite:") {
        Some(path) => Arc::new(SqliteStore::open(path).expect("a file")),
        None => Arc::new(RedisStore::open(store, RedisOptions::default()).expect("a server")),
    };
    let mut config = Config::default();
    config.retry.attempt_timeout_ms = LOST_AFTER_MS;
    config.retry.backoff = Backoff::Linear { step_ms: 50 };
    StoredCache::open(store, key, config, Timestamp(0)).expect("a collection")
}

/// Queues so many creations.
///
/// # Panics
///
/// One is refused.
pub fn queue(cache: &mut StoredCache<JsonResource>, count: usize) {
    for n in 0..count {
        let body = format!("{{\"id\":\"z{n}\"}}");
        let resource = Schema::default().resource(body.as_bytes());
        let create = Event::Create {
            resource: resource.expect("a resource"),
            min_ttl_ms: None,
        };
        let queued = cache.update(|c| c.queue(create.clone(), 0, Timestamp(0)));
        queued.expect("an event");
    }
}
