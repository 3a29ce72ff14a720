//! Turns what an event touched into the changes that it answers, and remembers them.

use crate::cache::ResourceCache;
use crate::changes::{Changes, Outcome, Removed, Upsert, Warning};
use crate::ids::{ResourceId, Revision, RowKey};
use crate::metadata::Metadata;
use crate::resource::Resource;
use crate::row::{LISTED, Place, Row};
use crate::rows::RowRef;
use crate::state::State;

/// The changes that are remembered at least, however few rows there are.
const LOG_AT_LEAST: usize = 1_024;

/// What a reader sees of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Face<R> {
    pub(crate) id: ResourceId,
    pub(crate) place: Option<Place>,
    body: Option<R>,
    meta: Option<Metadata>,
    state: State,
}

impl<R: Resource> Face<R> {
    pub(crate) fn of(row: &Row<R>) -> Self {
        if !row.is_visible() {
            return Self::empty(row);
        }
        Self {
            id: row.id.clone(),
            place: row.place,
            body: row.body().cloned(),
            meta: row.metadata(),
            state: row.state(),
        }
    }

    pub(crate) fn empty(row: &Row<R>) -> Self {
        Self {
            id: row.id.clone(),
            place: None,
            body: None,
            meta: None,
            state: State::Gone,
        }
    }

    /// Whether a reader sees the same, wherever it stands.
    fn is_of(&self, row: RowRef<'_, R>) -> bool {
        self.place.is_some()
            && self.id == row.id()
            && self.body.as_ref() == row.body()
            && self.state == row.state()
            && self.meta == row.metadata()
    }
}

impl<R: Resource> ResourceCache<R> {
    /// Turns what was touched into changes, and remembers them.
    pub(crate) fn finish(&mut self, outcomes: Vec<Outcome>, warnings: Vec<Warning>) -> Changes {
        let (upserted, removed) = self.touched_rows();
        self.remember(&upserted, &removed, &outcomes);
        Changes {
            revision: self.revision,
            upserted,
            removed,
            outcomes,
            warnings,
        }
    }

    /// The touched rows that a reader sees otherwise than before, and those that it does not see any
    /// more.
    pub(crate) fn touched_rows(&mut self) -> (Vec<Upsert>, Vec<Removed>) {
        self.undo.clear();
        let mut removed = std::mem::take(&mut self.gone);
        let mut changed = Vec::with_capacity(self.told.len());
        for (key, slot) in std::mem::take(&mut self.told) {
            match self.rows.at(slot).filter(|row| row.key() == key) {
                Some(RowRef::Quiet(_, index)) => changed.push(((LISTED, i64::from(*index)), key)),
                _ => self.push_visible(&mut changed, key),
            }
        }
        for (key, old) in std::mem::take(&mut self.before) {
            match self.rows.get(key) {
                Some(row) if row.is_visible() && old.is_of(row) => {}
                Some(row) if row.is_visible() => self.push_visible(&mut changed, key),
                _ if old.place.is_some() => {
                    let id = self.rows.get(key).map_or(old.id, |row| row.id().into());
                    removed.push(Removed { key, id });
                }
                _ => {}
            }
        }
        for key in std::mem::take(&mut self.moved) {
            self.push_visible(&mut changed, key);
        }
        removed.sort_by_key(|r| r.key);
        (self.upserts(changed), removed)
    }

    fn push_visible(&self, changed: &mut Vec<(Place, RowKey)>, key: RowKey) {
        let row = self.rows.get(key).filter(|row| row.is_visible());
        changed.extend(row.and_then(RowRef::place).map(|place| (place, key)));
    }

    /// The rows in list order, each with the visible one before it.
    fn upserts(&self, mut changed: Vec<(Place, RowKey)>) -> Vec<Upsert> {
        // Mostly in order already: a stable sort finds the runs.
        changed.sort();
        changed.dedup();
        let upsert = |(place, key): (Place, RowKey)| {
            let slot = self.order.at(place)?;
            Some(Upsert {
                key,
                id: self.rows.at(slot)?.id().into(),
                after: self.visible_before(place),
            })
        };
        changed.into_iter().filter_map(upsert).collect()
    }

    /// The visible row before a place; mostly the next one is visible.
    fn visible_before(&self, place: Place) -> Option<RowKey> {
        let visible = |slot| self.rows.at(slot).filter(|row| row.is_visible());
        let next = self.order.at((place.0, place.1.wrapping_sub(1)));
        let row = next.and_then(visible);
        let row = row.or_else(|| self.order.before(place).find_map(visible));
        row.map(RowRef::key)
    }

    fn remember(&mut self, upserted: &[Upsert], removed: &[Removed], outcomes: &[Outcome]) {
        if upserted.is_empty() && removed.is_empty() && outcomes.is_empty() {
            return;
        }
        self.revision.0 += 1;
        self.note(upserted, removed);
        let told = outcomes.iter().map(|o| (self.revision, o.clone()));
        self.outcomes.extend(told);
        self.bound_outcomes(outcomes.len());
    }

    /// Notes the rows that changed at this revision.
    pub(crate) fn note(&mut self, upserted: &[Upsert], removed: &[Removed]) {
        let limit = (self.order.listed().len() / 4).max(LOG_AT_LEAST);
        let mut rows = Vec::with_capacity(upserted.len() + removed.len());
        rows.extend(upserted.iter().map(|u| (u.key, None)));
        rows.extend(removed.iter().map(|r| (r.key, Some(r.id.clone()))));
        let limit = limit.min(self.config.change_log);
        self.log.note(self.revision, rows.into_iter(), limit);
    }

    /// Lets the oldest outcomes go, after so many new ones.
    pub(crate) fn bound_outcomes(&mut self, new: usize) {
        let excess = self.outcomes.len().saturating_sub(self.config.outcome_log);
        let forgotten = self.outcomes.drain(..excess);
        if let Some(tracking) = &mut self.tracking {
            tracking.new_outcomes += new as u64;
            tracking.forgotten.extend(forgotten);
        }
    }

    /// What changed after `revision`, for a reader that saw the list then; `None` when that far
    /// back is no longer known, and the reader takes the whole view.
    pub fn changes_since(&self, revision: Revision) -> Option<Changes> {
        if revision > self.revision {
            return None;
        }
        let mut changed = Vec::new();
        let mut removed = Vec::new();
        for (key, id) in self.log.since(revision)? {
            match self.rows.get(key).filter(|row| row.is_visible()) {
                Some(row) => changed.extend(row.place().map(|place| (place, key))),
                None => removed.extend(id.map(|id| (key, id))),
            }
        }
        removed.reverse();
        removed.sort_by_key(|(key, _)| *key);
        removed.dedup_by_key(|(key, _)| *key);
        let first = self.outcomes.partition_point(|(r, _)| *r <= revision);
        let removed = removed.into_iter().map(|(key, id)| Removed {
            key,
            id: id.clone(),
        });
        Some(Changes {
            revision: self.revision,
            upserted: self.upserts(changed),
            removed: removed.collect(),
            outcomes: self
                .outcomes
                .range(first..)
                .map(|(_, o)| o.clone())
                .collect(),
            warnings: Vec::new(),
        })
    }
}
