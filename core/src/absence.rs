//! What a list covers and does not name (S3).

use crate::cache::ResourceCache;
use crate::changes::{Removed, Warning};
use crate::event::Coverage;
use crate::ids::ResourceId;
use crate::merge::Stood;
use crate::observe::{Observation, Sight};
use crate::plan::Plan;
use crate::resource::Resource;
use crate::row::{Context, LISTED};
use crate::rows::{RowRef, Slot};

/// The places between which a page lies, as far as its bounds are known.
pub(crate) struct Bounds {
    from: Option<usize>,
    to: Option<usize>,
}

impl Bounds {
    /// Where the first item is expected.
    pub(crate) fn first(&self) -> usize {
        self.from.unwrap_or(0)
    }
}

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn bounds(&self, coverage: &Coverage) -> Bounds {
        let (after, before) = match coverage {
            Coverage::Page { after, before } => (after.as_ref(), before.as_ref()),
            _ => (None, None),
        };
        let index = |id: &ResourceId| self.listed_index(id);
        Bounds {
            from: after.map_or(Some(0), |id| index(id).map(|i| i + 1)),
            to: before.map_or(Some(usize::MAX), index),
        }
    }

    /// The place of a resource in the server's list.
    pub(crate) fn listed_index(&self, id: &ResourceId) -> Option<usize> {
        self.find(id.as_str())?.listed_index()
    }

    /// The rows that the list covers and does not name, in list order; those without a place first.
    pub(crate) fn absences(
        &self,
        coverage: &Coverage,
        bounds: &Bounds,
        plan: &Plan<R>,
        stood: &[Stood],
        warnings: &mut Vec<Warning>,
    ) -> Vec<Slot> {
        let len = self.order.listed().len();
        let at = |index| self.order.listed_at(index);
        match coverage {
            Coverage::Complete => {
                let unnamed = stood
                    .iter()
                    .filter(|s| !plan.named.elsewhere.contains(&s.slot));
                let before = unnamed.clone().filter(|s| s.place < Some((LISTED, 0)));
                let behind = unnamed.filter(|s| s.place.is_some_and(|p| p.0 > LISTED));
                let listed = plan.named.listed.unset(len).filter_map(at);
                let before = before.map(|s| s.slot);
                before.chain(listed).chain(behind.map(|s| s.slot)).collect()
            }
            Coverage::Ids(ids) => {
                let keys = ids.iter().filter_map(|id| self.key_of(id.as_str()));
                let slots = keys.filter_map(|key| self.rows.slot(key));
                let rows = slots.filter_map(|slot| Some((slot, self.rows.at(slot)?)));
                let unnamed = rows.filter(|(slot, row)| !plan.named.contains(*slot, *row));
                let mut slots: Vec<_> = unnamed
                    .map(|(slot, row)| (row.place(), row.key(), slot))
                    .collect();
                slots.sort_unstable();
                slots.dedup();
                slots.into_iter().map(|(_, _, slot)| slot).collect()
            }
            Coverage::Page { after, before } => {
                let unknown = [(after, bounds.from), (before, bounds.to)];
                let unknown = unknown.into_iter().filter(|(_, place)| place.is_none());
                let unknown = unknown.filter_map(|(id, _)| id.clone());
                warnings.extend(unknown.map(|id| Warning::UnknownBound { id }));
                let (Some(from), Some(to)) = (bounds.from, bounds.to) else {
                    return Vec::new();
                };
                let covered = (from..to.min(len)).filter(|i| !plan.named.listed.get(*i));
                covered.filter_map(at).collect()
            }
        }
    }

    /// Takes what is absent out; answers the rows that stay in the list nevertheless.
    pub(crate) fn see_absences(
        &mut self,
        absent: &[Slot],
        obs: &Observation,
        cx: &mut Context<'_>,
    ) -> Vec<Slot> {
        let mut others = Vec::new();
        for slot in absent {
            match self.rows.at(*slot) {
                None => continue,
                Some(RowRef::Quiet(row, _)) if row.taken.max(self.last_complete) <= obs.seq => {
                    self.drop_quiet(*slot, obs, cx);
                }
                Some(RowRef::Quiet(..)) => others.push(*slot),
                Some(RowRef::Busy(_)) => {
                    self.see_absent(*slot, obs, cx);
                    let row = self.rows.at(*slot);
                    if row.and_then(RowRef::listed_index).is_some() {
                        others.push(*slot);
                    }
                }
            }
        }
        others
    }

    fn drop_quiet(&mut self, slot: Slot, obs: &Observation, cx: &Context<'_>) {
        self.track(slot);
        let Some((row, index)) = self.rows.remove_quiet(slot) else {
            return;
        };
        self.order.clear((LISTED, index.into()));
        self.strewn += 1;
        let id = ResourceId::from(row.base.id());
        self.drop_id(id.clone(), obs.seq, cx.clock);
        self.gone.push(Removed { key: row.key, id });
    }

    fn see_absent(&mut self, slot: Slot, obs: &Observation, cx: &mut Context<'_>) {
        self.track(slot);
        let row = self.rows.busy_mut(slot);
        let Some(row) = row.filter(|row| row.taken <= obs.seq) else {
            return;
        };
        if row.base.is_none() && obs.at < row.calm_until {
            row.taken = obs.seq;
            let id = row.id.clone();
            self.drop_id(id, obs.seq, cx.clock);
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
            self.drop_id(id, obs.seq, cx.clock);
        }
        self.put(row);
    }
}
