//! Which rows changed at which revision, for readers that come back later.

use std::collections::VecDeque;

use crate::ids::{ResourceId, Revision, RowKey};

#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// The rows that changed; of those that went, their last id.
    entries: VecDeque<(Revision, RowKey, Option<ResourceId>)>,
    /// Changes up to this revision are no longer known.
    floor: Revision,
}

impl Log {
    /// One that knows nothing of what was until `revision`.
    pub(crate) fn from(revision: Revision) -> Self {
        Self {
            entries: VecDeque::new(),
            floor: revision,
        }
    }

    /// Notes the rows of one revision; forgets the oldest beyond `limit`.
    pub(crate) fn note(
        &mut self,
        revision: Revision,
        rows: impl ExactSizeIterator<Item = (RowKey, Option<ResourceId>)>,
        limit: usize,
    ) {
        if rows.len() > limit {
            // More than is kept: no reader can come back to before.
            *self = Self::from(revision);
            return;
        }
        self.entries
            .extend(rows.map(|(key, id)| (revision, key, id)));
        while self.entries.len() > limit {
            if let Some((old, _, _)) = self.entries.pop_front() {
                self.floor = old;
            }
        }
    }

    /// What changed after `revision`, the oldest first; `None` when that far back is forgotten.
    pub(crate) fn since(
        &self,
        revision: Revision,
    ) -> Option<impl Iterator<Item = (RowKey, Option<&ResourceId>)>> {
        if revision < self.floor {
            return None;
        }
        let start = self.entries.partition_point(|(r, _, _)| *r <= revision);
        let rows = self.entries.range(start..);
        Some(rows.map(|(_, key, id)| (*key, id.as_ref())))
    }
}
