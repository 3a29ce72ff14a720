//! The collection behind its lock: how every call goes in, and comes out.

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use resourcecache::json::JsonResource;
use resourcecache::{Error, Event, Timestamp};

use crate::applied::Applied;
use crate::clock::{ManualClock, now};
use crate::error::CacheError;
use crate::journal::Journal;
use crate::kept::Kept;
use crate::observer::{ChangeObserver, Observers};
use crate::settings::{Config, Schema};

/// One list of JSON resources: what the server last said, and what this client has asked for.
///
/// Every call locks once, and reads the clock once. It may be used from many threads.
#[derive(uniffi::Object)]
pub struct JsonCache {
    inner: Mutex<Inner>,
    observers: Observers,
    clock: Option<Arc<ManualClock>>,
}

/// What the lock is for.
pub(crate) struct Inner {
    pub(crate) cache: Kept,
    pub(crate) schema: resourcecache::json::Schema,
    pub(crate) labels: resourcecache::Labels,
    pub(crate) journal: Journal,
    /// The fault by which it ended.
    broken: Option<String>,
}

#[uniffi::export]
impl JsonCache {
    /// An empty collection: nothing is known of the server yet. By the system's clock, unless
    /// another is given.
    #[uniffi::constructor(default(config = None, schema = None, clock = None))]
    pub fn new(
        config: Option<Config>,
        schema: Option<Schema>,
        clock: Option<Arc<ManualClock>>,
    ) -> Result<Arc<Self>, CacheError> {
        Self::opened(config, schema, clock, |config, _| {
            Ok(Kept::in_memory(resourcecache::JsonCache::new(config)))
        })
    }

    /// A collection as `save` wrote it; what has become due since is done. Settings are not part of
    /// what is saved: give the same ones.
    #[uniffi::constructor(default(config = None, schema = None, clock = None))]
    pub fn restore(
        saved: &[u8],
        config: Option<Config>,
        schema: Option<Schema>,
        clock: Option<Arc<ManualClock>>,
    ) -> Result<Arc<Self>, CacheError> {
        let record = serde_json::from_slice(saved)
            .map_err(|error| CacheError::bad_input("the saved state", error))?;
        Self::opened(config, schema, clock, |config, now| {
            let cache = resourcecache::JsonCache::restore(config, record, now)?;
            Ok(Kept::in_memory(cache))
        })
    }

    /// The whole state but the settings, as JSON. The same calls at the same times lead to the same
    /// text.
    pub fn save(&self) -> Result<String, CacheError> {
        self.read(|inner| serde_json::to_string(&inner.cache.record()))?
            .map_err(|error| CacheError::bad_input("the state", error))
    }

    /// Has an observer told of every change; answers a number by which `unsubscribe` ends that.
    pub fn subscribe(&self, observer: Arc<dyn ChangeObserver>) -> u64 {
        self.observers.add(observer)
    }

    /// Ends a subscription; false for one that there is not.
    pub fn unsubscribe(&self, subscription: u64) -> bool {
        self.observers.remove(subscription)
    }

    /// The time by the cache's clock, in milliseconds after 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        now(self.clock.as_deref()).0
    }
}

impl JsonCache {
    /// One whose collection is made with the core's settings, at the time of its clock.
    pub(crate) fn opened(
        config: Option<Config>,
        schema: Option<Schema>,
        clock: Option<Arc<ManualClock>>,
        open: impl FnOnce(resourcecache::Config, Timestamp) -> Result<Kept, CacheError>,
    ) -> Result<Arc<Self>, CacheError> {
        let (config, schema) = read(config, schema)?;
        let now = now(clock.as_deref());
        let cache =
            guarded(|| open(config, now)).map_err(|problem| CacheError::Broken { problem })??;
        let inner = Inner {
            cache,
            schema,
            labels: resourcecache::Labels::default(),
            journal: Journal::default(),
            broken: None,
        };
        Ok(Arc::new(Self {
            inner: Mutex::new(inner),
            observers: Observers::default(),
            clock,
        }))
    }

    /// Asks something under the lock. A fault of the core becomes an error, and nothing more.
    pub(crate) fn read<T>(&self, ask: impl FnOnce(&Inner) -> T) -> Result<T, CacheError> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.check()?;
        guarded(|| ask(&inner)).map_err(|problem| CacheError::Broken { problem })
    }

    /// Changes something under the lock, and tells the observers when it is released. After a fault
    /// of the core nobody knows what was changed, so that it is the last call.
    pub(crate) fn change<T>(
        &self,
        act: impl FnOnce(&mut Inner, Timestamp) -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        let now = now(self.clock.as_deref());
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.check()?;
        let before = inner.cache.revision();
        let done = match guarded(|| act(&mut inner, now)) {
            Ok(done) => done,
            Err(problem) => {
                inner.broken = Some(problem.clone());
                return Err(CacheError::Broken { problem });
            }
        };
        let after = inner.cache.revision();
        drop(inner);
        if after != before {
            self.observers.tell(after.0);
        }
        done
    }

    /// Applies the event that is built under the lock.
    pub(crate) fn event(
        &self,
        build: impl FnOnce(&Inner) -> Result<Event<JsonResource>, Error>,
    ) -> Result<Applied, CacheError> {
        self.change(|inner, now| {
            let event = build(inner)?;
            inner.apply(event, now)
        })
    }
}

impl Inner {
    fn check(&self) -> Result<(), CacheError> {
        match &self.broken {
            None => Ok(()),
            Some(problem) => Err(CacheError::Broken {
                problem: problem.clone(),
            }),
        }
    }

    pub(crate) fn apply(
        &mut self,
        event: Event<JsonResource>,
        now: Timestamp,
    ) -> Result<Applied, CacheError> {
        let line = self.journal.line(&event, now);
        let applied = self.cache.apply(event, now)?;
        self.journal.push(line);
        Ok(Applied::of(self, applied))
    }
}

/// The core's settings; without a seed, with a random one.
fn read(
    config: Option<Config>,
    schema: Option<Schema>,
) -> Result<(resourcecache::Config, resourcecache::json::Schema), CacheError> {
    let mut config = config.unwrap_or_default();
    let random = || RandomState::new().hash_one("resourcecache");
    config.seed = config.seed.or_else(|| Some(random()));
    Ok((config.read()?, schema.unwrap_or_default().read()?))
}

/// Runs what must not unwind across the border; the error is the fault's text.
fn guarded<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|fault| {
        let text = text_of(&*fault);
        format!("a fault of the cache itself, please report it: {text}")
    })
}

fn text_of(fault: &(dyn Any + Send)) -> String {
    let literal = fault.downcast_ref::<&str>().map(ToString::to_string);
    let text = literal.or_else(|| fault.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without words".into())
}

#[cfg(test)]
mod tests;
