//! What several tests of this folder use, and the benchmarks of stores.

#![allow(dead_code)] // each test uses some of it

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use resourcecache_storage::{
    ChangeVisitor, Commit, Leased, PartVisitor, Since, Store, StoreError, StoreRevision, Watch,
};

/// A store that counts what it is asked.
pub(crate) struct Counting {
    inner: Arc<dyn Store>,
    pub(crate) loads: AtomicUsize,
    pub(crate) commits: AtomicUsize,
    pub(crate) last: Mutex<Option<Commit>>,
    /// All else.
    pub(crate) others: AtomicUsize,
}

impl Counting {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            loads: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            last: Mutex::default(),
            others: AtomicUsize::new(0),
        })
    }

    /// Loads, commits, all else, since this was asked last.
    pub(crate) fn take(&self) -> (usize, usize, usize) {
        let take = |n: &AtomicUsize| n.swap(0, Ordering::SeqCst);
        (take(&self.loads), take(&self.commits), take(&self.others))
    }

    fn other(&self) -> &dyn Store {
        self.others.fetch_add(1, Ordering::SeqCst);
        &*self.inner
    }
}

impl Store for Counting {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.inner.load(key, part)
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        *self.last.lock().unwrap() = Some(commit.clone());
        self.inner.commit(key, commit)
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        self.other().changes_since(key, since, part)
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        self.other().revision(key)
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        self.other().keys(after, limit)
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        self.other().delete(key, expect)
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        self.other().acquire(key, lease, holder, ttl_ms)
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        self.other().release(key, lease, holder)
    }

    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        self.other().watch(key)
    }
}
