//! The one clock of this layer: the core's `now` comes from here.

use std::time::{SystemTime, UNIX_EPOCH};

use resourcecache::Timestamp;

/// Tells the time. A closure is one, for tests.
pub trait Clock: Send {
    /// The time now. It may step back: the collection then takes it that no time has passed.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The system's clock. It goes on while the machine sleeps, as the core asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = since.map_or(0, |since| since.as_millis());
        Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}
