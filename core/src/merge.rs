//! Snapshots and watch events: first a plan from the whole input, then each row's observation.

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::{Done, ResourceCache};
use crate::changes::Warning;
use crate::config::BadItems;
use crate::error::Error;
use crate::event::{BadItem, Coverage, Snapshot, WatchEvent};
use crate::ids::{ResourceId, RowKey};
use crate::observe::{Observation, Sight};
use crate::operation::{Operation, Payload};
use crate::resource::Resource;
use crate::row::{Context, LISTED, Row};

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn merge_snapshot(
        &mut self,
        snapshot: Snapshot<R>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let items = self.accept_items(&snapshot, done)?;
        let taken = snapshot.token.map_or((cx.seq, cx.clock), |t| (t.seq, t.at));
        let obs = Observation {
            seq: taken.0,
            at: taken.1,
            list_version: snapshot.list_version,
            added: false,
        };
        if obs.seq < self.last_complete {
            return Ok(());
        }
        let tokens = self.creations_by_token();
        let mut absent = self.absences(&snapshot.coverage, &items, &tokens, done);
        // Those that stay though they are absent keep their order among each other.
        absent.sort_by_key(|key| (self.rows.get(key).and_then(|r| r.place), *key));
        let (before, visible) = (self.listed_order(), self.visible_keys());
        let mut listed = Vec::with_capacity(items.len());
        for item in &items {
            if let Some(key) = self.see(item, &tokens, &obs, cx) {
                listed.push(key);
            }
        }
        for key in absent {
            self.see_absent(key, &obs, cx);
        }
        match &snapshot.coverage {
            Coverage::Complete => {
                self.last_complete = obs.seq;
                self.relist = false;
                self.reorder(&before, &listed, None);
            }
            Coverage::Ids(_) => {}
            Coverage::Page {
                after,
                before: bound,
            } => {
                let bounds = (after.as_ref(), bound.as_ref());
                self.reorder(&before, &listed, Some(bounds));
            }
        }
        self.mark_moved(&visible);
        Ok(())
    }

    /// Refuses bad items or warns of them (S1), and drops repetitions (S2).
    fn accept_items(&self, snapshot: &Snapshot<R>, done: &mut Done) -> Result<Vec<R>, Error> {
        let mut bad: Vec<BadItem> = snapshot.bad.clone();
        for (position, item) in snapshot.items.iter().enumerate() {
            if item.id().is_empty() {
                bad.push(BadItem {
                    position,
                    problem: "its id is empty".into(),
                });
            }
        }
        bad.sort_by_key(|b| b.position);
        let good = snapshot.items.iter().filter(|i| !i.id().is_empty());
        let reject = self.config.bad_items == BadItems::Reject || good.clone().next().is_none();
        if let (Some(first), true) = (bad.first(), reject) {
            return Err(Error::BadSnapshot {
                position: Some(first.position),
                problem: first.problem.clone(),
            });
        }
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut items: Vec<R> = Vec::with_capacity(snapshot.items.len());
        for (position, item) in snapshot.items.iter().enumerate() {
            if item.id().is_empty() {
                continue;
            }
            if let Some(place) = places.get(item.id()) {
                items[*place] = item.clone();
                done.warnings.push(Warning::DuplicateId {
                    id: item.id().into(),
                    position,
                });
            } else {
                places.insert(item.id(), items.len());
                items.push(item.clone());
            }
        }
        done.warnings
            .extend(bad.into_iter().map(|b| Warning::SkippedItem {
                position: b.position,
                problem: b.problem,
            }));
        Ok(items)
    }

    /// The rows that the snapshot covers and does not list (S3).
    fn absences(
        &self,
        coverage: &Coverage,
        items: &[R],
        tokens: &BTreeMap<String, RowKey>,
        done: &mut Done,
    ) -> Vec<RowKey> {
        let named: BTreeSet<RowKey> = items
            .iter()
            .filter_map(|i| self.match_row(i, tokens))
            .collect();
        let unnamed = |key: &RowKey| !named.contains(key);
        match coverage {
            Coverage::Complete => self.rows.keys().copied().filter(unnamed).collect(),
            Coverage::Ids(ids) => {
                let keys = ids.iter().filter_map(|id| self.key_of(id.as_str()));
                let keys: BTreeSet<RowKey> = keys.filter(unnamed).collect();
                keys.into_iter().collect()
            }
            Coverage::Page { after, before } => {
                let mut place_of = |bound: &Option<ResourceId>, end: i64| match bound {
                    None => Some(end),
                    Some(id) => {
                        let row = self.key_of(id.as_str()).and_then(|k| self.rows.get(&k));
                        let place = row.and_then(|r| r.place).filter(|p| p.0 == LISTED);
                        if place.is_none() {
                            done.warnings.push(Warning::UnknownBound { id: id.clone() });
                        }
                        place.map(|p| p.1)
                    }
                };
                let (from, to) = (place_of(after, i64::MIN), place_of(before, i64::MAX));
                let (Some(from), Some(to)) = (from, to) else {
                    return Vec::new();
                };
                self.order
                    .iter()
                    .filter(|(p, _)| p.0 == LISTED && p.1 > from && p.1 < to)
                    .map(|(_, key)| *key)
                    .filter(unnamed)
                    .collect()
            }
        }
    }

    /// The rows of unsettled creations, by their client tokens (C2).
    pub(crate) fn creations_by_token(&self) -> BTreeMap<String, RowKey> {
        let keys = self.keys_with_operations().into_iter();
        let rows = keys.filter_map(|key| self.rows.get(&key));
        let creations = rows.flat_map(|row| row.operations.iter().map(|o| (row.key, o)));
        let tokens = creations.filter_map(|(key, o)| match &o.payload {
            Payload::Create(new) if o.live && o.is_unsettled() => Some((new.token()?.into(), key)),
            _ => None,
        });
        tokens.collect()
    }

    /// The row of an item: by the token of a creation, or by its id.
    fn match_row(&self, item: &R, tokens: &BTreeMap<String, RowKey>) -> Option<RowKey> {
        // A creation that another item of the same token has confirmed takes no second one.
        let awaits = |key: &RowKey| {
            let row = self.rows.get(key);
            row.is_some_and(|row| row.unsettled().any(Operation::creates))
        };
        let by_token = item
            .token()
            .and_then(|token| tokens.get(token).copied())
            .filter(awaits);
        by_token.or_else(|| self.key_of(item.id()))
    }

    pub(crate) fn see(
        &mut self,
        item: &R,
        tokens: &BTreeMap<String, RowKey>,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Option<RowKey> {
        if let Some(key) = self.key_of(item.id()) {
            self.drop_alias(key, item.id());
        }
        let keep = self.config.stale_after_ms;
        let Some(key) = self.match_row(item, tokens) else {
            if self
                .dropped
                .get(item.id())
                .is_some_and(|(seq, at)| *seq > obs.seq && at.plus_ms(keep) > cx.clock)
            {
                return None;
            }
            let mut row = Row::new(RowKey(self.next_key), item.id().into());
            row.base = Some(item.clone());
            row.taken = obs.seq;
            let key = row.key;
            self.put(row);
            return Some(key);
        };
        let row = self.rows.get(&key)?;
        let quiet = row.operations.is_empty() && row.base.as_ref() == Some(item);
        if quiet && row.id == item.id() {
            if let Some(row) = self.rows.get_mut(&key) {
                row.taken = row.taken.max(obs.seq);
            }
            return Some(key);
        }
        let mut row = row.clone();
        if row.id != item.id() {
            self.rename(&mut row, item.id());
        }
        row.observe(Sight::Listed(item), obs, cx);
        self.put(row);
        self.rows.contains_key(&key).then_some(key)
    }

    /// An earlier id of a row, listed by the server, is another resource's.
    fn drop_alias(&mut self, key: RowKey, id: &str) {
        let row = self.rows.get(&key).filter(|row| row.id != id);
        if let Some(mut row) = row.cloned() {
            row.aliases.retain(|alias| *alias != id);
            self.put(row);
        }
    }

    fn see_absent(&mut self, key: RowKey, obs: &Observation, cx: &mut Context<'_>) {
        let Some(row) = self.rows.get(&key) else {
            return;
        };
        if row.taken > obs.seq {
            return;
        }
        let mut row = row.clone();
        let id = row.id.clone();
        row.observe(Sight::Absent, obs, cx);
        let gone = row.base.is_none();
        if row.place.is_some_and(|p| p.0 == LISTED) {
            row.place = (!gone).then(|| self.new_zone_place());
        }
        if gone {
            self.dropped.insert(id, (obs.seq, cx.clock));
        }
        self.put(row);
    }

    fn listed_order(&self) -> Vec<RowKey> {
        let listed = self.order.iter().filter(|(p, _)| p.0 == LISTED);
        listed.map(|(_, key)| *key).collect()
    }

    /// Brings the rows into the server's order: the whole list, or one page of it.
    fn reorder(
        &mut self,
        old: &[RowKey],
        listed: &[RowKey],
        page: Option<(Option<&ResourceId>, Option<&ResourceId>)>,
    ) {
        let named: BTreeSet<RowKey> = listed.iter().copied().collect();
        let stays = |k: &&RowKey| {
            !named.contains(k)
                && self
                    .rows
                    .get(k)
                    .is_some_and(|r| r.base.is_some() && r.place.is_some_and(|p| p.0 == LISTED))
        };
        let others: Vec<RowKey> = old.iter().filter(stays).copied().collect();
        let at = match page {
            None => 0,
            Some((after, before)) => {
                let index = |id: &ResourceId| {
                    let key = self.key_of(id.as_str());
                    others.iter().position(|k| Some(*k) == key)
                };
                match (after.and_then(index), before.and_then(index)) {
                    (Some(i), _) => i + 1,
                    (None, Some(i)) => i,
                    (None, None) if after.is_none() => 0,
                    (None, None) => others.len(),
                }
            }
        };
        let new: Vec<RowKey> = others[..at]
            .iter()
            .chain(listed)
            .chain(&others[at..])
            .copied()
            .collect();
        let listed_now = |k: &&RowKey| self.rows.get(k).is_some_and(|r| r.base.is_some());
        let new: Vec<RowKey> = new.iter().filter(listed_now).copied().collect();
        for key in &new {
            if let Some(place) = self.rows.get(key).and_then(|r| r.place) {
                self.order.remove(&place);
            }
        }
        for (index, key) in new.iter().enumerate() {
            let place = (LISTED, i64::try_from(index).unwrap_or(i64::MAX));
            if let Some(row) = self.rows.get_mut(key).filter(|r| r.base.is_some()) {
                row.place = Some(place);
                self.order.insert(place, *key);
            }
        }
        self.next_place = self
            .next_place
            .max(i64::try_from(new.len()).unwrap_or(i64::MAX));
    }

    fn visible_keys(&self) -> Vec<RowKey> {
        let seen = |key: &&RowKey| self.rows.get(key).is_some_and(Row::is_visible);
        self.order.values().filter(seen).copied().collect()
    }

    /// Marks the fewest rows whose moving turns the old order into the new one.
    fn mark_moved(&mut self, old: &[RowKey]) {
        let new = self.visible_keys();
        if new == old {
            return;
        }
        let at: BTreeMap<RowKey, usize> = old.iter().enumerate().map(|(i, k)| (*k, i)).collect();
        let common: Vec<(RowKey, usize)> = new
            .iter()
            .filter_map(|k| at.get(k).map(|i| (*k, *i)))
            .collect();
        let kept = longest_increasing(&common.iter().map(|c| c.1).collect::<Vec<_>>());
        let kept: BTreeSet<usize> = kept.into_iter().collect();
        for (index, (key, _)) in common.iter().enumerate() {
            if !kept.contains(&index) {
                self.moved.insert(*key);
            }
        }
    }

    pub(crate) fn observe_event(
        &mut self,
        event: WatchEvent<R>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let mut obs = Observation {
            added: matches!(event, WatchEvent::Added(_)),
            ..Observation::now(cx)
        };
        match event {
            WatchEvent::Added(item) | WatchEvent::Modified(item) => {
                refuse_empty(&item)?;
                self.see(&item, &self.creations_by_token(), &obs, cx);
            }
            WatchEvent::Deleted(item) => {
                refuse_empty(&item)?;
                let Some(key) = self.key_of(item.id()) else {
                    return Ok(());
                };
                let Some(mut row) = self.rows.get(&key).cloned() else {
                    return Ok(());
                };
                let held = row.base.as_ref().and_then(R::version);
                let order = self.config.version_order;
                if let (Some(theirs), Some(held)) = (item.version(), held) {
                    let compared = crate::observe::compare(order, theirs, held);
                    if compared == Some(std::cmp::Ordering::Less) {
                        return Ok(());
                    }
                }
                row.observe(Sight::Deleted, &obs, cx);
                self.dropped.insert(row.id.clone(), (obs.seq, cx.clock));
                self.put(row);
            }
            WatchEvent::Bookmark { version } => {
                obs.list_version = version;
                for key in self.keys_with_operations() {
                    let Some(mut row) = self.rows.get(&key).cloned() else {
                        continue;
                    };
                    match row.base.clone() {
                        Some(base) => row.observe(Sight::Listed(&base), &obs, cx),
                        // Before the first whole list, nothing is known to be absent.
                        None if self.last_complete == 0 => continue,
                        None => row.observe(Sight::Absent, &obs, cx),
                    }
                    self.put(row);
                }
            }
            WatchEvent::Expired => self.relist = true,
        }
        Ok(())
    }
}

fn refuse_empty<R: Resource>(item: &R) -> Result<(), Error> {
    if item.id().is_empty() {
        return Err(Error::bad_input(
            "watch event",
            "its resource has an empty id",
        ));
    }
    Ok(())
}

/// The places of a longest increasing subsequence (patience sorting, Fredman 1975).
fn longest_increasing(values: &[usize]) -> Vec<usize> {
    let mut tails: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; values.len()];
    for (index, value) in values.iter().enumerate() {
        let pile = tails.partition_point(|t| values[*t] < *value);
        previous[index] = pile.checked_sub(1).map(|p| tails[p]);
        if pile == tails.len() {
            tails.push(index);
        } else {
            tails[pile] = index;
        }
    }
    let mut found = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied();
    while let Some(index) = at {
        found.push(index);
        at = previous[index];
    }
    found.reverse();
    found
}
