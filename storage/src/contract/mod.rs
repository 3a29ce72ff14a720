//! What every store must do, as tests: for the stores here, and for one of your own.
//!
//! ```
//! use std::sync::Arc;
//! use resourcecache_storage::{MemoryStore, contract};
//! let store = Arc::new(MemoryStore::new());
//! contract::check(&move || store.clone());
//! ```
//!
//! The cases that need an engine's own means (a killed process, a full disk, a cut connection) are
//! not here.

mod commits;
mod leases;
mod sharing;

use std::sync::Arc;

use resourcecache::{OperationId, ResourceId, RowKey, SavedKey};

use crate::error::{StoreError, StoreErrorKind};
use crate::store::{Commit, CommitId, Since, Store, StoreRevision};

/// Opens one more instance of the same store, as another process would.
pub type Open<'a> = dyn Fn() -> Arc<dyn Store> + Sync + 'a;

/// One thing that a store must do, and its test.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What must hold.
    pub name: &'static str,
    test: fn(&Open<'_>),
}

impl Case {
    /// Tests a store.
    ///
    /// # Panics
    ///
    /// When it does not do what it must.
    pub fn check(&self, open: &Open<'_>) {
        (self.test)(open);
    }
}

/// Every case. Each keeps to keys of its own, so that they may run at the same time on one store.
pub fn cases() -> impl Iterator<Item = Case> {
    let groups = [commits::CASES, leases::CASES, sharing::CASES];
    groups.into_iter().flatten().copied()
}

/// Tests a store against every case, one after the other.
///
/// # Panics
///
/// When it does not do what it must; the message begins with the case.
pub fn check(open: &Open<'_>) {
    for case in cases() {
        eprintln!("contract: {}", case.name);
        case.check(open);
    }
}

/// A key that no other case and no other run has.
fn fresh(name: &str) -> String {
    let id = CommitId::random().expect("random numbers");
    format!("{name}:{id}")
}

fn commit(expect: Option<StoreRevision>, parts: &[(SavedKey, Option<&[u8]>)]) -> Commit {
    let own = |(key, bytes): &(SavedKey, Option<&[u8]>)| (key.clone(), bytes.map(<[u8]>::to_vec));
    Commit {
        id: CommitId::random().expect("random numbers"),
        expect,
        parts: parts.iter().map(own).collect(),
        fence: None,
    }
}

fn body(key: u64) -> SavedKey {
    SavedKey::Body(RowKey(key))
}

/// One key of each kind.
fn kinds() -> Vec<SavedKey> {
    vec![
        SavedKey::Head,
        body(1),
        SavedKey::Place(RowKey(1)),
        SavedKey::Marks(RowKey(1)),
        SavedKey::Operation(OperationId(1)),
        SavedKey::Dropped(ResourceId::from("a:b {c}\n'\"ü\u{0}")),
        SavedKey::Outcome(1),
        SavedKey::Step(1),
    ]
}

type Parts = Vec<(SavedKey, Vec<u8>)>;
type Changed = Vec<(SavedKey, Option<Vec<u8>>)>;

fn load(store: &dyn Store, key: &str) -> Option<(StoreRevision, Parts)> {
    let mut parts = Vec::new();
    let revision = store.load(key, &mut |name, bytes| {
        parts.push((name, bytes.to_vec()));
        Ok(())
    });
    parts.sort();
    revision.expect("loading").map(|revision| (revision, parts))
}

fn changes(store: &dyn Store, key: &str, since: StoreRevision) -> (Since, Changed) {
    let mut parts = Vec::new();
    let since = store.changes_since(key, since, &mut |name, bytes| {
        parts.push((name, bytes.map(<[u8]>::to_vec)));
        Ok(())
    });
    parts.sort();
    (since.expect("reading changes"), parts)
}

fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    result.expect_err("it is refused").kind
}
