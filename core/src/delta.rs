//! What changed in the saved form since it was last saved.

use std::collections::BTreeMap;

use crate::cache::ResourceCache;
use crate::ids::RowKey;
use crate::operation::Operation;
use crate::ranks::{rank, rank_all};
use crate::resource::Resource;
use crate::row::{LISTED, Row};
use crate::rows::{RowRef, Slot};
use crate::saved::{Content, Marks, NOWHERE, Saved, SavedKey, SavedPlace};
use crate::tracking::Tracking;

/// What changed in the saved form of a collection since it was last saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta<R: Resource> {
    /// The parts that are new or other than before, and those that are gone (`None`).
    pub parts: Vec<(SavedKey, Option<Saved<R>>)>,
    /// Nothing but the time, and the number of events seen, has gone on: no harm comes of leaving it
    /// to the next delta.
    pub only_time: bool,
}

impl<R: Resource> Delta<R> {
    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

impl<R: Resource> ResourceCache<R> {
    /// What is not saved yet; empty where nothing is [tracked](Self::track_saved).
    ///
    /// When it was written, say so by [`delta_saved`](Self::delta_saved); when it could not be, take
    /// it back by [`revert_delta`](Self::revert_delta), or ask again later.
    ///
    /// ```
    /// use resourcecache::{Config, JsonCache, SavedKey, Timestamp, json::Schema};
    /// let mut zones = JsonCache::new(Config::default());
    /// zones.track_saved();
    /// let list = br#"[{"id":"a"},{"id":"b"},{"id":"c"}]"#;
    /// zones.merge_response(Schema::default().response(list), Timestamp(0))?;
    /// assert_eq!(zones.delta().parts.len(), 7); // bodies, places, and the head
    /// zones.delta_saved();
    ///
    /// zones.mark_as_deleting("b", None, Timestamp(1))?;
    /// let keys: Vec<SavedKey> = zones.delta().parts.into_iter().map(|(key, _)| key).collect();
    /// assert!(!keys.iter().any(|key| matches!(key, SavedKey::Body(_))), "{keys:?}");
    /// zones.revert_delta();
    /// assert!(zones.delta().is_empty());
    /// assert_eq!(zones.visible().count(), 3);
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    pub fn delta(&mut self) -> Delta<R> {
        let Some(mut tracking) = self.tracking.take() else {
            return Delta {
                parts: Vec::new(),
                only_time: true,
            };
        };
        self.rank_rows(&mut tracking);
        let new_ranks = tracking.new_ranks.iter();
        let new_ranks: BTreeMap<RowKey, i64> = new_ranks.map(|(_, k, rank)| (*k, *rank)).collect();
        let mut parts = Vec::new();
        for (key, old) in &tracking.rows {
            let old = old.as_ref().map(|old| &old.row);
            let slot = self.rows.slot(*key);
            let new = slot.and_then(|slot| self.rows.draft(slot, self.last_complete));
            let is_quiet = slot.and_then(|slot| self.rows.at(slot));
            let is_quiet = is_quiet.is_some_and(|row| matches!(row, RowRef::Quiet(..)));
            let moved = new_ranks.contains_key(key);
            let rank = slot.and_then(|slot| tracking.ranks.get(slot, *key));
            let rank = new_ranks.get(key).copied().or(rank);
            let place = new.as_ref().map(|new| saved_place(new, rank));
            self.row_parts(*key, old, new.as_ref(), &mut parts);
            match (old, place) {
                (Some(old), Some(place)) => {
                    let same = !moved
                        && zone_place(old) == new.as_ref().and_then(zone_place)
                        && self.same_time(old, place.taken, is_quiet);
                    if !same {
                        parts.push((SavedKey::Place(*key), Some(Saved(Content::Place(place)))));
                    }
                }
                (None, Some(place)) => {
                    parts.push((SavedKey::Place(*key), Some(Saved(Content::Place(place)))));
                }
                (Some(_), None) => parts.push((SavedKey::Place(*key), None)),
                (None, None) => {}
            }
        }
        // Rows that moved and are the same else.
        for (slot, key, rank) in &tracking.new_ranks {
            if tracking.rows.contains_key(key) {
                continue;
            }
            if let Some(row) = self.rows.draft(*slot, self.last_complete) {
                let place = saved_place(&row, Some(*rank));
                parts.push((SavedKey::Place(*key), Some(Saved(Content::Place(place)))));
            }
        }
        self.other_parts(&tracking, &mut parts);
        let quiet = parts.is_empty();
        self.tracking = Some(tracking);
        let head = self.head();
        let saved = self.tracking.as_ref().and_then(|t| t.head);
        let before = self.tracking.as_ref().map_or(head, |t| t.saved_head());
        if saved != Some(head) {
            parts.push((SavedKey::Head, Some(Saved(Content::Head(head)))));
        }
        Delta {
            parts,
            only_time: quiet && before.is_but_earlier_than(&head),
        }
    }

    /// What [`delta`](Self::delta) gave last is saved, and nothing has happened since.
    pub fn delta_saved(&mut self) {
        let head = self.head();
        let Some(tracking) = &mut self.tracking else {
            return;
        };
        for (slot, key, rank) in std::mem::take(&mut tracking.new_ranks) {
            tracking.ranks.set(slot, key, rank);
        }
        tracking.rows.clear();
        tracking.dropped.clear();
        let next = tracking.next_outcome();
        tracking.outcomes = (next - self.outcomes.len() as u64, next);
        tracking.new_outcomes = 0;
        tracking.forgotten.clear();
        if tracking.history != self.history {
            tracking.history.clone_from(&self.history);
        }
        tracking.head = Some(head);
        tracking.relisted = false;
    }

    /// The parts of a row that differ, but its place.
    fn row_parts(
        &self,
        key: RowKey,
        old: Option<&Row<R>>,
        new: Option<&Row<R>>,
        parts: &mut Vec<(SavedKey, Option<Saved<R>>)>,
    ) {
        let base = |row: Option<&Row<R>>| row.and_then(|row| row.base.clone());
        let (was, is) = (base(old), base(new));
        if was != is {
            parts.push((SavedKey::Body(key), is.map(Saved::of_body)));
        }
        let marks = |row: Option<&Row<R>>| row.and_then(Marks::of);
        let (was, is) = (marks(old), marks(new));
        if was != is {
            let is = is.map(|marks| Saved(Content::Marks(Box::new(marks))));
            parts.push((SavedKey::Marks(key), is));
        }
        let operations = |row: Option<&Row<R>>| -> Vec<Operation<R>> {
            row.map_or(Vec::new(), |row| row.operations.clone())
        };
        let (was, is) = (operations(old), operations(new));
        for operation in &was {
            if !self.by_operation.contains_key(&operation.id) {
                parts.push((SavedKey::Operation(operation.id), None));
            }
        }
        for operation in is {
            if !was.contains(&operation) {
                let saved = Saved(Content::Operation(Box::new(operation.clone())));
                parts.push((SavedKey::Operation(operation.id), Some(saved)));
            }
        }
    }

    /// Whether a row that was observed at `taken` need not be written for it.
    fn same_time(&self, old: &Row<R>, taken: u64, is_quiet: bool) -> bool {
        let was_quiet = Marks::of(old).is_none();
        if is_quiet && was_quiet {
            // Both were seen by the newest complete snapshot, or later.
            old.taken.max(self.last_complete) == taken.max(self.last_complete)
        } else {
            was_quiet == is_quiet && old.taken == taken
        }
    }

    fn other_parts(&self, tracking: &Tracking<R>, parts: &mut Vec<(SavedKey, Option<Saved<R>>)>) {
        for (id, old) in &tracking.dropped {
            let new = self.dropped.by_id.get(id.as_str());
            if new != old.as_ref() {
                let new = new.map(|at| Saved(Content::Dropped(*at)));
                parts.push((SavedKey::Dropped(id.clone()), new));
            }
        }
        let (first, saved) = tracking.outcomes;
        let next = tracking.next_outcome();
        let new_first = next - self.outcomes.len() as u64;
        for gone in first..new_first.min(saved) {
            parts.push((SavedKey::Outcome(gone), None));
        }
        for ((revision, outcome), number) in self.outcomes.iter().zip(new_first..) {
            if number >= saved {
                let new = Saved(Content::Outcome(*revision, outcome.clone()));
                parts.push((SavedKey::Outcome(number), Some(new)));
            }
        }
        let (old, new) = (tracking.history.steps(), self.history.steps());
        for serial in old.keys().filter(|serial| !new.contains_key(serial)) {
            parts.push((SavedKey::Step(*serial), None));
        }
        for (serial, step) in new {
            if old.get(serial) != Some(step) {
                let step = Saved(Content::Step(step.clone()));
                parts.push((SavedKey::Step(*serial), Some(step)));
            }
        }
    }

    /// Gives the rows of the list that are new in it, or moved, their ranks.
    fn rank_rows(&self, tracking: &mut Tracking<R>) {
        let listed: Vec<Slot>;
        let low;
        tracking.new_ranks.clear();
        if tracking.relisted {
            (listed, low) = (self.order.packed(), None);
        } else {
            let Some(from) = self.first_touched(tracking) else {
                return;
            };
            let behind = self.order.listed().get(from..).unwrap_or_default();
            let behind = behind.iter().filter(|slot| self.rows.at(**slot).is_some());
            listed = behind.copied().collect();
            let before = self.order.before((LISTED, from as i64)).next();
            low = before.and_then(|slot| self.saved_rank(tracking, slot));
        }
        let old = |slot: &Slot| self.saved_rank(tracking, *slot);
        let old: Vec<Option<i64>> = listed.iter().map(old).collect();
        let mut new = old.clone();
        let mut listed = listed;
        if !rank(&mut new, low) {
            listed = self.order.packed();
            new = vec![None; listed.len()];
            rank_all(&mut new);
        }
        for (slot, rank) in listed.into_iter().zip(new) {
            let key = self.rows.at(slot).map(RowRef::key);
            if let (Some(key), Some(rank)) = (key, rank) {
                if tracking.ranks.get(slot, key) != Some(rank) {
                    tracking.new_ranks.push((slot, key, rank));
                }
            }
        }
    }

    fn saved_rank(&self, tracking: &Tracking<R>, slot: Slot) -> Option<i64> {
        let row = self.rows.at(slot)?;
        tracking.ranks.get(slot, row.key())
    }

    /// The first place in the list of a row that was touched and is not known to have been there.
    fn first_touched(&self, tracking: &Tracking<R>) -> Option<usize> {
        let new = tracking.rows.iter().filter_map(|(key, old)| {
            let slot = self.rows.slot(*key)?;
            let index = self.rows.at(slot)?.listed_index()?;
            let old = old.as_ref().and_then(|old| old.row.place);
            let stayed =
                old == Some((LISTED, index as i64)) && tracking.ranks.get(slot, *key).is_some();
            (!stayed).then_some(index)
        });
        new.min()
    }
}

/// The place of a row that is not in the server's list.
fn zone_place<R: Resource>(row: &Row<R>) -> Option<(u8, i64)> {
    row.place
        .map(|(zone, at)| (zone, if zone == LISTED { 0 } else { at }))
}

fn saved_place<R: Resource>(row: &Row<R>, rank: Option<i64>) -> SavedPlace {
    let (zone, at) = match row.place {
        Some((LISTED, _)) => (LISTED, rank.unwrap_or(0)),
        Some(place) => place,
        None => (NOWHERE, 0),
    };
    SavedPlace {
        zone,
        at,
        taken: row.taken,
    }
}
