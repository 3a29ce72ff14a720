//! Brings the rows into the server's order, and finds the fewest that moved.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::ResourceCache;
use crate::ids::{ResourceId, RowKey};
use crate::resource::Resource;
use crate::row::{LISTED, Place};
use crate::rows::{RowRef, Slot};
use crate::source::Bits;

/// Rows that follow each other in the new order as they did in the old one: the old place of the
/// first, and how many they are.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: i64,
    /// The place of the first in the new order.
    at: usize,
    count: usize,
}

impl<R: Resource> ResourceCache<R> {
    /// Takes a new order of the list (`None`: as it is), and marks what moved by it or by the
    /// running merge. Places from `old_len` on are those of rows that are new.
    pub(crate) fn reorder(&mut self, listed: Option<Vec<Slot>>, old_len: usize) {
        let listed = listed.filter(|l| l != self.order.listed());
        let not_quiet = self.not_quiet();
        let listed = listed.map(|listed| self.with_the_rest(listed, &not_quiet));
        self.leave_zones(listed.as_deref().unwrap_or_default());
        let changed_zone = self.before.iter().any(|(key, old)| {
            let place = self.rows.get(*key).and_then(RowRef::place);
            old.place.is_some() && place.is_some() && place != old.place
        });
        if listed.is_some() || changed_zone {
            let new = listed.as_deref().unwrap_or(self.order.listed());
            let new = self.order.whole(new);
            let runs = self.runs(&new, &not_quiet, old_len);
            let stay = longest_increasing(&runs);
            let moved = runs.iter().zip(stay);
            let slots = moved.flat_map(|(run, stay)| &new[run.at + stay..run.at + run.count]);
            let keys = slots.filter_map(|slot| self.rows.at(*slot));
            let keys: Vec<RowKey> = keys.map(RowRef::key).collect();
            self.strewn += keys.len();
            self.moved.extend(keys);
        }
        if let Some(listed) = listed {
            self.relist(listed);
        }
    }

    /// The new order as runs of the old one, without what was not visible.
    fn runs(&self, new: &[Slot], not_quiet: &[(usize, Slot)], old_len: usize) -> Vec<Run> {
        let touched = self.before.keys().filter_map(|key| self.rows.slot(*key));
        let touched = Bits::of(touched, self.rows.slots());
        let old = self.order.listed();
        let old = old.get(..old_len).unwrap_or(old);
        let mut runs = Vec::new();
        let (mut at, mut next) = (0, 0);
        let place = |next: usize| not_quiet.get(next).map_or(old.len(), |(place, _)| *place);
        while let Some(slot) = new.get(at).copied() {
            let mut count = 1;
            if let Some(before) = self.place_before(slot, &touched, old_len) {
                if let (LISTED, Ok(index)) = (before.0, usize::try_from(before.1)) {
                    // Rows that are not quiet are looked at one by one.
                    if place(next) < index || next > 0 && place(next - 1) >= index {
                        next = not_quiet.partition_point(|(place, _)| *place < index);
                    }
                    let end = place(next);
                    let follow = old.get(index..end).unwrap_or_default().iter();
                    let follow = follow.zip(&new[at..]).take_while(|(old, new)| old == new);
                    count = follow.count().max(1);
                }
                let first = (i64::from(before.0) << 61).saturating_add(before.1);
                runs.push(Run { first, at, count });
            }
            at += count;
        }
        runs
    }

    /// The rows of the list that have operations, or that the running event touches, by place.
    fn not_quiet(&self) -> Vec<(usize, Slot)> {
        let touched = self.before.keys().filter_map(|key| self.rows.slot(*key));
        let rows = self.rows.busy().map(|(slot, _)| slot).chain(touched);
        let rows = rows.filter_map(|slot| Some((self.rows.at(slot)?.listed_index()?, slot)));
        let mut rows: Vec<(usize, Slot)> = rows.collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// A new list with the rows that it leaves out, and that are in the list nevertheless, behind.
    /// What is quiet was named by it, or has gone.
    fn with_the_rest(&self, mut listed: Vec<Slot>, not_quiet: &[(usize, Slot)]) -> Vec<Slot> {
        // What the server lists has left the zones of new items, or is in the list already.
        let new = self
            .order
            .around(&[])
            .any(|slot| self.rows.base(slot).is_some());
        if new || self.order.count() != listed.len() {
            let new = Bits::of(listed.iter().copied(), self.rows.slots());
            let rows = not_quiet.iter().map(|(_, slot)| *slot);
            listed.extend(rows.filter(|slot| !new.get(*slot as usize)));
        }
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

/// How many places of each run, from its first, are part of a longest increasing subsequence of all
/// (patience sorting, Fredman 1975). The places of a run follow each other, so that it comes to lie
/// on as many piles side by side, at one stroke. A run behind all that came and before all that come
/// is part of it; what lies between two of those is looked at by itself.
fn longest_increasing(runs: &[Run]) -> Vec<usize> {
    /// Places on top of piles that stand side by side.
    #[derive(Clone, Copy)]
    struct Tops {
        pile: usize,
        run: usize,
        /// Which of the run's places the first is.
        from: usize,
        count: usize,
    }
    /// Takes the tops from the pile `at` on away from those.
    fn split_off(tops: &mut Tops, at: usize) -> Tops {
        let kept = at - tops.pile;
        let (from, count) = (tops.from + kept, tops.count - kept);
        tops.count = kept;
        Tops {
            pile: at,
            from,
            count,
            run: tops.run,
        }
    }
    /// Marks those on top, and what lies beneath them.
    fn settle(stay: &mut [usize], piles: &mut BTreeMap<i64, Tops>, previous: &[(usize, usize)]) {
        let last = piles.last_key_value();
        let mut next = last.map(|(_, tops)| (tops.run, tops.from + tops.count));
        while let Some((run, count)) = next.filter(|(run, _)| *run != usize::MAX) {
            stay[run] = count;
            next = previous.get(run).copied();
        }
        piles.clear();
    }
    // By the place of the first; places grow with piles.
    let mut piles: BTreeMap<i64, Tops> = BTreeMap::new();
    let mut previous: Vec<(usize, usize)> = Vec::new();
    let mut stay = vec![0; runs.len()];
    // The least place from each run on.
    let mut least: Vec<i64> = runs.iter().map(|run| run.first).collect();
    for at in (1..least.len()).rev() {
        least[at - 1] = least[at - 1].min(least[at]);
    }
    let mut end_of_all = i64::MIN;
    for (run, Run { first, count, .. }) in runs.iter().copied().enumerate() {
        let from = 0;
        let run_end = first.saturating_add(count as i64);
        let is_apart = end_of_all <= first && least.get(run + 1).is_none_or(|l| run_end <= *l);
        end_of_all = end_of_all.max(run_end);
        if is_apart {
            settle(&mut stay, &mut piles, &previous);
            stay[run] = count;
            previous.push((usize::MAX, 0));
            continue;
        }
        let before = piles.range_mut(..first).next_back();
        let (place, before) = match before {
            Some((place, tops)) => (*place, Some(tops)),
            None => (0, None),
        };
        let mut pile = 0;
        let mut rest = None;
        if let Some(tops) = before {
            let lower = usize::try_from(first - place).unwrap_or(usize::MAX);
            if lower < tops.count {
                rest = Some(split_off(tops, tops.pile + lower));
            }
            pile = tops.pile + tops.count;
            previous.push((tops.run, tops.from + tops.count));
        } else {
            previous.push((usize::MAX, 0));
        }
        if let Some(rest) = rest {
            piles.insert(first, rest);
        }
        let end = pile + count;
        while let Some((place, mut tops)) = piles.range(first..).next().map(|(p, t)| (*p, *t)) {
            if tops.pile >= end {
                break;
            }
            piles.remove(&place);
            if tops.pile + tops.count > end {
                let gone = (end - tops.pile) as i64;
                piles.insert(place + gone, split_off(&mut tops, end));
            }
        }
        piles.insert(
            first,
            Tops {
                pile,
                run,
                from,
                count,
            },
        );
    }
    settle(&mut stay, &mut piles, &previous);
    stay
}

#[cfg(test)]
mod tests {
    use super::{Run, longest_increasing};

    /// The same, place by place.
    fn by_places(values: &[i64]) -> usize {
        let mut tails: Vec<i64> = Vec::new();
        for value in values {
            let pile = tails.partition_point(|tail| tail < value);
            tails.truncate(tails.len().max(pile));
            match tails.get_mut(pile) {
                Some(tail) => *tail = *value,
                None => tails.push(*value),
            }
        }
        tails.len()
    }

    #[test]
    fn runs_stay_as_their_places_do() {
        // A fixed pseudo-random sequence (Knuth, MMIX).
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..2_000 {
            let mut runs: Vec<(i64, usize)> = Vec::new();
            let mut place = 0;
            for _ in 0..random(12) {
                place += random(3) as i64;
                let count = 1 + random(4);
                runs.push((place, count));
                place += count as i64;
            }
            for at in (1..runs.len()).rev() {
                runs.swap(at, random(at + 1));
            }
            let run = |&(first, count): &_| Run {
                first,
                at: 0,
                count,
            };
            let stay = longest_increasing(&runs.iter().map(run).collect::<Vec<_>>());
            let places = |run: &(i64, usize), count| {
                (0..count as i64)
                    .map(move |i| run.0 + i)
                    .collect::<Vec<_>>()
            };
            let all: Vec<i64> = runs.iter().flat_map(|run| places(run, run.1)).collect();
            let staying: Vec<i64> = runs
                .iter()
                .zip(stay)
                .flat_map(|(run, stay)| places(run, stay))
                .collect();
            assert!(staying.is_sorted(), "{staying:?} of {runs:?}");
            assert_eq!(staying.len(), by_places(&all), "{runs:?}");
        }
    }
}
