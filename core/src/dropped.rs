//! Ids that an answer dropped, for as long as an older one may still bring them back (S6).

use std::collections::{BTreeMap, BTreeSet};

use crate::cache::ResourceCache;
use crate::ids::{ResourceId, Timestamp};
use crate::resource::Resource;

/// When an id was dropped: in events, and by the clock.
pub(crate) type At = (u64, Timestamp);

#[derive(Clone, Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) by_id: BTreeMap<ResourceId, At>,
    by_time: BTreeSet<(Timestamp, ResourceId)>,
}

impl Dropped {
    /// Puts an id in, or takes it out; answers what was known of it.
    pub(crate) fn set(&mut self, id: ResourceId, at: Option<At>) -> Option<At> {
        let old = match at {
            Some(at) => self.by_id.insert(id.clone(), at),
            None => self.by_id.remove(id.as_str()),
        };
        if let Some((_, old)) = old {
            self.by_time.remove(&(old, id.clone()));
        }
        if let Some((_, at)) = at {
            self.by_time.insert((at, id));
        }
        old
    }

    /// An id that is not to be hidden any longer.
    fn spent(&self, clock: Timestamp, keep_ms: u64) -> Option<ResourceId> {
        let (at, id) = self.by_time.first()?;
        (at.plus_ms(keep_ms) <= clock).then(|| id.clone())
    }

    /// Whether an answer taken at `seq` is too old to bring this id back.
    pub(crate) fn hides(&self, id: &str, seq: u64, clock: Timestamp, keep_ms: u64) -> bool {
        let dropped = self.by_id.get(id);
        dropped.is_some_and(|(since, at)| *since > seq && at.plus_ms(keep_ms) > clock)
    }
}

impl<R: Resource> ResourceCache<R> {
    /// An answer taken then dropped this id.
    pub(crate) fn drop_id(&mut self, id: ResourceId, seq: u64, at: Timestamp) {
        self.set_dropped(id, Some((seq, at)));
    }

    pub(crate) fn purge_dropped(&mut self, clock: Timestamp) {
        while let Some(id) = self.dropped.spent(clock, self.config.stale_after_ms) {
            self.set_dropped(id, None);
        }
    }

    fn set_dropped(&mut self, id: ResourceId, at: Option<At>) {
        let old = self.dropped.set(id.clone(), at);
        if let Some(tracking) = &mut self.tracking {
            tracking.dropped.entry(id).or_insert(old);
        }
    }
}
