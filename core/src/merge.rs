//! Merges a list: what was planned is done, row by row; then the order is made the server's.

use crate::cache::{Done, ResourceCache};
use crate::changes::Applied;
use crate::error::Error;
use crate::event::{Coverage, Snapshot};
use crate::ids::{FetchToken, RowKey, Timestamp};
use crate::observe::{Observation, Sight, older};
use crate::plan::{Plan, Step};
use crate::resource::Resource;
use crate::row::{Context, LISTED, Place, Row};
use crate::rows::{Quiet, RowRef, Slot};
use crate::snapshot::Items;
use crate::source::{Bits, Source};

/// What a list covers, and when it was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) coverage: Coverage,
    pub(crate) token: Option<FetchToken>,
}

/// A row that is not quiet, as it stood when the merge began.
pub(crate) struct Stood {
    pub(crate) place: Option<Place>,
    pub(crate) key: RowKey,
    pub(crate) slot: Slot,
}

impl Stood {
    /// Its place in the list; behind all of it for what does not stand in it.
    fn index(&self) -> usize {
        match self.place {
            Some((LISTED, index)) => usize::try_from(index).unwrap_or(usize::MAX),
            _ => usize::MAX,
        }
    }
}

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn merge_snapshot(
        &mut self,
        snapshot: Snapshot<R>,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let asked = Asked {
            coverage: snapshot.coverage.clone(),
            token: snapshot.token,
        };
        self.merge_list(Items::of(snapshot), &asked, cx, done)
    }

    /// Merges a list that is read as it comes, without its being taken apart first.
    pub(crate) fn merge_source(
        &mut self,
        source: impl Source<R>,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<Applied, Error> {
        self.enter(now, |cache, cx, done| {
            cache.merge_list(source, asked, cx, done)
        })
    }

    fn merge_list(
        &mut self,
        source: impl Source<R>,
        asked: &Asked,
        cx: &mut Context<'_>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let bounds = self.bounds(&asked.coverage);
        let mut plan = self.plan(source, bounds.first(), &mut done.warnings)?;
        let taken = asked.token.map_or((cx.seq, cx.clock), |t| (t.seq, t.at));
        let obs = Observation {
            seq: taken.0,
            at: taken.1,
            list_version: plan.list_version.take(),
            added: false,
            again: false,
        };
        if obs.seq < self.last_complete {
            return Ok(());
        }
        let stood = self.stood();
        let absent = self.absences(&asked.coverage, &bounds, &plan, &stood, &mut done.warnings);
        let old_len = self.order.listed().len();
        let mut listed = self.see_listed(plan, &stood, asked, &obs, cx);
        let others = self.see_absences(&absent, &obs, cx);
        let order = match &asked.coverage {
            Coverage::Complete => {
                self.last_complete = obs.seq;
                self.relist = false;
                listed.extend(others);
                Some(listed)
            }
            Coverage::Ids(_) => None,
            Coverage::Page { after, before } => {
                self.with_page(&listed, after.as_ref(), before.as_ref())
            }
        };
        self.reorder(order, old_len);
        Ok(())
    }

    /// The rows that are not quiet, in list order; those without a place first.
    fn stood(&self) -> Vec<Stood> {
        let busy = self.rows.busy().map(|(slot, row)| Stood {
            place: row.place,
            key: row.key,
            slot,
        });
        let mut stood: Vec<Stood> = busy.collect();
        stood.sort_by_key(|s| (s.place, s.key));
        stood
    }

    /// Does what was planned; answers the named rows in the list's order.
    fn see_listed(
        &mut self,
        mut plan: Plan<R>,
        stood: &[Stood],
        asked: &Asked,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Vec<Slot> {
        let whole = asked.coverage == Coverage::Complete;
        let old = self.order.listed().to_vec();
        let listed_first = stood.partition_point(|s| s.place < Some((LISTED, 0)));
        let stood = &stood[listed_first..];
        // Steps mostly go on where the one before ended.
        let mut next = 0;
        let mut listed = Vec::with_capacity(old.len() + plan.fresh);
        self.rows.reserve(plan.fresh);
        self.order.reserve(plan.fresh);
        for step in std::mem::take(&mut plan.steps) {
            match step {
                Step::Same { at, count } => {
                    let run = old.get(at..at + count).unwrap_or_default();
                    if !whole {
                        self.taken_at(run, obs.seq);
                    }
                    if next > 0 && stood[next - 1].index() >= at
                        || stood.get(next).is_some_and(|s| s.index() < at)
                    {
                        next = stood.partition_point(|s| s.index() < at);
                    }
                    let end = at + count;
                    while let Some(stood) = stood.get(next).filter(|s| s.index() < end) {
                        self.see_same(stood, obs, cx);
                        next += 1;
                    }
                    listed.extend_from_slice(run);
                }
                Step::Item { item, slot } => {
                    if let Some(body) = plan.bodies.get_mut(item).and_then(Option::take) {
                        let slot = self.see_item(body, slot, obs, cx);
                        listed.extend(slot);
                    }
                }
                Step::New { item, hash } => {
                    if let Some(body) = plan.bodies.get_mut(item).and_then(Option::take) {
                        let slot = self.see_new(body, hash, obs, cx);
                        listed.extend(slot);
                    }
                }
            }
        }
        self.keep_once(&mut listed);
        listed
    }

    /// Takes out what the running merge has left without the server's copy, or made one with
    /// another row.
    fn keep_once(&self, listed: &mut Vec<Slot>) {
        let touched = self.before.keys().filter_map(|key| self.rows.slot(*key));
        let mut touched = touched.chain(self.rows.freed()).peekable();
        if touched.peek().is_none() {
            return;
        }
        let slots = self.rows.slots();
        let (touched, mut once) = (Bits::of(touched, slots), Bits::new(slots));
        listed.retain(|slot| {
            let index = *slot as usize;
            if !touched.get(index) {
                return true;
            }
            let stays = !once.get(index) && self.rows.base(*slot).is_some();
            once.insert(index);
            stays
        });
    }

    /// Quiet rows that were seen as they are held, by a list of a part.
    fn taken_at(&mut self, run: &[Slot], seq: u64) {
        for slot in run {
            self.track(*slot);
            if let Some(row) = self.rows.quiet_mut(*slot) {
                row.taken = row.taken.max(seq);
            }
        }
    }

    /// An unchanged row that has operations: they may still be decided by it.
    fn see_same(&mut self, stood: &Stood, obs: &Observation, cx: &mut Context<'_>) {
        self.track(stood.slot);
        let row = self.rows.busy_mut(stood.slot);
        let Some(row) = row.filter(|row| obs.seq >= row.taken) else {
            return;
        };
        if obs.at < row.calm_until {
            row.taken = obs.seq;
        } else if let Some(base) = row.base.clone() {
            self.see_row(stood.key, &base, obs, cx);
        }
    }

    /// Another body for a row; answers where the row is kept.
    fn see_item(
        &mut self,
        item: R,
        slot: Slot,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Option<Slot> {
        let (order, floor) = (self.config.version_order, self.last_complete);
        self.track(slot);
        let Some(row) = self.rows.quiet_mut(slot) else {
            let key = self.rows.at(slot).map(RowRef::key);
            if let Some(alias) = self.rows.alias(item.id()).filter(|a| Some(*a) != key) {
                self.drop_alias(alias, item.id());
            }
            // It may have become one with another row since the plan was made.
            let key = match key {
                Some(key) => self.see_row(key, &item, obs, cx),
                None => self.see(&item, obs, cx),
            };
            return key.and_then(|key| self.rows.slot(key));
        };
        if older(order, item.version(), row.base.version()) || obs.seq < row.taken.max(floor) {
            return Some(slot);
        }
        row.taken = obs.seq;
        if row.base != item {
            row.base = item;
            self.told.push((row.key, slot));
            self.strewn += 1;
        }
        Some(slot)
    }

    /// A resource that is not held.
    fn see_new(
        &mut self,
        item: R,
        hash: u32,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Option<Slot> {
        if self.rows.has_aliases() && self.rows.alias(item.id()).is_some() {
            return self.see(&item, obs, cx).and_then(|key| self.rows.slot(key));
        }
        if self.is_dropped(item.id(), obs, cx) {
            return None;
        }
        Some(self.add(item, hash, obs))
    }

    fn is_dropped(&self, id: &str, obs: &Observation, cx: &Context<'_>) -> bool {
        let keep = self.config.stale_after_ms;
        self.dropped.hides(id, obs.seq, cx.clock, keep)
    }

    /// A row of its own for a resource that nobody here knew, at the end of the list.
    fn add(&mut self, base: R, hash: u32, obs: &Observation) -> Slot {
        let place = self.order.next_listed();
        let key = RowKey(self.next_key);
        self.next_key += 1;
        if let Some(tracking) = &mut self.tracking {
            tracking.new_row(key);
        }
        let row = Quiet {
            base,
            key,
            taken: obs.seq,
        };
        // A list of more than 2^32 rows does not fit into memory.
        let slot = self.rows.add_quiet(hash, row, place.1 as u32);
        self.order.set(place, slot);
        self.told.push((key, slot));
        self.strewn += 1;
        slot
    }

    /// One resource is seen; answers its row.
    pub(crate) fn see(
        &mut self,
        item: &R,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Option<RowKey> {
        if let Some(key) = self.rows.alias(item.id()) {
            self.drop_alias(key, item.id());
        }
        let by_token = item.token().and_then(|token| self.awaiting(token));
        let by_token = by_token.and_then(|slot| self.rows.at(slot).map(RowRef::key));
        match by_token.or_else(|| self.key_of(item.id())) {
            Some(key) => self.see_row(key, item, obs, cx),
            None if self.is_dropped(item.id(), obs, cx) => None,
            None => {
                let mut row = Row::new(RowKey(self.next_key), item.id().into());
                row.base = Some(item.clone());
                row.taken = obs.seq;
                let key = row.key;
                self.strewn += 1;
                self.put(row);
                Some(key)
            }
        }
    }

    /// A known row is seen.
    fn see_row(
        &mut self,
        key: RowKey,
        item: &R,
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Option<RowKey> {
        let slot = self.rows.slot(key)?;
        let seen = self.rows.at(slot)?;
        let quiet = seen.operations().is_empty() && seen.base() == Some(item);
        let mut row = self.rows.draft(slot, self.last_complete)?;
        if quiet && row.id == item.id() && row.taken >= obs.seq {
            return Some(key);
        }
        if row.id != item.id() {
            self.rename(&mut row, item.id(), cx);
        }
        self.strewn += usize::from(row.base.as_ref() != Some(item));
        row.observe(Sight::Listed(item), obs, cx);
        self.put(row);
        self.rows.slot(key).map(|_| key)
    }

    /// An earlier id of a row, listed by the server, is another resource's.
    pub(crate) fn drop_alias(&mut self, key: RowKey, id: &str) {
        if let Some(mut row) = self.draft_of(key).filter(|row| row.id != id) {
            row.aliases.retain(|alias| *alias != id);
            self.put(row);
        }
    }
}
