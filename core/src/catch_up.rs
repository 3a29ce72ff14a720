//! Brings a collection that is in memory to what another instance has saved, or back to what was
//! saved.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::ResourceCache;
use crate::changes::Changes;
use crate::error::Error;
use crate::history::History;
use crate::ids::{OperationId, RowKey};
use crate::loader::{assemble, check_head, check_row, damaged, outcome_numbers};
use crate::log::Log;
use crate::operation::Operation;
use crate::ranks::Ranks;
use crate::resource::Resource;
use crate::row::{LISTED, Place, Row};
use crate::rows::{RowRef, Slot};
use crate::saved::{Content, Head, Marks, NOWHERE, Saved, SavedKey, SavedPlace};
use crate::tell::Face;
use crate::tracking::{Ranked, Tracking};

/// The rows to be replaced; `None` for those that are to go.
type NewRows<R> = Vec<(RowKey, Option<Ranked<R>>)>;

/// The changed parts of one row.
struct RowParts<R: Resource> {
    body: Option<Option<R>>,
    place: Option<Option<SavedPlace>>,
    marks: Option<Option<Marks<R>>>,
}

impl<R: Resource> ResourceCache<R> {
    /// Takes back what was not saved: all is as it was when [`delta_saved`](Self::delta_saved) was
    /// last said, or when the collection was loaded. Changes of it that readers know of are told
    /// once more.
    pub fn revert_delta(&mut self) {
        let Some(mut tracking) = self.tracking.take() else {
            return;
        };
        let rows = std::mem::take(&mut tracking.rows);
        let rows: NewRows<R> = rows
            .into_iter()
            .map(|(k, old)| (k, old.map(|o| *o)))
            .collect();
        let listed_at = |place: Option<Place>| place.filter(|place| place.0 == LISTED);
        let moved = rows.iter().any(|(key, old)| {
            let now = self.rows.get(*key).and_then(RowRef::place);
            listed_at(now) != listed_at(old.as_ref().and_then(|old| old.row.place))
        });
        let relisted = std::mem::take(&mut tracking.relisted) || moved;
        tracking.new_ranks.clear();
        self.replace_rows(&mut tracking.ranks, rows, relisted);
        for (id, at) in std::mem::take(&mut tracking.dropped) {
            self.dropped.set(id, at);
        }
        self.revert_outcomes(&mut tracking);
        if self.history != tracking.history {
            self.history.clone_from(&tracking.history);
        }
        let (upserted, removed) = self.touched_rows();
        self.note(&upserted, &removed);
        self.set_head(&tracking.saved_head());
        self.tracking = Some(tracking);
        self.tidy(upserted.len());
    }

    fn revert_outcomes(&mut self, tracking: &mut Tracking<R>) {
        let (first, next) = tracking.outcomes;
        let new = usize::try_from(tracking.new_outcomes).unwrap_or(usize::MAX);
        let kept = self.outcomes.len().saturating_sub(new);
        self.outcomes.truncate(kept);
        tracking.new_outcomes = 0;
        let forgotten = std::mem::take(&mut tracking.forgotten);
        let saved = usize::try_from(next - first).unwrap_or(usize::MAX);
        for outcome in forgotten.into_iter().take(saved).rev() {
            self.outcomes.push_front(outcome);
        }
    }

    /// Takes what another instance has saved since, and answers what has changed for readers. What
    /// was not saved here is taken back first. Afterwards all is as if it had been loaded anew.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for parts that do not follow on what is here; nothing but what was not
    /// saved has changed then: load anew.
    pub fn catch_up(
        &mut self,
        parts: impl IntoIterator<Item = (SavedKey, Option<Saved<R>>)>,
    ) -> Result<Changes, Error> {
        self.revert_delta();
        let mut rows: BTreeMap<RowKey, RowParts<R>> = BTreeMap::new();
        let mut operations: BTreeMap<OperationId, Option<Operation<R>>> = BTreeMap::new();
        let (mut outcomes, mut steps, mut dropped) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let mut new_head = None;
        for (key, part) in parts {
            let content = part.map(|part| part.0);
            match (key, content) {
                (SavedKey::Head, Some(Content::Head(head))) => new_head = Some(head),
                (SavedKey::Body(key), None) => of(&mut rows, key).body = Some(None),
                (SavedKey::Body(key), Some(Content::Body(b))) => {
                    of(&mut rows, key).body = Some(Some(b));
                }
                (SavedKey::Place(key), None) => of(&mut rows, key).place = Some(None),
                (SavedKey::Place(key), Some(Content::Place(p))) => {
                    of(&mut rows, key).place = Some(Some(p));
                }
                (SavedKey::Marks(key), None) => of(&mut rows, key).marks = Some(None),
                (SavedKey::Marks(key), Some(Content::Marks(m))) => {
                    of(&mut rows, key).marks = Some(Some(*m));
                }
                (SavedKey::Operation(id), None) => drop(operations.insert(id, None)),
                (SavedKey::Operation(id), Some(Content::Operation(o))) => {
                    operations.insert(id, Some(*o));
                }
                (SavedKey::Dropped(id), None) => dropped.push((id, None)),
                (SavedKey::Dropped(id), Some(Content::Dropped(at))) => dropped.push((id, Some(at))),
                (SavedKey::Outcome(n), None) => drop(outcomes.insert(n, None)),
                (SavedKey::Outcome(n), Some(Content::Outcome(revision, outcome))) => {
                    outcomes.insert(n, Some((revision, outcome)));
                }
                (SavedKey::Step(serial), None) => drop(steps.insert(serial, None)),
                (SavedKey::Step(serial), Some(Content::Step(s))) => {
                    steps.insert(serial, Some(s));
                }
                (key, _) => {
                    return Err(damaged(format!("{key:?}"), "is another part than it says"));
                }
            }
        }
        let Some(mut tracking) = self.tracking.take() else {
            return Err(Error::bad_input(
                "catch up",
                "the collection is not tracked",
            ));
        };
        let head = new_head.unwrap_or_else(|| tracking.saved_head());
        let caught_up = self.new_rows(&tracking, rows, operations, &head);
        let caught_up = caught_up.and_then(|rows| {
            let mut all: BTreeMap<u64, _> =
                (tracking.outcomes.0..).zip(self.outcomes.clone()).collect();
            for (number, outcome) in outcomes {
                match outcome {
                    Some(outcome) => drop(all.insert(number, outcome)),
                    None => drop(all.remove(&number)),
                }
            }
            Ok((rows, outcome_numbers(&all, &head)?, all))
        });
        let (rows, numbers, all) = match caught_up {
            Ok(caught_up) => caught_up,
            Err(error) => {
                self.tracking = Some(tracking);
                return Err(error);
            }
        };
        let before = tracking.outcomes.1;
        let told = all
            .range(before..)
            .map(|(_, (_, outcome))| outcome.clone())
            .collect();
        self.outcomes = all.into_values().collect();
        tracking.outcomes = numbers;
        for (id, at) in dropped {
            self.dropped.set(id, at);
        }
        if !steps.is_empty() || head.next_step != self.history.next() {
            let mut all = self.history.steps().clone();
            for (serial, step) in steps {
                match step {
                    Some(step) => drop(all.insert(serial, step)),
                    None => drop(all.remove(&serial)),
                }
            }
            self.history = History::of(all, head.next_step);
            tracking.history.clone_from(&self.history);
        }
        Ok(self.arrive(tracking, rows, head, told))
    }

    /// The same as [`catch_up`](Self::catch_up), where all that is saved was loaded anew.
    pub fn catch_up_with(&mut self, loaded: Self) -> Changes {
        self.revert_delta();
        let (Some(mut tracking), Some(theirs)) = (self.tracking.take(), &loaded.tracking) else {
            return Changes::default();
        };
        let keys = |cache: &Self| cache.rows.all().map(RowRef::key).collect::<BTreeSet<_>>();
        let keys: Vec<RowKey> = keys(self).union(&keys(&loaded)).copied().collect();
        let whole = |cache: &Self, ranks: &Ranks, key| {
            let slot = cache.rows.slot(key)?;
            let row = cache.rows.draft(slot, cache.last_complete)?;
            Some(Ranked {
                row,
                rank: ranks.get(slot, key),
            })
        };
        let mut rows = Vec::new();
        for key in keys {
            let (ours, new) = (
                whole(self, &tracking.ranks, key),
                whole(&loaded, &theirs.ranks, key),
            );
            let listed = |r: &Ranked<R>| (r.row.place.map(|p| p.0), r.rank);
            let same = match (&ours, &new) {
                (Some(ours), Some(new)) => {
                    let mut moved = new.row.clone();
                    if listed(ours) == listed(new) && moved.place.is_some_and(|p| p.0 == LISTED) {
                        moved.place = ours.row.place;
                    }
                    listed(ours) == listed(new) && moved == ours.row
                }
                _ => false,
            };
            if !same {
                rows.push((key, new));
            }
        }
        let before = tracking.outcomes.1;
        tracking.outcomes = theirs.outcomes;
        let skip = usize::try_from(before.saturating_sub(theirs.outcomes.0)).unwrap_or(usize::MAX);
        let told = loaded
            .outcomes
            .iter()
            .skip(skip)
            .map(|(_, o)| o.clone())
            .collect();
        self.outcomes.clone_from(&loaded.outcomes);
        self.dropped.clone_from(&loaded.dropped);
        self.history.clone_from(&loaded.history);
        tracking.history.clone_from(&loaded.history);
        let head = theirs.saved_head();
        self.arrive(tracking, rows, head, told)
    }

    /// Puts the rows in, and takes the head.
    fn arrive(
        &mut self,
        mut tracking: Box<Tracking<R>>,
        rows: NewRows<R>,
        head: Head,
        outcomes: Vec<crate::changes::Outcome>,
    ) -> Changes {
        self.replace_rows(&mut tracking.ranks, rows, false);
        let moved = self.moved.len();
        let (upserted, removed) = self.touched_rows();
        let later = head.revision >= self.revision;
        self.set_head(&head);
        if later {
            self.note(&upserted, &removed);
        } else {
            self.log = Log::from(head.revision);
        }
        tracking.head = Some(head);
        self.tracking = Some(tracking);
        self.tidy(moved);
        Changes {
            revision: self.revision,
            upserted,
            removed,
            outcomes,
            warnings: Vec::new(),
        }
    }

    /// The rows that changed parts lead to.
    fn new_rows(
        &self,
        tracking: &Tracking<R>,
        mut parts: BTreeMap<RowKey, RowParts<R>>,
        mut operations: BTreeMap<OperationId, Option<Operation<R>>>,
        head: &Head,
    ) -> Result<NewRows<R>, Error> {
        check_head(head)?;
        for id in operations.keys() {
            if let Some(key) = self.by_operation.get(id) {
                of(&mut parts, *key);
            }
        }
        let mut rows = Vec::with_capacity(parts.len());
        for (key, parts) in parts {
            rows.push((
                key,
                self.new_row(tracking, key, parts, &mut operations, head)?,
            ));
        }
        if operations.values().any(Option::is_some) {
            return Err(damaged(
                "saved state",
                "has an operation whose row is missing",
            ));
        }
        Ok(rows)
    }

    fn new_row(
        &self,
        tracking: &Tracking<R>,
        key: RowKey,
        parts: RowParts<R>,
        operations: &mut BTreeMap<OperationId, Option<Operation<R>>>,
        head: &Head,
    ) -> Result<Option<Ranked<R>>, Error> {
        let slot = self.rows.slot(key);
        let old = slot.and_then(|slot| self.rows.draft(slot, self.last_complete));
        let rank = slot.and_then(|slot| tracking.ranks.get(slot, key));
        let old_place = old.as_ref().map(|row| SavedPlace {
            zone: row.place.map_or(NOWHERE, |place| place.0),
            at: match row.place {
                Some((LISTED, _)) => rank.unwrap_or(0),
                place => place.map_or(0, |place| place.1),
            },
            taken: row.taken,
        });
        let old_marks = old.as_ref().and_then(Marks::of);
        let base = parts
            .body
            .unwrap_or_else(|| old.as_ref().and_then(|row| row.base.clone()));
        let marks = parts.marks.unwrap_or(old_marks);
        let Some(place) = parts.place.unwrap_or(old_place) else {
            let left = base.is_some() || marks.is_some();
            let problem = || damaged(format!("row {key}"), "has no place");
            return if left { Err(problem()) } else { Ok(None) };
        };
        let marks = match (marks, &base) {
            (Some(marks), _) => marks,
            (None, Some(base)) => Marks {
                id: base.id().into(),
                aliases: Vec::new(),
                last: None,
                operations: Vec::new(),
            },
            (None, None) => return Err(damaged(format!("row {key}"), "has no body")),
        };
        let operation = |id: &OperationId| match operations.remove(id) {
            Some(new) => new,
            None => {
                let row = self.rows.get(*self.by_operation.get(id)?)?;
                row.operations().iter().find(|o| o.id == *id).cloned()
            }
        };
        let row = assemble(key, marks, base, place, operation)?;
        check_row(&row, head)?;
        let rank = (place.zone == LISTED).then_some(place.at);
        Ok(Some(Ranked { row, rank }))
    }

    /// Puts rows in the place of what is there, in the order of their ranks. `resort`: others may not
    /// be in that order.
    fn replace_rows(&mut self, ranks: &mut Ranks, rows: NewRows<R>, resort: bool) {
        let mut resort = resort;
        let old_len = self.order.listed().len();
        let (mut stay, mut come) = (Vec::new(), Vec::new());
        for (key, new) in rows {
            let slot = self.rows.slot(key);
            let old_rank = slot.and_then(|slot| ranks.get(slot, key));
            let old_place = self.unlist(key).and_then(|old| old.place);
            let Some(Ranked { mut row, rank }) = new else {
                continue;
            };
            let (was, is) = (old_place.map(|p| p.0), row.place.map(|p| p.0));
            if is == Some(LISTED) && (was != is || old_rank != rank) {
                come.push((row, rank));
            } else {
                if is == Some(LISTED) {
                    row.place = old_place;
                }
                stay.push((row, rank));
            }
        }
        resort |= !come.is_empty();
        for (row, rank) in stay {
            self.replace_row(ranks, row, rank);
        }
        for (mut row, rank) in come {
            row.place = Some(self.order.next_listed());
            self.replace_row(ranks, row, rank);
        }
        let listed = resort.then(|| self.by_rank(ranks));
        self.reorder(listed, old_len);
    }

    fn replace_row(&mut self, ranks: &mut Ranks, mut row: Row<R>, rank: Option<i64>) {
        let key = row.key;
        row.refresh(&self.config);
        let face = || Face::empty(&row);
        self.before.entry(key).or_insert_with(face);
        self.strewn += 1;
        self.insert(row);
        if let (Some(slot), Some(rank)) = (self.rows.slot(key), rank) {
            ranks.set(slot, key, rank);
        }
    }

    /// The list in the order of its saved ranks.
    fn by_rank(&self, ranks: &Ranks) -> Vec<Slot> {
        let rank = |slot: &Slot| {
            let row = self.rows.at(*slot);
            row.and_then(|row| ranks.get(*slot, row.key()))
        };
        let listed = self.order.packed();
        let mut ranked: Vec<(Option<i64>, Slot)> = listed.iter().map(|s| (rank(s), *s)).collect();
        // Mostly in order already: a stable sort finds the runs.
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, slot)| slot).collect()
    }
}

fn of<R: Resource>(rows: &mut BTreeMap<RowKey, RowParts<R>>, key: RowKey) -> &mut RowParts<R> {
    rows.entry(key).or_insert_with(|| RowParts {
        body: None,
        place: None,
        marks: None,
    })
}
