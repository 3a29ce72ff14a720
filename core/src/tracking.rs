//! What is not saved yet: rows and the rest as they were when the collection was last saved.
//!
//! Whatever changes something of the saved form says so here first. What has changed is then found
//! by comparing, and can be taken back.

use std::collections::BTreeMap;

use crate::cache::ResourceCache;
use crate::changes::Outcome;
use crate::dropped::At;
use crate::history::History;
use crate::ids::{ResourceId, Revision, RowKey};
use crate::ranks::Ranks;
use crate::resource::Resource;
use crate::row::Row;
use crate::rows::Slot;
use crate::saved::Head;

/// A row, and its saved rank in the server's list.
#[derive(Clone, Debug)]
pub(crate) struct Ranked<R: Resource> {
    pub(crate) row: Row<R>,
    pub(crate) rank: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tracking<R: Resource> {
    /// The rows that were touched since, as they were; `None` for new ones.
    pub(crate) rows: BTreeMap<RowKey, Option<Box<Ranked<R>>>>,
    /// The ids that were dropped or purged since, as they were.
    pub(crate) dropped: BTreeMap<ResourceId, Option<At>>,
    /// The number of the first outcome, and of the next, when last saved.
    pub(crate) outcomes: (u64, u64),
    pub(crate) new_outcomes: u64,
    /// The oldest outcomes, let go since.
    pub(crate) forgotten: Vec<(Revision, Outcome)>,
    pub(crate) history: History<R>,
    /// `None` until it was saved for the first time.
    pub(crate) head: Option<Head>,
    initial: Head,
    /// Whether the order of the list may have changed.
    pub(crate) relisted: bool,
    pub(crate) ranks: Ranks,
    /// Ranks of a delta that is not saved yet.
    pub(crate) new_ranks: Vec<(Slot, RowKey, i64)>,
}

impl<R: Resource> Tracking<R> {
    /// As nothing was saved yet of a collection that was empty then.
    pub(crate) fn new(initial: Head) -> Self {
        Self {
            rows: BTreeMap::new(),
            dropped: BTreeMap::new(),
            outcomes: (0, 0),
            new_outcomes: 0,
            forgotten: Vec::new(),
            history: History::default(),
            head: None,
            initial,
            relisted: false,
            ranks: Ranks::default(),
            new_ranks: Vec::new(),
        }
    }

    /// A row that is kept in this slot is about to change, or to go.
    #[inline]
    pub(crate) fn row(&mut self, slot: Slot, key: RowKey, was: impl FnOnce() -> Option<Row<R>>) {
        let ranks = &self.ranks;
        self.rows.entry(key).or_insert_with(|| {
            let rank = ranks.get(slot, key);
            was().map(|row| Box::new(Ranked { row, rank }))
        });
    }

    /// A row is about to be made.
    #[inline]
    pub(crate) fn new_row(&mut self, key: RowKey) {
        self.rows.entry(key).or_insert(None);
    }

    /// The head as it was last saved; that of an empty collection before.
    pub(crate) fn saved_head(&self) -> Head {
        self.head.unwrap_or(self.initial)
    }

    pub(crate) fn next_outcome(&self) -> u64 {
        self.outcomes.1 + self.new_outcomes
    }
}

impl<R: Resource> ResourceCache<R> {
    /// The row in this slot is about to change.
    #[inline]
    pub(crate) fn track(&mut self, slot: Slot) {
        let Some(tracking) = &mut self.tracking else {
            return;
        };
        if let Some(row) = self.rows.at(slot) {
            let (rows, floor) = (&self.rows, tracking.saved_head().last_complete);
            tracking.row(slot, row.key(), || rows.draft(slot, floor));
        }
    }

    /// From now on it is noted what is not saved yet: all of it, at first.
    pub fn track_saved(&mut self) {
        if self.tracking.is_some() {
            return;
        }
        let empty = Self::new((*self.config).clone()).head();
        let mut tracking = Tracking::new(empty);
        tracking.rows = self.rows.all().map(|row| (row.key(), None)).collect();
        let ids = self.dropped.by_id.keys();
        tracking.dropped = ids.map(|id| (id.clone(), None)).collect();
        tracking.new_outcomes = self.outcomes.len() as u64;
        tracking.relisted = true;
        self.tracking = Some(Box::new(tracking));
    }
}
