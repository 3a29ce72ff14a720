//! A store that is gone with its process.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use resourcecache::SavedKey;

use crate::error::{StoreError, conflict, fenced};
use crate::lease::{Fence, Leased};
use crate::notices::Notices;
use crate::store::{
    ChangeVisitor, Commit, CommitId, PartVisitor, Since, Store, StoreRevision, Watch,
};

/// How many commits are remembered.
const REMEMBERED: usize = 1_000;

/// Keeps collections in memory, for tests and for what need not survive. Several caches in one
/// process may share it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
    notices: Notices,
}

#[derive(Debug, Default)]
struct Kept {
    collections: BTreeMap<String, Collection>,
    leases: BTreeMap<(String, String), Lease>,
}

#[derive(Debug)]
struct Collection {
    revision: StoreRevision,
    parts: BTreeMap<SavedKey, Vec<u8>>,
    /// The last commits, and which parts they changed.
    commits: VecDeque<(u64, CommitId, Vec<SavedKey>)>,
}

#[derive(Debug)]
struct Lease {
    holder: String,
    token: u64,
    until: Option<Instant>,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held but a visitor, which only reads.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        let kept = self.kept();
        let Some(collection) = kept.collections.get(key) else {
            return Ok(None);
        };
        for (name, bytes) in &collection.parts {
            part(name.clone(), bytes)?;
        }
        Ok(Some(collection.revision))
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        let revision = self.kept().commit(key, commit)?;
        self.notices.tell(key);
        Ok(revision)
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        let kept = self.kept();
        let Some(collection) = kept.collections.get(key) else {
            return Ok(Since::Gone);
        };
        let now = collection.revision;
        let first = collection
            .commits
            .front()
            .map_or(now.number, |first| first.0);
        let known = since.incarnation == now.incarnation && since.number <= now.number;
        if !known || since.number + 1 < first {
            return Ok(Since::TooOld);
        }
        let commits = collection.commits.iter();
        let new = commits.filter(|(number, _, _)| *number > since.number);
        let mut names: Vec<&SavedKey> = new.flat_map(|(_, _, names)| names).collect();
        names.sort();
        names.dedup();
        for name in names {
            part(name.clone(), collection.parts.get(name).map(Vec::as_slice))?;
        }
        Ok(Since::Changes(now))
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        Ok(self.kept().collections.get(key).map(|c| c.revision))
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let kept = self.kept();
        let keys = kept.collections.range::<str, _>((from, Bound::Unbounded));
        Ok(keys.take(limit).map(|(key, _)| key.clone()).collect())
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        let mut kept = self.kept();
        let Some(collection) = kept.collections.get(key) else {
            return Ok(false);
        };
        if expect.is_some_and(|expect| expect != collection.revision) {
            return Err(conflict(key));
        }
        kept.collections.remove(key);
        drop(kept);
        self.notices.tell(key);
        Ok(true)
    }

    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError> {
        let now = Instant::now();
        let mut kept = self.kept();
        let name = (key.to_string(), lease.to_string());
        let held = kept.leases.entry(name).or_insert_with(|| Lease {
            holder: String::new(),
            token: 0,
            until: None,
        });
        let left = held
            .until
            .and_then(|until| until.checked_duration_since(now));
        let left = left.filter(|left| !left.is_zero());
        if let Some(left) = left.filter(|_| held.holder != holder) {
            return Ok(Leased::Taken {
                holder: held.holder.clone(),
                for_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1),
            });
        }
        if left.is_none() {
            held.token += 1;
            held.holder = holder.into();
        }
        held.until = now.checked_add(Duration::from_millis(ttl_ms));
        Ok(Leased::Held(Fence {
            lease: lease.into(),
            token: held.token,
        }))
    }

    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError> {
        let now = Instant::now();
        let mut kept = self.kept();
        let held = kept.leases.get_mut(&(key.to_string(), lease.to_string()));
        let held = held.filter(|held| held.holder == holder);
        let held = held.filter(|held| held.until.is_some_and(|until| until > now));
        Ok(held.map(|held| held.until = None).is_some())
    }

    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        Ok(Some(self.notices.watch(key)))
    }
}

impl Kept {
    fn commit(&mut self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        let found = self.collections.get(key);
        if found.map(|c| c.revision) != commit.expect {
            let known = |c: &Collection| {
                let done = c.commits.iter().find(|(_, id, _)| *id == commit.id);
                done.map(|(number, _, _)| StoreRevision {
                    number: *number,
                    ..c.revision
                })
            };
            return found.and_then(known).ok_or_else(|| conflict(key));
        }
        if let Some(fence) = &commit.fence {
            let lease = self.leases.get(&(key.to_string(), fence.lease.clone()));
            if lease.map_or(0, |lease| lease.token) != fence.token {
                return Err(fenced(key, &fence.lease));
            }
        }
        let revision = match commit.expect {
            Some(revision) => revision.next(),
            None => StoreRevision {
                incarnation: commit.id.incarnation(),
                number: 1,
            },
        };
        let collection = self.collections.entry(key.into()).or_insert(Collection {
            revision,
            parts: BTreeMap::new(),
            commits: VecDeque::new(),
        });
        collection.revision = revision;
        let mut names = Vec::with_capacity(commit.parts.len());
        for (name, bytes) in &commit.parts {
            match bytes {
                Some(bytes) => collection.parts.insert(name.clone(), bytes.clone()),
                None => collection.parts.remove(name),
            };
            names.push(name.clone());
        }
        collection
            .commits
            .push_back((revision.number, commit.id, names));
        if collection.commits.len() > REMEMBERED {
            collection.commits.pop_front();
        }
        Ok(revision)
    }
}
