//! What a reader of a watched collection is told.

use std::collections::HashSet;

use resourcecache::{
    Metadata, Outcome, Removed, Resource, ResourceCache, ResourceId, Revision, RowKey, Upsert,
};

/// What has changed in the visible list since the update before, however much that was: a reader
/// that was slow gets it in one.
///
/// A reader that holds the list as it was takes out every removed and every given row, then puts
/// each given row, in order, behind the one that [`Row::after`] names.
#[derive(Clone, Debug, PartialEq)]
pub struct Update<R> {
    /// The collection's revision with it.
    pub revision: Revision,
    /// Whether this is the whole list: the first update, and one to a reader that was so slow that
    /// what it has missed is no longer known.
    pub whole: bool,
    /// Rows that are new, other than before, or elsewhere; in list order.
    pub rows: Vec<Row<R>>,
    /// Rows that are no longer visible.
    pub removed: Vec<Removed>,
    /// How operations settled.
    pub outcomes: Vec<Outcome>,
}

/// One row of the visible list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<R> {
    /// Its key, which never changes.
    pub key: RowKey,
    /// The id of its resource now.
    pub id: ResourceId,
    /// The row before it; `None` at the head of the list.
    pub after: Option<RowKey>,
    /// The body as shown.
    pub body: R,
    /// What to tell the user of its operation.
    pub meta: Option<Metadata>,
}

impl<R: Resource> Update<R> {
    /// What a reader that was told everything up to `told` has not seen.
    pub(crate) fn since(cache: &ResourceCache<R>, told: Option<Revision>) -> Self {
        let changes = told.and_then(|told| cache.changes_since(told));
        let Some(changes) = changes else {
            return Self::whole(cache, told);
        };
        let row = |upsert: Upsert| {
            let item = cache.row(upsert.key)?;
            Some(Row {
                key: upsert.key,
                id: upsert.id,
                after: upsert.after,
                body: item.body().clone(),
                meta: item.meta(),
            })
        };
        Self {
            revision: changes.revision,
            whole: false,
            rows: changes.upserted.into_iter().filter_map(row).collect(),
            removed: changes.removed,
            outcomes: changes.outcomes,
        }
    }

    fn whole(cache: &ResourceCache<R>, told: Option<Revision>) -> Self {
        let mut after = None;
        let rows = cache.visible().map(|item| Row {
            key: item.key(),
            id: item.id().into(),
            after: after.replace(item.key()),
            body: item.body().clone(),
            meta: item.meta(),
        });
        Self {
            revision: cache.revision(),
            whole: true,
            rows: rows.collect(),
            removed: Vec::new(),
            // Those that are remembered: to a first reader they are news too.
            outcomes: told.map_or_else(Vec::new, |_| cache.outcomes().cloned().collect()),
        }
    }
}

/// A reader's copy of the visible list.
///
/// A row that changes costs a pass over the list: an interface that shows many rows keeps its own
/// places by [`Row::key`] instead.
#[derive(Clone, Debug)]
pub struct View<R> {
    rows: Vec<Row<R>>,
}

impl<R> Default for View<R> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<R> View<R> {
    /// Takes an update; each has to be taken, in order.
    pub fn apply(&mut self, update: Update<R>) {
        let touched: HashSet<RowKey> = update
            .rows
            .iter()
            .map(|row| row.key)
            .chain(update.removed.iter().map(|removed| removed.key))
            .collect();
        self.rows
            .retain(|row| !update.whole && !touched.contains(&row.key));
        // Most rows stand behind the one before them.
        let mut place = 0;
        for row in update.rows {
            let follows = place > 0 && row.after == Some(self.rows[place - 1].key);
            if !follows {
                let before = row.after;
                let before = before.and_then(|key| self.rows.iter().position(|r| r.key == key));
                place = before.map_or(0, |at| at + 1);
            }
            self.rows.insert(place, row);
            place += 1;
        }
    }

    /// The rows, in list order.
    pub fn rows(&self) -> &[Row<R>] {
        &self.rows
    }
}
