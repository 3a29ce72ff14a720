//! What a store does. Small, so that an engine of your own is a page of code.

use std::fmt;
use std::time::Duration;

use resourcecache::SavedKey;

use crate::error::StoreError;
use crate::lease::{Fence, Leased};

/// Keeps the saved parts of collections, each under a key.
///
/// A part is bytes under a [`SavedKey`]; the store does not look into them. Every method may be
/// called by several threads at once, and by several processes where the engine allows that. Hold
/// your own to [`contract::check`](crate::contract::check).
pub trait Store: Send + Sync {
    /// Reads a collection: calls `part` for each of its parts, in any order, all as of one revision,
    /// and answers that. `None` where there is none, and `part` was not called.
    ///
    /// # Errors
    ///
    /// What the engine says, and what `part` answers.
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError>;

    /// Writes and removes parts, all or none, if the collection is at the revision that the commit
    /// expects; answers its new one. A commit whose id is known (of the last 1,000 at least) is not
    /// done again: its revision is answered.
    ///
    /// When it answers, the parts are as safe as the engine promises.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::StoreErrorKind::Conflict) at another revision;
    /// [`Fenced`](crate::StoreErrorKind::Fenced) when the commit's fence is older than the lease's last
    /// token. Nothing was written then. After other errors it may have been:
    /// repeat it with the same id.
    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError>;

    /// Calls `part` for each part that was written (with its bytes as they are now) or removed (with
    /// `None`) after `since`, all as of one revision.
    ///
    /// # Errors
    ///
    /// What the engine says, and what `part` answers.
    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        part: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError>;

    /// At which revision a collection is; `None` where there is none.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError>;

    /// The keys after `after` (from the start for `None`), in the order of their bytes, `limit` of them
    /// at most.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError>;

    /// Removes a collection with all that is known of it but its leases; answers whether there was
    /// one. With `expect`, only at that revision.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::StoreErrorKind::Conflict) at another revision than the expected one.
    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError>;

    /// Takes a lease of a collection, which need not exist, for `ttl_ms`; renews it for who holds it
    /// already.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn acquire(
        &self,
        key: &str,
        lease: &str,
        holder: &str,
        ttl_ms: u64,
    ) -> Result<Leased, StoreError>;

    /// Gives a lease back; answers whether `holder` held it.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn release(&self, key: &str, lease: &str, holder: &str) -> Result<bool, StoreError>;

    /// Watches a collection for commits, by anyone; `None` where the engine cannot.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn watch(&self, key: &str) -> Result<Option<Box<dyn Watch>>, StoreError> {
        let _ = key;
        Ok(None)
    }
}

/// Takes the parts of a collection.
pub type PartVisitor<'a> = dyn FnMut(SavedKey, &[u8]) -> Result<(), StoreError> + 'a;

/// Takes the changed parts of a collection.
pub type ChangeVisitor<'a> = dyn FnMut(SavedKey, Option<&[u8]>) -> Result<(), StoreError> + 'a;

/// At which commit a collection is. Revisions of one collection differ also when it was deleted and
/// made anew in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreRevision {
    /// Which collection of this key it is: [`CommitId::incarnation`] of the commit that made it.
    pub incarnation: u64,
    /// How many commits it has seen, from 1.
    pub number: u64,
}

impl StoreRevision {
    /// The revision after the next commit.
    pub fn next(self) -> Self {
        Self {
            number: self.number + 1,
            ..self
        }
    }
}

impl fmt::Display for StoreRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.incarnation, self.number)
    }
}

/// What [`Store::changes_since`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The collection's revision: with the parts given it is complete.
    Changes(StoreRevision),
    /// That far back is not known any more, or the collection is another one by now: load it anew. No
    /// part was given.
    TooOld,
    /// There is no such collection.
    Gone,
}

/// Names a commit, so that repeating it does no harm: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommitId(pub u128);

impl CommitId {
    /// A new one.
    ///
    /// # Errors
    ///
    /// When the operating system has no random numbers.
    pub fn random() -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            let problem = format!("the operating system has no random numbers: {error}");
            StoreError::new(crate::StoreErrorKind::Other, None, problem)
        })?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }

    /// The incarnation of a collection that this commit makes: 53 of its bits, so that engines which
    /// count in floating point keep it.
    pub fn incarnation(self) -> u64 {
        (self.0 as u64) >> 11
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What is to be written, all or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Its name.
    pub id: CommitId,
    /// The revision that it follows on; `None`: there is no such collection yet.
    pub expect: Option<StoreRevision>,
    /// The parts, each at most once: their bytes, or `None` for those that are gone.
    pub parts: Vec<(SavedKey, Option<Vec<u8>>)>,
    /// The lease under which it was made.
    pub fence: Option<Fence>,
}

/// Waits for commits.
pub trait Watch: Send {
    /// Waits until the collection may have been committed to since the last call, or the watch began:
    /// `true`. `false` when nothing was heard of for so long.
    ///
    /// # Errors
    ///
    /// What the engine says.
    fn wait(&mut self, timeout: Duration) -> Result<bool, StoreError>;
}
