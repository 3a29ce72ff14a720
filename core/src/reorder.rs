//! Brings the rows into the server's order, and finds the fewest that moved.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::ResourceCache;
use crate::ids::{ResourceId, RowKey};
use crate::resource::Resource;
use crate::row::{LISTED, Place};
use crate::rows::{RowRef, Slot};
use crate::source::Bits;

impl<R: Resource> ResourceCache<R> {
    /// Takes a new order of the list (`None`: as it is), and marks what moved by it or by the
    /// running merge. Places from `old_len` on are those of rows that are new.
    pub(crate) fn reorder(&mut self, listed: Option<Vec<Slot>>, old_len: usize) {
        let listed = listed.filter(|l| l != self.order.listed());
        let listed = listed.map(|listed| self.with_the_rest(listed));
        self.leave_zones(listed.as_deref().unwrap_or_default());
        let changed_zone = self.before.iter().any(|(key, old)| {
            let place = self.rows.get(*key).and_then(RowRef::place);
            old.place.is_some() && place.is_some() && place != old.place
        });
        if listed.is_some() || changed_zone {
            let new = listed.as_deref().unwrap_or(self.order.listed());
            let touched = self.before.keys().filter_map(|key| self.rows.slot(*key));
            let touched = Bits::of(touched, self.rows.slots());
            let mut slots: Vec<Slot> = Vec::with_capacity(new.len());
            let mut old: Vec<i64> = Vec::with_capacity(new.len());
            for slot in self.order.around(new) {
                if let Some(place) = self.place_before(slot, &touched, old_len) {
                    slots.push(slot);
                    old.push((i64::from(place.0) << 61).saturating_add(place.1));
                }
            }
            let stays = longest_increasing(&old);
            let moved = slots.iter().zip(stays).filter(|(_, stays)| !stays);
            let keys = moved.filter_map(|(slot, _)| self.rows.at(*slot));
            let keys: Vec<RowKey> = keys.map(RowRef::key).collect();
            self.moved.extend(keys);
        }
        if let Some(listed) = listed {
            self.relist(listed);
        }
    }

    /// A new list with the rows that it leaves out, and that are in the list nevertheless, behind.
    fn with_the_rest(&self, mut listed: Vec<Slot>) -> Vec<Slot> {
        let new = Bits::of(listed.iter().copied(), self.rows.slots());
        let old = self.order.around(self.order.listed()).filter(|slot| {
            let place = self.rows.at(*slot).and_then(RowRef::place);
            place.is_some_and(|place| place.0 == LISTED) && !new.get(*slot as usize)
        });
        listed.extend(old);
        listed
    }

    /// Takes the rows that the server lists now out of the zones of new items.
    fn leave_zones(&mut self, listed: &[Slot]) {
        let new = self.order.around(&[]);
        let rows = new.filter_map(|slot| Some((slot, self.rows.at(slot)?)));
        let known = rows.filter(|(_, row)| row.base().is_some());
        let known: BTreeMap<Slot, Option<Place>> =
            known.map(|(slot, row)| (slot, row.place())).collect();
        if known.is_empty() {
            return;
        }
        for place in listed.iter().filter_map(|slot| *known.get(slot)?) {
            self.order.clear(place);
        }
    }

    /// Where a row that is visible stood before the running event, if it was visible then.
    fn place_before(&self, slot: Slot, touched: &Bits, old_len: usize) -> Option<Place> {
        let row = self.rows.at(slot).filter(|row| row.is_visible())?;
        if touched.get(slot as usize) {
            return self.before.get(&row.key())?.place;
        }
        let new = |place: &Place| place.0 == LISTED && place.1 >= old_len as i64;
        row.place().filter(|place| !new(place))
    }

    /// The list with a page of it in the page's order; `None` where it is so already.
    pub(crate) fn with_page(
        &self,
        page: &[Slot],
        after: Option<&ResourceId>,
        before: Option<&ResourceId>,
    ) -> Option<Vec<Slot>> {
        let now = self.order.listed();
        let place = |id: &ResourceId| self.listed_index(id);
        let rows = |slot: &&Slot| self.rows.at(**slot).is_some();
        let start = after.map_or(Some(0), |id| place(id).map(|i| i + 1));
        if let Some(behind) = start.and_then(|start| now.get(start..)) {
            if behind.iter().filter(rows).take(page.len()).eq(page) {
                return None;
            }
        }
        let named: BTreeSet<Slot> = page.iter().copied().collect();
        let others = now.iter().filter(rows).filter(|s| !named.contains(s));
        let others: Vec<Slot> = others.copied().collect();
        let index = |id: &ResourceId| {
            let slot = now.get(place(id)?)?;
            others.iter().position(|other| other == slot)
        };
        let at = match (after.and_then(index), before.and_then(index)) {
            (Some(i), _) => i + 1,
            (None, Some(i)) => i,
            (None, None) if after.is_none() => 0,
            (None, None) => others.len(),
        };
        Some([&others[..at], page, &others[at..]].concat())
    }
}

/// Whether each is part of a longest increasing subsequence (patience sorting, Fredman 1975).
fn longest_increasing(values: &[i64]) -> Vec<bool> {
    let mut tails: Vec<u32> = Vec::with_capacity(values.len());
    let mut previous: Vec<u32> = Vec::with_capacity(values.len());
    let at = |index: u32| values[index as usize];
    for (index, value) in values.iter().copied().enumerate() {
        // Mostly the order is the old one: the next value is behind the last.
        let last = tails.last().is_none_or(|t| at(*t) < value);
        let pile = if last {
            tails.len()
        } else {
            tails.partition_point(|t| at(*t) < value)
        };
        previous.push(pile.checked_sub(1).map_or(u32::MAX, |p| tails[p]));
        // There are fewer than 2^32 rows.
        match tails.get_mut(pile) {
            Some(tail) => *tail = index as u32,
            None => tails.push(index as u32),
        }
    }
    let mut found = vec![false; values.len()];
    let mut next = tails.last().copied();
    while let Some(index) = next.filter(|index| *index != u32::MAX) {
        found[index as usize] = true;
        next = previous.get(index as usize).copied();
    }
    found
}
