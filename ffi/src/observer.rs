//! Who is told of changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::HostError;

/// Told of every change of a cache. It is called by the thread that made the change, after the lock
/// was released, so that it may call the cache; it is given the revision alone, and asks
/// `changes_since` for the rest. What it throws is ignored.
#[uniffi::export(foreign)]
pub trait ChangeObserver: Send + Sync {
    /// The collection now has this revision. With several threads, a later one may be told first.
    fn changed(&self, revision: u64) -> Result<(), HostError>;
}

/// The observers of one cache.
#[derive(Default)]
pub(crate) struct Observers {
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    last: u64,
    all: Vec<(u64, Arc<dyn ChangeObserver>)>,
}

impl Observers {
    pub(crate) fn add(&self, observer: Arc<dyn ChangeObserver>) -> u64 {
        // No code of others runs while it is locked.
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.last += 1;
        let number = list.last;
        list.all.push((number, observer));
        number
    }

    pub(crate) fn remove(&self, number: u64) -> bool {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let place = list.all.iter().position(|(n, _)| *n == number);
        let removed = place.map(|place| list.all.remove(place));
        drop(list);
        // Dropped unlocked: it is the host's.
        removed.is_some()
    }

    /// Tells all of them, whatever each makes of it.
    pub(crate) fn tell(&self, revision: u64) {
        let all = {
            let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
            if list.all.is_empty() {
                return;
            }
            list.all.clone()
        };
        for (_, observer) in all {
            let _ = catch_unwind(AssertUnwindSafe(|| observer.changed(revision)));
        }
    }
}
