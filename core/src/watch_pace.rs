//! When a watch session may try again.

use crate::ids::{OperationId, Timestamp};
use crate::retry_policy::draw;
use crate::watch_config::WatchConfig;
use crate::watch_failure::WatchFailure;

/// Waits that grow with failures and end with health.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    seed: u64,
    /// Failures since it was last healthy.
    failed: u32,
    /// Numbers drawn so far.
    draws: u64,
    /// Until when it backs off.
    pub(crate) until: Option<Timestamp>,
    /// Since when all goes well.
    good_since: Option<Timestamp>,
    /// The last failure, until something goes well.
    pub(crate) failure: Option<WatchFailure>,
}

impl Pace {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    pub(crate) fn is_backing_off(&self, clock: Timestamp) -> bool {
        self.until.is_some_and(|until| clock < until)
    }

    /// A call did what it was to do. While it backs off, that was begun before another call failed:
    /// the wait goes on.
    pub(crate) fn succeed(&mut self, clock: Timestamp) {
        if self.is_backing_off(clock) {
            return;
        }
        self.good_since.get_or_insert(clock);
        (self.until, self.failure) = (None, None);
    }

    /// Whether all has gone well for so long that the failures before no longer count.
    pub(crate) fn is_healthy(&self, clock: Timestamp, config: &WatchConfig) -> bool {
        let since = self.good_since;
        since.is_some_and(|since| clock.ms_since(since) >= config.healthy_after_ms)
    }

    /// Something failed: backs off.
    pub(crate) fn fail(&mut self, failure: WatchFailure, clock: Timestamp, config: &WatchConfig) {
        if self.is_healthy(clock, config) {
            self.failed = 0;
        }
        self.failed = self.failed.saturating_add(1);
        self.draws += 1;
        let drawn = draw(self.seed, OperationId(self.draws), 0x77_6174_6368);
        let wait = config.backoff.wait_ms(self.failed, drawn);
        let wait = wait.max(failure.retry_after_ms.unwrap_or(0));
        // A longer wait, that another call was told of, goes on.
        self.until = self.until.max(Some(clock.plus_ms(wait)));
        (self.good_since, self.failure) = (None, Some(failure));
    }

    /// Something ended that may be begun again at once, unless it was so the last time.
    pub(crate) fn end(&mut self, failure: WatchFailure, clock: Timestamp, config: &WatchConfig) {
        let first = self.failed == 0 || self.is_healthy(clock, config);
        let asked = failure.retry_after_ms.is_some();
        let waits = self.until.filter(|until| clock < *until);
        self.fail(failure, clock, config);
        if first && !asked {
            self.until = waits;
        }
    }

    /// Forgets every failure: the network is another.
    pub(crate) fn reset(&mut self) {
        (self.failed, self.until, self.good_since) = (0, None, None);
        self.failure = None;
    }
}
