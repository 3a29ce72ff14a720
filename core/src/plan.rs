//! Reads a list beside the held one and notes what each of its items is, without changing anything:
//! a list is merged whole or not at all (S1).
//!
//! Where the list goes on as the held one does, rows are taken by the run, by comparing bytes. An
//! item that is other than expected is read, found by its id, and reading goes on behind the place
//! where it was held.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashTable;

use crate::cache::ResourceCache;
use crate::changes::Warning;
use crate::config::BadItems;
use crate::error::Error;
use crate::event::BadItem;
use crate::resource::Resource;
use crate::rows::{RowRef, Slot, spread};
use crate::source::{AHEAD, Bits, Held, Next, Source};

/// What one item of the list is, or several.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Held rows from this place on, unchanged and in order.
    Same { at: usize, count: usize },
    /// Another body for a held row.
    Item { item: usize, slot: Slot },
    /// A resource that is not held; its id's hash.
    New { item: usize, hash: u32 },
}

/// The held rows that a list names.
pub(crate) struct Named {
    /// By their places in the held list.
    pub(crate) listed: Bits,
    /// Those that stand elsewhere.
    pub(crate) elsewhere: BTreeSet<Slot>,
}

impl Named {
    pub(crate) fn contains<R: Resource>(&self, slot: Slot, row: RowRef<'_, R>) -> bool {
        match row.listed_index() {
            Some(index) => self.listed.get(index),
            None => self.elsewhere.contains(&slot),
        }
    }
}

pub(crate) struct Plan<R> {
    pub(crate) steps: Vec<Step>,
    pub(crate) named: Named,
    pub(crate) list_version: Option<String>,
    /// The new bodies, by item.
    pub(crate) bodies: Vec<Option<R>>,
    /// How many items are new.
    pub(crate) fresh: usize,
}

/// What has been read so far.
struct Reading {
    steps: Vec<Step>,
    named: Named,
    /// Ids that are not those of held rows: the item that named each first, and what it is.
    fresh: HashTable<(u32, usize, Known)>,
    /// The last item of those that were named again: by row, or by their first item.
    again: BTreeMap<Known, usize>,
    warnings: Vec<Warning>,
    bad: Vec<BadItem>,
    good: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Row(Slot),
    Fresh(usize),
}

impl<R: Resource> ResourceCache<R> {
    /// Reads the whole list. `start` is the place at which its first item is expected.
    pub(crate) fn plan<S: Source<R>>(
        &self,
        mut source: S,
        start: usize,
        warnings: &mut Vec<Warning>,
    ) -> Result<Plan<R>, Error> {
        let len = self.order.listed().len();
        let mut reading = Reading {
            steps: Vec::new(),
            named: Named {
                listed: Bits::new(len),
                elsewhere: BTreeSet::new(),
            },
            fresh: HashTable::new(),
            again: BTreeMap::new(),
            warnings: Vec::new(),
            bad: Vec::new(),
            good: 0,
        };
        let (mut at, mut position) = (start, 0);
        loop {
            // Over gaps and what was named before.
            let end = len.min(at.saturating_add(AHEAD));
            let named = &reading.named.listed;
            while at < end && (named.get(at) || self.order.listed_at(at).is_none()) {
                at += 1;
            }
            let held = Held::new(&self.rows, &self.order, named, at);
            match source.next(&held)? {
                Next::End => break,
                Next::Same(count) => {
                    reading.same(at, count);
                    at += count;
                    position += count;
                    continue;
                }
                Next::Skip => {
                    at += 1;
                    continue;
                }
                Next::Bad(problem) => reading.bad.push(BadItem { position, problem }),
                Next::Item(item) if source.id(item).is_empty() => reading.bad.push(BadItem {
                    position,
                    problem: "its id is empty".into(),
                }),
                Next::Item(item) => {
                    reading.good += 1;
                    let expected = self.expected(&source, item, at, &reading);
                    let behind = match expected {
                        Some(slot) => self.read_known(&mut source, item, slot, &mut reading),
                        None => self.read_item(&mut source, item, position, &mut reading),
                    };
                    at = behind.unwrap_or(at);
                }
            }
            position += 1;
        }
        let (list_version, bodies) = source.finish()?;
        self.judge_bad(&mut reading, warnings)?;
        let steps = self.with_last_bodies(&reading);
        Ok(Plan {
            steps: steps.unwrap_or(reading.steps),
            named: reading.named,
            list_version,
            bodies,
            fresh: reading.fresh.len(),
        })
    }

    /// The row at the expected place, if it is the item's: most of what changed did not move.
    fn expected<S: Source<R>>(
        &self,
        source: &S,
        item: usize,
        at: usize,
        reading: &Reading,
    ) -> Option<Slot> {
        let slot = self.order.listed_at(at)?;
        let free = self.by_token.is_empty() && !reading.named.listed.get(at);
        let row = self.rows.at(slot).filter(|_| free)?;
        (row.id().as_bytes() == source.id(item)).then_some(slot)
    }

    /// Notes one item; answers the place behind that of its row, where it has one.
    fn read_item<S: Source<R>>(
        &self,
        source: &mut S,
        item: usize,
        position: usize,
        reading: &mut Reading,
    ) -> Option<usize> {
        let id = source.id(item);
        let hash = self.rows.hash(id);
        let same = |(h, i, _): &(u32, usize, Known)| *h == hash && source.id(*i) == id;
        if let Some((_, _, named)) = reading.fresh.find(spread(hash), same).copied() {
            reading.repeated(named, item, position, id);
            return None;
        }
        let by_token = source.token(item).and_then(|token| self.awaiting(token));
        let is_named = |slot: Slot| {
            let row = self.rows.at(slot);
            row.is_some_and(|row| reading.named.contains(slot, row))
        };
        let by_token = by_token.filter(|slot| !is_named(*slot));
        let known = by_token.or_else(|| self.rows.slot_of(hash, id));
        if by_token.is_some() || known.is_none() {
            let entry = (hash, item, known.map_or(Known::Fresh(item), Known::Row));
            let rehash = |(h, _, _): &(u32, usize, Known)| spread(*h);
            reading.fresh.insert_unique(spread(hash), entry, rehash);
        }
        let Some((slot, row)) = known.and_then(|slot| Some((slot, self.rows.at(slot)?))) else {
            reading.steps.push(Step::New { item, hash });
            return None;
        };
        if reading.named.contains(slot, row) {
            reading.repeated(Known::Row(slot), item, position, id);
            return None;
        }
        self.read_known(source, item, slot, reading)
    }

    /// Notes an item that is a held row's; answers the place behind that of the row.
    fn read_known<S: Source<R>>(
        &self,
        source: &mut S,
        item: usize,
        slot: Slot,
        reading: &mut Reading,
    ) -> Option<usize> {
        let row = self.rows.at(slot)?;
        let index = row.listed_index();
        match index {
            Some(index) => reading.named.listed.insert(index),
            None => drop(reading.named.elsewhere.insert(slot)),
        }
        match (row.base(), index) {
            (Some(base), Some(at)) if source.is(item, base) => {
                reading.steps.push(Step::Same { at, count: 1 });
            }
            _ => reading.steps.push(Step::Item { item, slot }),
        }
        index.map(|index| index + 1)
    }

    /// The row of an unsettled creation with this client token (C2).
    pub(crate) fn awaiting(&self, token: &str) -> Option<Slot> {
        if self.by_token.is_empty() {
            return None;
        }
        let from = (Box::from(token), crate::ids::RowKey(0));
        let mut rows = self.by_token.range(from..);
        let (_, key) = rows.next().filter(|(found, _)| &**found == token)?;
        self.rows.slot(*key)
    }

    /// Refuses bad items or warns of them (S1).
    fn judge_bad(&self, reading: &mut Reading, warnings: &mut Vec<Warning>) -> Result<(), Error> {
        let reject = self.config.bad_items == BadItems::Reject || reading.good == 0;
        if let (Some(first), true) = (reading.bad.first(), reject) {
            return Err(Error::BadSnapshot {
                position: Some(first.position),
                problem: first.problem.clone(),
            });
        }
        warnings.append(&mut reading.warnings);
        let skipped = std::mem::take(&mut reading.bad).into_iter();
        warnings.extend(skipped.map(|b| Warning::SkippedItem {
            position: b.position,
            problem: b.problem,
        }));
        Ok(())
    }

    /// The steps with the last body of what was named more than once, at the first place (S2).
    fn with_last_bodies(&self, reading: &Reading) -> Option<Vec<Step>> {
        if reading.again.is_empty() {
            return None;
        }
        let mut steps = Vec::with_capacity(reading.steps.len());
        for step in &reading.steps {
            match *step {
                Step::Same { at, count } => {
                    for at in at..at + count {
                        let slot = self.order.listed_at(at);
                        let last = slot.and_then(|slot| {
                            let item = reading.again.get(&Known::Row(slot));
                            item.map(|item| Step::Item { item: *item, slot })
                        });
                        steps.push(last.unwrap_or(Step::Same { at, count: 1 }));
                    }
                }
                Step::Item { item, slot } => {
                    let last = reading.again.get(&Known::Row(slot));
                    let item = last.copied().unwrap_or(item);
                    steps.push(Step::Item { item, slot });
                }
                Step::New { item, hash } => {
                    let last = reading.again.get(&Known::Fresh(item));
                    let item = last.copied().unwrap_or(item);
                    steps.push(Step::New { item, hash });
                }
            }
        }
        Some(steps)
    }
}

impl Reading {
    fn same(&mut self, at: usize, count: usize) {
        self.named.listed.set(at, count);
        self.good += count;
        match self.steps.last_mut() {
            Some(Step::Same { at: from, count: n }) if *from + *n == at => *n += count,
            _ => self.steps.push(Step::Same { at, count }),
        }
    }

    fn repeated(&mut self, named: Known, item: usize, position: usize, id: &[u8]) {
        self.again.insert(named, item);
        self.warnings.push(Warning::DuplicateId {
            id: String::from_utf8_lossy(id).as_ref().into(),
            position,
        });
    }
}
