//! Lists of about 390 bytes a resource, and the same lists changed.

use resourcecache::json::Schema;
use resourcecache::{Config, JsonCache, Kind, Timestamp, VersionOrder};

/// Resources as text, in list order.
#[derive(Clone, Debug)]
pub struct List(pub Vec<String>);

/// One resource; `version` is the only part in which its texts differ.
fn resource(number: usize, version: usize) -> String {
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
        number,
        number,
        uid,
        1_000_000 + version,
        number % 5,
        number % 7,
    )
}

impl List {
    pub fn new(n: usize) -> Self {
        Self((0..n).map(|i| resource(i, i)).collect())
    }

    pub fn bytes(&self) -> Vec<u8> {
        format!("[{}]", self.0.join(",")).into_bytes()
    }

    /// Every `every`th resource with another version, as long as the old one.
    #[must_use]
    pub fn changed(&self, every: usize, round: usize) -> Self {
        let mut list = self.clone();
        for i in (0..list.0.len()).step_by(every) {
            list.0[i] = resource(i, 500_000 + round * 1_000 + i % 1_000);
        }
        list
    }

    /// One per cent each inserted, removed and moved, spread over the list.
    #[must_use]
    pub fn shuffled(&self) -> Self {
        let n = self.0.len();
        let mut list = Vec::with_capacity(n);
        let mut moved = Vec::new();
        for (i, text) in self.0.iter().enumerate() {
            match i % 100 {
                25 => {}
                50 => moved.push(text.clone()),
                75 => {
                    list.push(resource(n + i, i));
                    list.push(text.clone());
                }
                _ => list.push(text.clone()),
            }
            if i % 100 == 10 {
                list.extend(moved.pop());
            }
        }
        list.extend(moved);
        Self(list)
    }

    #[must_use]
    pub fn reversed(&self) -> Self {
        Self(self.0.iter().rev().cloned().collect())
    }
}

pub fn schema() -> Schema {
    Schema {
        uid: "/metadata/uid".parse().ok(),
        version: "/metadata/resourceVersion".parse().ok(),
        ..Schema::default()
    }
}

/// A cache that holds the list, with one per cent of it pending: deletions, updates and creations
/// by thirds.
pub fn cache(schema: &Schema, list: &List) -> JsonCache {
    let mut cache = bare(schema, list);
    let n = list.0.len();
    for k in 0..n / 100 {
        let id = format!("zone-{:06}", k * 100 + 33);
        let done = match k % 3 {
            0 => cache.mark_as_deleting(id, None, Timestamp(0)),
            1 => {
                let patch = schema.merge_patch(br#"{"spec":{"replicas":9}}"#);
                patch.and_then(|patch| cache.mark_as_updating(id, patch, Timestamp(0)))
            }
            _ => {
                let new = schema.resource(resource(9 * n + k, k).as_bytes());
                new.and_then(|new| cache.add_as_creating(new, Timestamp(0)))
            }
        };
        assert!(done.is_ok());
    }
    cache
}

/// A cache that holds the list, and nothing pending.
pub fn bare(schema: &Schema, list: &List) -> JsonCache {
    cold(schema, &list.bytes())
}

/// A cache that takes its first response.
#[must_use]
pub fn cold(schema: &Schema, bytes: &[u8]) -> JsonCache {
    let mut config = Config::default();
    config.version_order = VersionOrder::Opaque;
    let mut cache = JsonCache::new(config);
    merge(&mut cache, schema, bytes);
    cache
}

pub fn merge(cache: &mut JsonCache, schema: &Schema, bytes: &[u8]) -> usize {
    let merged = cache.merge_response(schema.response(bytes), Timestamp(0));
    merged.map_or(usize::MAX, |m| {
        m.changes.upserted.len() + m.changes.removed.len()
    })
}

pub fn mark(cache: &mut JsonCache, id: &str) {
    let done = cache.mark_as_processing(id, Kind::Delete, Timestamp(0));
    assert!(done.is_ok());
}

/// An edit, and the server's acknowledgement of it.
pub fn update(cache: &mut JsonCache, schema: &Schema, id: &str) {
    let patch = schema.merge_patch(br#"{"spec":{"replicas":8}}"#);
    let begun = patch.and_then(|patch| cache.mark_as_updating(id, patch, Timestamp(0)));
    let operation = begun.ok().and_then(|applied| applied.operation());
    assert!(operation.is_some_and(|op| cache.acknowledge(op, None, Timestamp(0)).is_ok()));
}
