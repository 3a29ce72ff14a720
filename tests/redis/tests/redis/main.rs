//! The Redis store against real servers.

mod access;
mod commits;
mod failures;
mod interleavings;
mod leases;
mod many;
mod senders;
mod sentinel;
mod valkey;

use std::sync::Arc;
use std::time::{Duration, Instant};

use resourcecache::{RowKey, SavedKey};
use resourcecache_storage::redis::{RedisOptions, RedisStore};
use resourcecache_storage::{Commit, CommitId, Store, StoreError, StoreErrorKind, StoreRevision};

fn open(url: &str) -> Arc<RedisStore> {
    with(url, RedisOptions::default())
}

fn with(url: &str, options: RedisOptions) -> Arc<RedisStore> {
    Arc::new(RedisStore::open(url, options).unwrap_or_else(|error| panic!("{url}: {error}")))
}

/// Waits until something holds; not for ever.
fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn body(n: u64) -> SavedKey {
    SavedKey::Body(RowKey(n))
}

/// A commit that writes these parts, each with its number.
fn commit(expect: Option<StoreRevision>, parts: impl IntoIterator<Item = u64>) -> Commit {
    Commit {
        id: CommitId::random().expect("random numbers"),
        expect,
        parts: parts
            .into_iter()
            .map(|n| (body(n), Some(n.to_le_bytes().to_vec())))
            .collect(),
        fence: None,
    }
}

fn load(store: &dyn Store, key: &str) -> Option<(StoreRevision, Vec<SavedKey>)> {
    let mut names = Vec::new();
    let revision = store.load(key, &mut |name, _| {
        names.push(name);
        Ok(())
    });
    names.sort();
    revision.expect("loading").map(|revision| (revision, names))
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.expect_err("it is refused").kind
}
