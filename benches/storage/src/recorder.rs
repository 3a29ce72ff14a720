//! The commits of the events that are timed, taken down before.

use std::sync::{Arc, PoisonError};

use resourcecache_storage::{Commit, MemoryStore};

use crate::Outcome;
use crate::collection::{mark, seeded};
use crate::support::Counting;

/// The commits of the first events on a collection of `n`.
pub(crate) fn recorded(n: usize, events: usize) -> Outcome<Vec<Commit>> {
    let store = Counting::new(Arc::new(MemoryStore::new()));
    let mut cache = seeded(store.clone(), n)?;
    let mut commits = Vec::with_capacity(events);
    for turn in 0..events {
        mark(&mut cache, n, turn)?;
        let last = store
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        commits.push(last.ok_or("an event that commits nothing is timed")?);
    }
    Ok(commits)
}
