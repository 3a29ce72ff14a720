//! A store that is written in the host's language.

use std::str::FromStr;
use std::sync::Arc;

use resourcecache::SavedKey;
use resourcecache_storage as storage;
use storage::{
    ChangeVisitor, Commit, Leased, PartVisitor, Since, StoreError, StoreErrorKind, StoreRevision,
};

use crate::error::HostError;

/// One part of a collection.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StoredPart {
    /// Its name within the collection.
    pub name: String,
    /// Its bytes; none in a commit that removes it.
    pub bytes: Option<Vec<u8>>,
}

/// A collection as it was committed last.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StoredCollection {
    /// The revision that the last commit gave it.
    pub revision: String,
    /// Its parts, in any order.
    pub parts: Vec<StoredPart>,
}

/// A store that the host's code keeps: in its own database, its platform's preferences, a service.
///
/// A collection is a revision and parts by name, under a key; the store looks into none of them. It is
/// called by whatever thread calls the cache, while the cache is locked: it must not call the cache.
/// What it throws becomes the error of the call that needed it, and nothing has changed then.
#[uniffi::export(foreign)]
pub trait HostStore: Send + Sync {
    /// A collection; none where there is none.
    fn load(&self, key: String) -> Result<Option<StoredCollection>, HostError>;

    /// At which revision a collection is; none where there is none.
    fn revision(&self, key: String) -> Result<Option<String>, HostError>;

    /// If the collection is at the revision that is expected (none: there is no such collection),
    /// writes the parts that have bytes, removes the others, sets the new revision, all or nothing,
    /// and answers true once that is safe. At another revision it changes nothing, and answers false.
    fn commit(
        &self,
        key: String,
        expected: Option<String>,
        revision: String,
        parts: Vec<StoredPart>,
    ) -> Result<bool, HostError>;

    /// The keys of all collections.
    fn keys(&self) -> Result<Vec<String>, HostError>;

    /// Removes a collection; answers whether there was one.
    fn delete(&self, key: String) -> Result<bool, HostError>;
}

/// One as the storage layer has it.
pub(crate) struct Hosted(pub(crate) Arc<dyn HostStore>);

fn failed(key: Option<&str>, error: HostError) -> StoreError {
    let problem = format!("the host's store failed: {error}");
    StoreError::new(StoreErrorKind::Other, key, problem).with_source(error)
}

fn damaged(key: &str, what: &str, text: &str) -> StoreError {
    let problem =
        format!("the host's store answered {text:?}, which is no {what} that it was given");
    StoreError::new(StoreErrorKind::Damaged, Some(key), problem)
}

fn revision_of(key: &str, text: &str) -> Result<StoreRevision, StoreError> {
    let read = || {
        let (incarnation, number) = text.split_once('.')?;
        Some(StoreRevision {
            incarnation: u64::from_str_radix(incarnation, 16).ok()?,
            number: number.parse().ok()?,
        })
    };
    read().ok_or_else(|| damaged(key, "revision", text))
}

impl storage::Store for Hosted {
    fn load(
        &self,
        key: &str,
        part: &mut PartVisitor<'_>,
    ) -> Result<Option<StoreRevision>, StoreError> {
        let loaded = self.0.load(key.into()).map_err(|e| failed(Some(key), e))?;
        let Some(loaded) = loaded else {
            return Ok(None);
        };
        for StoredPart { name, bytes } in loaded.parts {
            let known = SavedKey::from_str(&name).map_err(|_| damaged(key, "part", &name))?;
            let bytes = bytes.ok_or_else(|| damaged(key, "part", &name))?;
            part(known, &bytes)?;
        }
        revision_of(key, &loaded.revision).map(Some)
    }

    fn commit(&self, key: &str, commit: &Commit) -> Result<StoreRevision, StoreError> {
        let first = StoreRevision {
            incarnation: commit.id.incarnation(),
            number: 1,
        };
        let revision = commit.expect.map_or(first, StoreRevision::next);
        let parts = commit.parts.iter().map(|(name, bytes)| StoredPart {
            name: name.to_string(),
            bytes: bytes.clone(),
        });
        let expected = commit.expect.map(|expect| expect.to_string());
        let done = self
            .0
            .commit(key.into(), expected, revision.to_string(), parts.collect());
        match done.map_err(|e| failed(Some(key), e))? {
            true => Ok(revision),
            false => {
                let problem = "another instance committed first";
                Err(StoreError::new(
                    StoreErrorKind::Conflict,
                    Some(key),
                    problem,
                ))
            }
        }
    }

    fn changes_since(
        &self,
        key: &str,
        since: StoreRevision,
        _: &mut ChangeVisitor<'_>,
    ) -> Result<Since, StoreError> {
        Ok(match self.revision(key)? {
            None => Since::Gone,
            Some(now) if now == since => Since::Changes(now),
            Some(_) => Since::TooOld,
        })
    }

    fn revision(&self, key: &str) -> Result<Option<StoreRevision>, StoreError> {
        let revision = self.0.revision(key.into());
        let revision = revision.map_err(|e| failed(Some(key), e))?;
        revision.map(|text| revision_of(key, &text)).transpose()
    }

    fn keys(&self, after: Option<&str>, limit: usize) -> Result<Vec<String>, StoreError> {
        let mut keys = self.0.keys().map_err(|e| failed(None, e))?;
        keys.retain(|key| after.is_none_or(|after| after < key.as_str()));
        keys.sort();
        keys.truncate(limit);
        Ok(keys)
    }

    fn delete(&self, key: &str, expect: Option<StoreRevision>) -> Result<bool, StoreError> {
        if expect.is_some() {
            let problem = "the host's store deletes at any revision";
            return Err(StoreError::new(StoreErrorKind::Other, Some(key), problem));
        }
        self.0.delete(key.into()).map_err(|e| failed(Some(key), e))
    }

    fn acquire(&self, key: &str, _: &str, _: &str, _: u64) -> Result<Leased, StoreError> {
        let problem = "the host's store has no leases: let one instance alone send";
        Err(StoreError::new(StoreErrorKind::Other, Some(key), problem))
    }

    fn release(&self, _: &str, _: &str, _: &str) -> Result<bool, StoreError> {
        Ok(false)
    }
}
