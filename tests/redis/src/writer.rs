//! Writers of events that can be told apart, so that each that was acknowledged is found, and once.

use std::collections::BTreeSet;
use std::sync::Arc;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Timestamp};
use resourcecache_storage::redis::RedisStore;
use resourcecache_storage::{Error, StoredCache};

/// What a writer saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many events were acknowledged.
    pub acknowledged: u64,
    /// How often one was refused for now, and tried again.
    pub again: u64,
}

/// Creates `count` resources, each by an event of its own, and tells `done` of each that is
/// acknowledged.
///
/// # Panics
///
/// An event is refused for good.
pub fn write(
    store: Arc<RedisStore>,
    key: &str,
    writer: u64,
    count: u64,
    mut done: impl FnMut(&str),
) -> Tally {
    let mut tally = Tally::default();
    let now = Timestamp(0);
    let mut cache = loop {
        match StoredCache::<JsonResource>::open(store.clone(), key, Config::default(), now) {
            Ok(cache) => break cache,
            Err(error) if error.is_retryable() => tally.again += 1,
            Err(error) => panic!("opening: {error}"),
        }
    };
    for n in 0..count {
        let id = format!("w{writer}-{n}");
        let body = format!("{{\"id\":\"{id}\"}}");
        let resource = Schema::default()
            .resource(body.as_bytes())
            .expect("a resource");
        loop {
            match cache.update(|cache| cache.add_as_creating(resource.clone(), now)) {
                Ok(_) => break,
                // An earlier try was done, though it was not acknowledged.
                Err(Error::Core(resourcecache::Error::AlreadyExists { .. })) if tally.again > 0 => {
                    break;
                }
                Err(error) if error.is_retryable() => tally.again += 1,
                Err(error) => panic!("{id}: {error}"),
            }
        }
        tally.acknowledged += 1;
        done(&id);
    }
    tally
}

/// How many of the writers' resources are there.
///
/// # Panics
///
/// One is there twice, one is missing, or has more than the one operation that created it.
pub fn count(store: Arc<RedisStore>, key: &str, writers: u64, each: u64) -> u64 {
    let cache = StoredCache::<JsonResource>::open(store, key, Config::default(), Timestamp(0));
    let cache = cache.expect("opening");
    let mut found = BTreeSet::new();
    for item in cache.cache().all() {
        assert_eq!(
            cache.cache().operations(item.id()).len(),
            1,
            "{}",
            item.id()
        );
        assert!(
            found.insert(item.id().to_string()),
            "{} is there twice",
            item.id()
        );
    }
    for writer in 0..writers {
        for n in 0..each {
            assert!(
                found.contains(&format!("w{writer}-{n}")),
                "w{writer}-{n} was acknowledged and is lost"
            );
        }
    }
    found.len() as u64
}
