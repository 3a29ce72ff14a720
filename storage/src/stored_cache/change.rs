//! Does something with a collection and commits it; again when another instance committed first.

use std::time::Duration;

use resourcecache::{Delta, ResourceCache, Saved, Stored};

use super::{Committed, StoredCache};
use crate::error::{Error, StoreError, StoreErrorKind};
use crate::lease::Fence;
use crate::store::{Commit, CommitId};

/// How often an event is applied again after another instance committed first.
const ATTEMPTS: u32 = 64;

/// How often a commit is tried whose store cannot be reached.
const REPEATED: u32 = 4;

impl<R: Stored> StoredCache<R> {
    /// Does something, and commits it. `may_wait`: what changes only the time need not be committed.
    pub(super) fn change<T>(
        &mut self,
        may_wait: bool,
        fence: Option<Fence>,
        mut act: impl FnMut(&mut ResourceCache<R>) -> Result<T, resourcecache::Error>,
    ) -> Result<Committed<T>, Error> {
        let mut caught_up = Vec::new();
        let mut attempt = 0;
        if self.torn {
            caught_up.push(self.reload()?);
        }
        loop {
            self.torn = true;
            let acted = act(&mut self.cache);
            self.torn = false;
            let delta = self.cache.delta();
            let value = match acted {
                Ok(value) => value,
                Err(error) => {
                    // Verbs before the refused one are not done either, not even in time.
                    if !delta.is_empty() {
                        self.cache.revert_delta();
                    }
                    // It may be about what another instance has done.
                    if attempt < ATTEMPTS && self.store.revision(&self.key)? != self.revision {
                        attempt += 1;
                        caught_up.push(self.sync()?);
                        continue;
                    }
                    return Err(error.into());
                }
            };
            if delta.is_empty() || may_wait && delta.only_time {
                return Ok(Committed { caught_up, value });
            }
            match self.commit(&delta, fence.clone()) {
                Ok(()) => return Ok(Committed { caught_up, value }),
                Err(error) => {
                    self.cache.revert_delta();
                    attempt += 1;
                    if !error.is(StoreErrorKind::Conflict) || attempt == ATTEMPTS {
                        return Err(error);
                    }
                    pause(attempt)?;
                    caught_up.push(self.sync()?);
                }
            }
        }
    }

    /// Commits a delta; again under the same name when it is not known whether it was.
    pub(super) fn commit(&mut self, delta: &Delta<R>, fence: Option<Fence>) -> Result<(), Error> {
        let mut parts = Vec::with_capacity(delta.parts.len());
        for (key, part) in &delta.parts {
            parts.push((key.clone(), part.as_ref().map(Saved::encode).transpose()?));
        }
        let commit = Commit {
            id: CommitId::random()?,
            expect: self.revision,
            parts,
            fence,
        };
        let mut attempt = 0;
        loop {
            let error = match self.store.commit(&self.key, &commit) {
                Ok(revision) => {
                    let bytes = commit.parts.iter().flat_map(|(_, bytes)| bytes);
                    self.weight.add(bytes.map(Vec::len).sum());
                    self.cache.delta_saved();
                    self.revision = Some(revision);
                    return Ok(());
                }
                Err(error) => error,
            };
            attempt += 1;
            if error.kind != StoreErrorKind::Unavailable || attempt == REPEATED {
                return Err(error.into());
            }
            pause(4 * attempt)?;
        }
    }
}

/// Waits a little, the longer the more often it was tried: a random part of a time that doubles, so
/// that instances which met do not meet again.
fn pause(attempt: u32) -> Result<(), StoreError> {
    let most = 1_u128 << attempt.min(6);
    let ms = CommitId::random()?.0 % most;
    std::thread::sleep(Duration::from_millis(ms as u64));
    Ok(())
}
