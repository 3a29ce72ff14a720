//! A planted mistake, by which one sees that the laws bite.

use std::fmt;

use resourcecache::{Attempt, Config, Event, Resource, WatchAction, WatchConfig, WatchMessage};

/// A planted mistake: what a client gets wrong. None by default.
///
/// ```
/// use resourcecache_testing::simulate::{Simulation, Tamper};
/// // A client whose deletions guard nothing.
/// let forgetful = Tamper { config: |config| config.ttl_ms = 0, ..Tamper::default() };
/// let simulation = Simulation::ours().tamper(forgetful);
/// assert!((0..100).any(|seed| simulation.run(seed).violation.is_some()));
/// ```
pub struct Tamper<R: Resource> {
    /// Changes the settings of a client's cache; the laws keep to the world's.
    pub config: fn(&mut Config),
    /// Gives the cache another event than the one that is meant.
    pub event: fn(Event<R>) -> Event<R>,
    /// Sends another attempt than the one that the outbox hands out.
    pub attempt: fn(Attempt<R>) -> Attempt<R>,
    /// Changes the settings of a client's watch session; the laws keep to the world's.
    pub watch: fn(&mut WatchConfig),
    /// Hands a watch session another message than the one that its stream tells.
    pub message: fn(WatchMessage<R>) -> WatchMessage<R>,
    /// Has the driver of a watch session do another thing than the one that it asks for.
    pub action: fn(WatchAction<R>) -> WatchAction<R>,
    /// Sends an attempt under another idempotency key than its own: the key, and the attempt's number.
    pub header: fn(String, u32) -> String,
}

impl<R: Resource> Default for Tamper<R> {
    fn default() -> Self {
        Self {
            config: |_| {},
            event: |event| event,
            attempt: |attempt| attempt,
            watch: |_| {},
            message: |message| message,
            action: |action| action,
            header: |key, _| key,
        }
    }
}

impl<R: Resource> Clone for Tamper<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Resource> Copy for Tamper<R> {}

impl<R: Resource> fmt::Debug for Tamper<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tamper")
    }
}
