//! How versions compare, and how the collection's own clock goes: kept apart from the cache's own.

use resourcecache::VersionOrder;

/// The collection's own clock, which never steps back (T1): kept here a second time.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnClock {
    own: i64,
    skew: i64,
    started: bool,
}

impl OwnClock {
    /// The own time at the caller's `now`, which is seen from here on.
    pub(crate) fn at(&mut self, now: i64) -> i64 {
        if !self.started {
            *self = Self {
                own: now,
                skew: 0,
                started: true,
            };
        } else if now + self.skew >= self.own {
            self.own = now + self.skew;
        } else {
            self.skew = self.own - now;
        }
        self.own
    }
}

impl OwnClock {
    /// The own time as it was last seen.
    pub(crate) fn now(&self) -> i64 {
        self.own
    }
}

fn rank(order: VersionOrder, version: &str) -> Option<(usize, &str)> {
    match order {
        VersionOrder::Opaque => None,
        // Fixed in width, or compared by length first.
        VersionOrder::Integer | VersionOrder::Timestamp => Some((version.len(), version)),
    }
}

fn compare(order: VersionOrder, a: Option<&str>, b: Option<&str>) -> Option<std::cmp::Ordering> {
    Some(rank(order, a?)?.cmp(&rank(order, b?)?))
}

pub(crate) fn at_or_past(order: VersionOrder, a: Option<&str>, b: Option<&str>) -> bool {
    compare(order, a, b).is_some_and(std::cmp::Ordering::is_ge)
}

pub(crate) fn newer(order: VersionOrder, a: Option<&str>, b: Option<&str>) -> bool {
    compare(order, a, b).is_some_and(std::cmp::Ordering::is_gt)
}
