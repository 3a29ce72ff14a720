//! The collection that is measured: resources of about 390 bytes, and verbs on them.

use std::sync::Arc;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Timestamp};
use resourcecache_storage::{Store, StoredCache};

use crate::Outcome;

pub(crate) const KEY: &str = "zones";

pub(crate) type Zones = StoredCache<JsonResource>;

/// The list's resources, as text.
pub(crate) fn bodies(n: usize) -> impl Iterator<Item = String> {
    (0..n).map(|number| {
        // As uids are: no two alike at the start.
        let uid = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!(
            concat!(
                r#"{{"id":"zone-{:06}","metadata":{{"name":"zone-{}","uid":"{:016x}-4f1c","#,
                r#""resourceVersion":"{}","labels":{{"app":"dns","tier":"t{}"}}}},"#,
                r#""spec":{{"replicas":{},"soa":{{"refresh":3600,"retry":600}},"paused":false}},"#,
                r#""status":{{"conditions":[{{"type":"Ready","status":"True","lastTransitionTime":"2025-01-19T00:00:00Z"}},"#,
                r#"{{"type":"Synced","status":"True","lastTransitionTime":"2025-01-19T00:00:00Z"}}]}}}}"#
            ),
            number, number, uid, 1_000_000 + number, number % 5, number % 7,
        )
    })
}

/// A collection of `n`, in a store.
pub(crate) fn seeded(store: Arc<dyn Store>, n: usize) -> Outcome<Zones> {
    let mut cache = Zones::open(store, KEY, Config::default(), Timestamp(0))?;
    let text = format!("[{}]", bodies(n).collect::<Vec<_>>().join(","));
    let list = Schema::default().snapshot(text.as_bytes())?;
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
