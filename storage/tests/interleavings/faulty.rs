//! A store whose answers are lost and whose servers are away for a moment, and which notes what was
//! committed in the order in which it was.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use resourcecache::{Event, Timestamp};
use resourcecache_storage::{
    ChangeVisitor, Commit, CommitId, Leased, PartVisitor, Since, Store, StoreError, StoreErrorKind,
    StoreRevision,
};
use resourcecache_testing::Toy;

/// What one commit holds: the events since the one before, in order.
pub(crate) type Work = Vec<(Event<Toy>, Timestamp)>;

/// What was committed by anyone, in the store's order.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) works: Vec<Work>,
    ids: HashSet<CommitId>,
}

/// What is to go wrong, and what is being done.
#[derive(Default)]
struct Now {
    /// So many commits are done, and their answers lost.
    lose: u32,
    /// So many are not done.
    refuse: u32,
    /// What this instance has done and not committed, since it changed nothing but the time.
    pending: Work,
    /// What it does now.
    doing: Work,
    commits: usize,
}

/// One instance's way to the store.
pub(crate) struct Faulty {
    inner: Arc<dyn Store>,
    log: Arc<Mutex<Log>>,
    now: Mutex<Now>,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn Store>, log: Arc<Mutex<Log>>) -> Self {
        let now = Mutex::default();
        Self { inner, log, now }
    }

    fn now<T>(&self, act: impl FnOnce(&mut Now) -> T) -> T {
        act(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The instance begins to do this.
    pub(crate) fn begin(&self, doing: Work, lose: u32, refuse: u32) {
        self.now(|now| {
            (now.doing, now.lose, now.refuse, now.commits) = (doing, lose, refuse, 0);
        });
    }

    /// It is done with it: how many commits that were.
    pub(crate) fn end(&self) -> usize {
        self.now(|now| {
            (now.lose, now.refuse) = (0, 0);
            now.commits
        })
    }

    /// What was done changed only the time, and waits for the next commit.
    pub(crate) fn carry(&self, work: Work) {
        self.now(|now| now.pending.extend(work));
    }

    /// What waited was taken back.
    pub(crate) fn forget(&self) {
        self.now(|now| now.pending.clear());
    }

    pub(crate) fn pending(&self) -> Work {
        self.now(|now| now.pending.clone())
    }
}

fn away() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, None, "as the test asks")
}

impl Store for Faulty {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        self.forget();
        self.inner.load(key, part)
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        if self.now(|now| now.refuse > 0) {
            self.now(|now| now.refuse -= 1);
            return Err(away());
        }
        let done = self.inner.commit(key, commit)?;
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.ids.insert(commit.id) {
            log.works.push(self.now(|now| {
                now.commits += 1;
                let mut work = std::mem::take(&mut now.pending);
                work.extend(now.doing.iter().cloned());
                work
            }));
        }
        if self.now(|now| now.lose > 0) {
            self.now(|now| now.lose -= 1);
            return Err(away());
        }
        Ok(done)
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        let changed = self.inner.changes_since(key, since, part)?;
        if changed != Since::Changes(since) {
            // Catching up takes back what was not committed.
            self.forget();
        }
        Ok(changed)
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        self.inner.revision(key)
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        self.inner.keys(after, limit)
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        self.inner.delete(key, expect)
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        self.inner.acquire(key, lease, holder, ttl_ms)
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        self.inner.release(key, lease, holder)
    }
}
