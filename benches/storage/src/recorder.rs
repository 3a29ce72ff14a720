//! The commits of the events that are timed, taken down before.

use std::sync::{Arc, Mutex, PoisonError};

use resourcecache_storage::{
    ChangeVisitor, Commit, Leased, MemoryStore, PartVisitor, Since, Store, StoreError,
    StoreRevision,
};

use crate::Outcome;
use crate::collection::{mark, seeded};

/// The commits of the first events on a collection of `n`.
pub(crate) fn recorded(n: usize, events: usize) -> Outcome<Vec<Commit>> {
    let recorder = Arc::new(Recorder::default());
    let mut cache = seeded(recorder.clone(), n)?;
    for turn in 0..events {
        mark(&mut cache, n, turn)?;
    }
    let mut commits = recorder
        .commits
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    Ok(commits.split_off(1))
}

#[derive(Default)]
struct Recorder {
    store: MemoryStore,
    commits: Mutex<Vec<Commit>>,
}

impl Store for Recorder {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        self.store.load(key, part)
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.push(commit.clone());
        self.store.commit(key, commit)
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        self.store.changes_since(key, since, part)
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        self.store.revision(key)
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        self.store.keys(after, limit)
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        self.store.delete(key, expect)
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        self.store.acquire(key, lease, holder, ttl_ms)
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        self.store.release(key, lease, holder)
    }
}
