//! Where `now` comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use resourcecache::Timestamp;

/// A clock that stands until it is moved, for tests: give it to a cache in place of the system's.
#[derive(Debug, uniffi::Object)]
pub struct ManualClock {
    now_ms: AtomicI64,
}

#[uniffi::export]
impl ManualClock {
    /// A clock that shows this time, in milliseconds after 1970-01-01T00:00:00Z.
    #[uniffi::constructor]
    pub fn new(now_ms: i64) -> Arc<Self> {
        let now_ms = AtomicI64::new(now_ms);
        Arc::new(Self { now_ms })
    }

    /// What it shows.
    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    /// Sets it; back, too.
    pub fn set_ms(&self, now_ms: i64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }
}

/// The time, by the clock that was given, or by the system's.
pub(crate) fn now(clock: Option<&ManualClock>) -> Timestamp {
    if let Some(clock) = clock {
        return Timestamp(clock.now_ms());
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // Before 1970, it counts as 1970: a cache's own clock never steps back.
    let ms = since.map_or(0, |since| since.as_millis());
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}
