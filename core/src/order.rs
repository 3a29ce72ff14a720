//! The order of the rows: new items at the start, the server's list, new items at the end.

use std::collections::BTreeMap;

use crate::row::{END, LISTED, Place, START};
use crate::rows::Slot;

/// A place in the list whose row has gone.
const HOLE: Slot = Slot::MAX;

#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    start: BTreeMap<i64, Slot>,
    /// Rows come and go singly without the others being moved: what goes leaves a hole, which the
    /// next whole list closes.
    listed: Vec<Slot>,
    holes: usize,
    end: BTreeMap<i64, Slot>,
}

impl Order {
    pub(crate) fn listed(&self) -> &[Slot] {
        &self.listed
    }

    /// The row that stands there.
    pub(crate) fn at(&self, place: Place) -> Option<Slot> {
        match place.0 {
            START => self.start.get(&place.1).copied(),
            END => self.end.get(&place.1).copied(),
            _ => self.listed_at(usize::try_from(place.1).ok()?),
        }
    }

    /// The row that stands there in the server's list.
    pub(crate) fn listed_at(&self, index: usize) -> Option<Slot> {
        let slot = self.listed.get(index).copied();
        slot.filter(|slot| *slot != HOLE)
    }

    /// The place behind the last of the list.
    pub(crate) fn next_listed(&self) -> Place {
        (LISTED, i64::try_from(self.listed.len()).unwrap_or(i64::MAX))
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        let spare = self.listed.capacity() - self.listed.len();
        self.listed.reserve_exact(more.saturating_sub(spare));
    }

    pub(crate) fn set(&mut self, place: Place, slot: Slot) {
        match place.0 {
            START => drop(self.start.insert(place.1, slot)),
            END => drop(self.end.insert(place.1, slot)),
            _ => {
                let Ok(index) = usize::try_from(place.1) else {
                    return;
                };
                while self.listed.len() <= index {
                    self.listed.push(HOLE);
                    self.holes += 1;
                }
                self.holes -= usize::from(self.listed[index] == HOLE);
                self.listed[index] = slot;
            }
        }
    }

    pub(crate) fn clear(&mut self, place: Place) {
        match place.0 {
            START => drop(self.start.remove(&place.1)),
            END => drop(self.end.remove(&place.1)),
            _ => {
                let index = usize::try_from(place.1).unwrap_or(usize::MAX);
                if let Some(slot) = self.listed.get_mut(index).filter(|s| **s != HOLE) {
                    *slot = HOLE;
                    self.holes += 1;
                }
                // No holes at the end: a list that was saved and loaded has none there either.
                while self.listed.last() == Some(&HOLE) {
                    self.listed.pop();
                    self.holes -= 1;
                }
            }
        }
    }

    /// Takes a new list, without holes.
    pub(crate) fn relist(&mut self, listed: Vec<Slot>) {
        self.listed = listed;
        self.holes = 0;
    }

    /// Whether most of the list is holes.
    pub(crate) fn is_sparse(&self) -> bool {
        self.holes > 64 && self.holes > self.listed.len() / 2
    }

    /// The list without its holes.
    pub(crate) fn packed(&self) -> Vec<Slot> {
        let rows = self.listed.iter().filter(|slot| **slot != HOLE);
        rows.copied().collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Slot> {
        self.around(&self.listed)
    }

    /// The new items at the start, these, and the new items at the end.
    pub(crate) fn around<'a>(&'a self, listed: &'a [Slot]) -> impl Iterator<Item = Slot> + 'a {
        let listed = listed.iter().filter(|slot| **slot != HOLE);
        let zones = self.start.values().chain(listed).chain(self.end.values());
        zones.copied()
    }

    /// The same, at one stroke; what stands for holes among these stays.
    pub(crate) fn whole(&self, listed: &[Slot]) -> Vec<Slot> {
        let zones = self.start.len() + self.end.len();
        let mut whole = Vec::with_capacity(listed.len() + zones);
        whole.extend(self.start.values());
        whole.extend_from_slice(listed);
        whole.extend(self.end.values());
        whole
    }

    /// How many rows the list has.
    pub(crate) fn count(&self) -> usize {
        self.listed.len() - self.holes
    }

    /// The rows before `place`, the nearest first.
    pub(crate) fn before(&self, place: Place) -> impl Iterator<Item = Slot> {
        let until = |zone| match place.0.cmp(&zone) {
            std::cmp::Ordering::Less => i64::MIN,
            std::cmp::Ordering::Equal => place.1,
            std::cmp::Ordering::Greater => i64::MAX,
        };
        // What does not fit into a `usize` of 32 bits lies behind every row that does.
        let listed = usize::try_from(until(LISTED).max(0)).unwrap_or(usize::MAX);
        let listed = &self.listed[..listed.min(self.listed.len())];
        let end = self.end.range(..until(END)).map(|(_, slot)| slot);
        let start = self.start.range(..until(START)).map(|(_, slot)| slot);
        let listed = listed.iter().filter(|slot| **slot != HOLE);
        let zones = end.rev().chain(listed.rev()).chain(start.rev());
        zones.copied()
    }
}
