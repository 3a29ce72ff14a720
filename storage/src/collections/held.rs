//! Which collections memory holds, and in which order they were used.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use resourcecache::{Stored, Timestamp};

use super::Limits;
use crate::stored_cache::{Size, StoredCache};

/// A collection, or the place for one that is being read.
pub(super) type Cell<R> = Arc<Mutex<Option<StoredCache<R>>>>;

/// What is known of a collection without waiting for who uses it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    pub(super) size: Size,
    pub(super) unsent: bool,
    pub(super) due: Option<Timestamp>,
    /// Whether it is there; it is not when it could not be read.
    pub(super) is_open: bool,
}

struct Entry<R: Stored> {
    cell: Cell<R>,
    state: State,
    used_at: Timestamp,
    /// Its place in the order of use.
    used: u64,
    /// How many threads use it, or wait to.
    users: usize,
}

pub(super) struct Held<R: Stored> {
    entries: HashMap<Arc<str>, Entry<R>>,
    /// Those that may be dropped, in the order in which they were used.
    droppable: BTreeMap<u64, Arc<str>>,
    /// Those in which something will be due.
    deadlines: BTreeSet<(Timestamp, Arc<str>)>,
    size: Size,
    /// The latest time that was given; a step back counts as none passed (T1).
    clock: Timestamp,
    uses: u64,
}

impl<R: Stored> Held<R> {
    pub(super) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            droppable: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            size: Size::default(),
            clock: Timestamp(i64::MIN),
            uses: 0,
        }
    }

    /// Somebody begins to use a collection.
    pub(super) fn enter(&mut self, key: &str, now: Timestamp) -> Cell<R> {
        self.clock = self.clock.max(now);
        self.uses += 1;
        let entry = match self.entries.get_mut(key) {
            Some(entry) => entry,
            None => self.entries.entry(key.into()).or_insert(Entry {
                cell: Cell::default(),
                state: State::default(),
                used_at: self.clock,
                used: self.uses,
                users: 0,
            }),
        };
        self.droppable.remove(&entry.used);
        (entry.used_at, entry.used) = (self.clock, self.uses);
        entry.users += 1;
        Arc::clone(&entry.cell)
    }

    /// And has ended, leaving it so.
    pub(super) fn leave(&mut self, key: &str, state: State) {
        let Some((name, entry)) = self.entries.get_key_value(key) else {
            return;
        };
        let (name, old) = (Arc::clone(name), entry.state);
        self.note(&name, old, state);
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        entry.state = state;
        entry.users -= 1;
        if entry.users > 0 {
            return;
        }
        if !state.is_open {
            self.entries.remove(key);
        } else if !state.unsent {
            self.droppable.insert(entry.used, name);
        }
    }

    /// Counts a collection as it is now.
    fn note(&mut self, name: &Arc<str>, old: State, new: State) {
        let Size { resources, bytes } = &mut self.size;
        *resources = *resources - old.size.resources + new.size.resources;
        *bytes = *bytes - old.size.bytes + new.size.bytes;
        if old.due != new.due {
            if let Some(at) = old.due {
                self.deadlines.remove(&(at, Arc::clone(name)));
            }
            if let Some(at) = new.due {
                self.deadlines.insert((at, Arc::clone(name)));
            }
        }
    }

    /// Takes out what is beyond the limits, and what was not used for too long; to be dropped when
    /// this is not locked any more.
    pub(super) fn evict(&mut self, limits: &Limits, now: Timestamp) -> Vec<Cell<R>> {
        self.clock = self.clock.max(now);
        let mut dropped = Vec::new();
        while let Some((used, name)) = self.droppable.first_key_value() {
            let Some(entry) = self.entries.get(name) else {
                self.droppable.pop_first();
                continue;
            };
            let unused = self.clock.0.saturating_sub(entry.used_at.0);
            let is_old = u64::try_from(unused).unwrap_or(0) >= limits.age_ms;
            let is_much = self.size.bytes > limits.bytes
                || self.size.resources > limits.resources
                || self.entries.len() > limits.collections;
            if !is_old && (!is_much || *used == self.uses) {
                break;
            }
            let (name, state) = (Arc::clone(name), entry.state);
            self.droppable.pop_first();
            self.note(&name, state, State::default());
            dropped.extend(self.entries.remove(&name).map(|entry| entry.cell));
        }
        dropped
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn holds(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn unsent(&self) -> Vec<String> {
        let unsent = self.entries.iter().filter(|(_, entry)| entry.state.unsent);
        let mut keys: Vec<String> = unsent.map(|(name, _)| name.to_string()).collect();
        keys.sort();
        keys
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<String> {
        let due = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        let mut keys: Vec<String> = due.map(|(_, name)| name.to_string()).collect();
        keys.sort();
        keys
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.deadlines.iter().next().map(|(at, _)| *at)
    }
}
