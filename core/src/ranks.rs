//! Ranks of the rows in the server's list: numbers with gaps, so that a row that moves is the only
//! one to be written anew.

use crate::ids::RowKey;
use crate::rows::Slot;

/// How far ranks lie apart where there is room.
const GAP: i64 = 1 << 32;

/// A row of the list with its rank, by the slot where it is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranks {
    by_slot: Vec<(RowKey, i64)>,
}

impl Ranks {
    /// The rank of a row, if it has one.
    pub(crate) fn get(&self, slot: Slot, key: RowKey) -> Option<i64> {
        let (of, rank) = self.by_slot.get(slot as usize)?;
        (*of == key).then_some(*rank)
    }

    pub(crate) fn set(&mut self, slot: Slot, key: RowKey, rank: i64) {
        let index = slot as usize;
        if self.by_slot.len() <= index {
            self.by_slot.resize(index + 1, (RowKey(0), 0));
        }
        self.by_slot[index] = (key, rank);
    }
}

/// Gives ranks to a stretch of the list behind a row with the rank `low` (`None`: at the start of the
/// list): rows that are in order keep theirs. `ranks` has the old ones, and gets the new ones.
///
/// Answers `false` when there is no room, and all of the list has to be ranked anew.
pub(crate) fn rank(ranks: &mut [Option<i64>], low: Option<i64>) -> bool {
    keep_longest(ranks, low);
    let mut at = 0;
    let mut low = low;
    while at < ranks.len() {
        if let Some(rank) = ranks[at] {
            low = Some(rank);
            at += 1;
            continue;
        }
        let end = (at..ranks.len()).find(|i| ranks[*i].is_some());
        let high = end.and_then(|end| ranks[end]);
        let end = end.unwrap_or(ranks.len());
        if spread(&mut ranks[at..end], low, high, 1) {
            at = end;
            continue;
        }
        match widen(ranks, at, end) {
            Some(end) => at = end,
            None => return false,
        }
        low = ranks[at - 1];
    }
    true
}

/// Makes room by ranking the neighbours of `from..to` anew too, as few as leave wide gaps; answers
/// the end of what was ranked. `None` when that would be all.
fn widen(ranks: &mut [Option<i64>], from: usize, to: usize) -> Option<usize> {
    const WIDE: i64 = 1 << 16;
    let mut more = 64;
    while more < from || more < ranks.len() - to {
        let (start, end) = (from.saturating_sub(more), (to + more).min(ranks.len()));
        // The window ends at a row that has a rank.
        let end = (end..ranks.len()).find(|i| ranks[*i].is_some());
        let high = end.and_then(|end| ranks[end]);
        let end = end.unwrap_or(ranks.len());
        let low = start.checked_sub(1).and_then(|i| ranks[i]);
        let open = start > 0 && low.is_none();
        if !open && spread(&mut ranks[start..end], low, high, WIDE) {
            return Some(end);
        }
        more *= 2;
    }
    None
}

/// Ranks for a whole list from nothing.
pub(crate) fn rank_all(ranks: &mut [Option<i64>]) {
    // 2^31 rows of a list do not fit into memory.
    for (rank, at) in ranks.iter_mut().zip(0_i64..) {
        *rank = Some(at * GAP);
    }
}

/// Spreads ranks between two neighbours, so far apart at least; changes nothing where they do not fit.
fn spread(ranks: &mut [Option<i64>], low: Option<i64>, high: Option<i64>, least_gap: i64) -> bool {
    let count = ranks.len() as i64;
    let (start, gap) = match (low, high) {
        (Some(low), Some(high)) => (low, (high - low) / (count + 1)),
        (Some(low), None) => (low, GAP),
        (None, Some(high)) => (high.saturating_sub(GAP.saturating_mul(count + 1)), GAP),
        (None, None) => (-GAP, GAP),
    };
    let last = gap
        .checked_mul(count)
        .and_then(|all| start.checked_add(all));
    let fits = last.is_some_and(|last| high.is_none_or(|high| last < high));
    // Differences of ranks are to be ranks as well.
    if gap < least_gap || !fits || start < -(1 << 61) || last > Some(1 << 61) {
        return false;
    }
    for (rank, at) in ranks.iter_mut().zip(1..) {
        *rank = Some(start + at * gap);
    }
    true
}

/// Takes the ranks away that are not part of a longest increasing subsequence above `low` (patience
/// sorting, Fredman 1975).
fn keep_longest(ranks: &mut [Option<i64>], low: Option<i64>) {
    let above = |rank: &i64| low.is_none_or(|low| *rank > low);
    let mut piles: Vec<(i64, usize)> = Vec::new();
    let mut before: Vec<usize> = vec![usize::MAX; ranks.len()];
    for (at, rank) in ranks.iter().enumerate() {
        let Some(rank) = rank.filter(above) else {
            continue;
        };
        let pile = match piles.last() {
            Some((top, _)) if *top >= rank => piles.partition_point(|(top, _)| *top < rank),
            _ => piles.len(),
        };
        before[at] = pile.checked_sub(1).map_or(usize::MAX, |p| piles[p].1);
        piles.truncate(piles.len().max(pile));
        match piles.get_mut(pile) {
            Some(top) => *top = (rank, at),
            None => piles.push((rank, at)),
        }
    }
    let mut kept = piles.last().map_or(usize::MAX, |(_, at)| *at);
    for at in (0..ranks.len()).rev() {
        if at == kept {
            kept = before[at];
        } else {
            ranks[at] = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{rank, rank_all};

    fn ranked(ranks: &[Option<i64>], low: Option<i64>) -> Option<Vec<i64>> {
        let mut new = ranks.to_vec();
        rank(&mut new, low).then(|| new.into_iter().flatten().collect())
    }

    #[test]
    fn what_is_in_order_keeps_its_rank() {
        let old = [Some(5), Some(100), Some(20), Some(30), None, Some(70)];
        let new = ranked(&old, None).unwrap();
        assert_eq!((new[0], new[2], new[3], new[5]), (5, 20, 30, 70));
        assert!(new.is_sorted_by(|a, b| a < b), "{new:?}");
    }

    #[test]
    fn without_room_all_is_ranked_anew() {
        assert_eq!(ranked(&[Some(1), None, Some(2)], None), None);
        let mut ranks = [Some(1), None, Some(2)];
        rank_all(&mut ranks);
        assert!(ranks.is_sorted_by(|a, b| a < b));
        assert_eq!(ranked(&[None, Some(2)], Some(1)), None);
        assert!(ranked(&[Some(i64::MAX / 2), None], None).is_none());
    }

    /// As in a list by name, where numbered ones come in order.
    #[test]
    fn what_is_always_put_in_the_same_place_moves_few_others() {
        let mut ranks: Vec<Option<i64>> = vec![None; 10_000];
        rank_all(&mut ranks);
        let mut written = 0;
        for at in 5_000..7_000 {
            let before = ranks.clone();
            ranks.insert(at, None);
            assert!(rank(&mut ranks, None));
            assert!(ranks.is_sorted_by(|a, b| a < b));
            let others =
                (0..before.len()).filter(|i| before[*i] != ranks[*i + usize::from(*i >= at)]);
            written += 1 + others.count();
        }
        assert!(written < 2_000 * 20, "{written}");
    }

    #[test]
    fn new_rows_find_room_at_both_ends() {
        let new = ranked(&[None, None, Some(0), None], None).unwrap();
        assert!(new.is_sorted_by(|a, b| a < b), "{new:?}");
        let new = ranked(&[None, None], None).unwrap();
        assert!(new.is_sorted_by(|a, b| a < b), "{new:?}");
        assert!(ranked(&[Some(3)], Some(7)).unwrap()[0] > 7);
    }
}
