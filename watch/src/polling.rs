//! When to list because something is pending that the stream does not decide. Pure.

use std::time::Duration;

use resourcecache::Timestamp;

/// The pace of such lists.
#[derive(Debug)]
pub(crate) struct Polling {
    /// How often at most; `None` never.
    pub(crate) every: Option<Duration>,
    /// When to look whether a list is of use. To look goes through all that is pending, so that it is
    /// done when a deadline has passed, and not at each event.
    look: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Default for Polling {
    fn default() -> Self {
        Self {
            every: Some(Duration::from_secs(30)),
            // What a saved collection waits for may be of use by now.
            look: Some(Timestamp(i64::MIN)),
            last: None,
        }
    }
}

impl Polling {
    /// When to look again at the latest.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        self.look.filter(|_| self.every.is_some())
    }

    /// Looks at this time at the latest.
    pub(crate) fn look_at(&mut self, at: Timestamp) {
        self.look = Some(self.look.map_or(at, |look| look.min(at)));
    }

    /// Whether to look now; otherwise when the collection's next deadline has passed, at the latest.
    pub(crate) fn is_due(&mut self, deadline: Option<Timestamp>, now: Timestamp) -> bool {
        if self.every.is_none() {
            return false;
        }
        let due = self.look.is_some_and(|look| look <= now);
        if let Some(at) = deadline.filter(|_| !due) {
            self.look_at(at);
        }
        due
    }

    /// Whether to list now, where that has been of use `since` then, or will be.
    pub(crate) fn decide(
        &mut self,
        since: Option<Timestamp>,
        waits_first: bool,
        now: Timestamp,
    ) -> bool {
        self.look = None;
        let (Some(every), Some(since)) = (self.every, since) else {
            return false;
        };
        let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).max(1);
        let first = since.plus_ms(if waits_first { every } else { 0 });
        let next = self.last.map(|last| last.plus_ms(every));
        let at = next.map_or(first, |next| next.max(first));
        let lists = at <= now;
        if lists {
            self.last = Some(now);
        }
        self.look = Some(if lists { now.plus_ms(every) } else { at });
        lists
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Option<Timestamp> {
        Some(Timestamp(ms))
    }

    fn polling(ms: u64) -> Polling {
        Polling {
            every: Some(Duration::from_millis(ms)),
            ..Polling::default()
        }
    }

    /// T4: at the end of the first TTL, and again at the given pace while nothing decides.
    #[test]
    fn lists_begin_when_they_are_of_use_and_keep_their_pace() {
        let mut polling = polling(100);
        assert!(polling.is_due(None, Timestamp(0)), "what was saved");
        assert!(!polling.decide(at(50), false, Timestamp(0)));
        assert_eq!(polling.at(), at(50));
        assert!(!polling.is_due(at(70), Timestamp(49)));
        assert_eq!(polling.at(), at(50));
        assert!(polling.is_due(at(70), Timestamp(50)));
        assert!(polling.decide(at(50), false, Timestamp(50)));
        assert_eq!(polling.at(), at(150));
        assert!(!polling.decide(at(50), false, Timestamp(149)));
        assert!(polling.decide(at(50), false, Timestamp(150)));
        // Decided: the next deadline is looked at.
        assert!(!polling.decide(None, false, Timestamp(250)));
        assert_eq!(polling.at(), None);
        assert!(!polling.is_due(at(900), Timestamp(260)));
        assert_eq!(polling.at(), at(900));
        polling.look_at(Timestamp(270));
        assert_eq!(polling.at(), at(270));
    }

    #[test]
    fn bookmarks_are_left_some_time_where_a_list_ends_the_stream() {
        let mut polling = polling(100);
        assert!(!polling.decide(at(50), true, Timestamp(60)));
        assert_eq!(polling.at(), at(150));
        assert!(polling.decide(at(50), true, Timestamp(150)));
        assert_eq!(polling.at(), at(250));
    }

    #[test]
    fn none_is_never() {
        let mut polling = polling(100);
        polling.every = None;
        assert!(!polling.is_due(at(0), Timestamp(100)));
        assert!(!polling.decide(at(0), false, Timestamp(100)));
        assert_eq!(polling.at(), None);
    }
}
