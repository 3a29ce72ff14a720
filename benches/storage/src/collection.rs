//! The collection that is measured: the list of the other benchmarks, and verbs on it.

use std::sync::Arc;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Timestamp};
use resourcecache_benches::lists::List;
use resourcecache_storage::{Store, StoredCache};

use crate::Outcome;

pub(crate) const KEY: &str = "zones";

pub(crate) type Zones = StoredCache<JsonResource>;

/// A collection of `n`, in a store.
pub(crate) fn seeded(store: Arc<dyn Store>, n: usize) -> Outcome<Zones> {
    let mut cache = Zones::open(store, KEY, Config::default(), Timestamp(0))?;
    let list = Schema::default().snapshot(&List::new(n).bytes())?;
    cache.apply(Event::Merge(list), Timestamp(0))?;
    Ok(cache)
}

/// The event that is timed: a row, another one each time, is being deleted.
pub(crate) fn mark(cache: &mut Zones, n: usize, turn: usize) -> Outcome<()> {
    let id = format!("zone-{:06}", turn * 7_919 % n);
    cache.update(|zones| zones.mark_as_deleting(id.as_str(), None, Timestamp(1)))?;
    Ok(())
}

/// Opens it anew.
pub(crate) fn load(store: &Arc<dyn Store>, n: usize) -> Outcome<()> {
    let cache = Zones::open(store.clone(), KEY, Config::default(), Timestamp(1))?;
    if cache.cache().all().count() != n {
        return Err("it is not all there".into());
    }
    Ok(())
}
