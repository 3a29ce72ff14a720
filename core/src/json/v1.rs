//! The list that v1.0 kept under a key: a JSON array of the resources, each with its `_meta` (M1).

use serde_json::{Map, Value};

use crate::cache::ResourceCache;
use crate::error::Error;
use crate::ids::Timestamp;
use crate::json::pointer::{Pointer, find};
use crate::json::resource::JsonResource;
use crate::json::schema::Schema;
use crate::metadata::{Metadata, check_progress};

impl Schema {
    /// Reads a list that v1.0 saved, for [`Event::ImportV1`](crate::Event::ImportV1).
    ///
    /// A time in `_meta` may be RFC 3339, or a number of milliseconds after 1970; where it is neither,
    /// as what JavaScript made of a bad date, it counts as not given: the clock of its operation starts
    /// at the import. A `minTtl` or `ttl` may be any number; it is rounded, and 0 at least.
    ///
    /// # Errors
    ///
    /// [`Error::BadSnapshot`] for an item without id or with a `_meta` that is none.
    pub fn list_v1(&self, list: &[u8]) -> Result<Vec<(JsonResource, Option<Metadata>)>, Error> {
        let whole = Self {
            items: Pointer::default(),
            list_version: None,
            ..self.clone()
        };
        let snapshot = whole.snapshot(list)?;
        if let Some(bad) = snapshot.bad.into_iter().next() {
            return Err(Error::BadSnapshot {
                position: Some(bad.position),
                problem: bad.problem,
            });
        }
        let items = snapshot.items.into_iter().enumerate();
        let read = items.map(|(position, resource)| {
            let meta = meta(&resource).map_err(|problem| Error::BadSnapshot {
                position: Some(position),
                problem: format!("_meta: {problem}"),
            })?;
            Ok((resource.without_meta(), meta))
        });
        read.collect()
    }
}

fn meta(resource: &JsonResource) -> Result<Option<Metadata>, String> {
    let Some(range) = find(resource.body(), &["_meta".into()]) else {
        return Ok(None);
    };
    let text = &resource.body()[range];
    let read: Option<Map<String, Value>> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Some(mut fields) = read else {
        return Ok(None);
    };
    for name in [
        "startedAt",
        "completedAt",
        "deletedAt",
        "createdAt",
        "updatedAt",
        "expectedAt",
        "nextAttemptAt",
    ] {
        let time = fields.remove(name).as_ref().and_then(time);
        fields.extend(time.map(|time| (name.into(), time.to_rfc3339().into())));
    }
    for name in ["minTtl", "ttl"] {
        if let Some(ms) = fields.get(name).and_then(Value::as_f64) {
            // `as` stops at the ends of the range.
            fields.insert(name.into(), (ms.round() as u64).into());
        }
    }
    let meta: Metadata =
        serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())?;
    if let Some(progress) = meta.progress {
        check_progress(progress).map_err(|error| error.to_string())?;
    }
    Ok(Some(meta))
}

fn time(value: &Value) -> Option<Timestamp> {
    let time = match value {
        Value::String(text) => Timestamp::parse_rfc3339(text),
        Value::Number(ms) => ms.as_f64().map(|ms| Timestamp(ms as i64)),
        _ => None,
    };
    time.filter(|time| time.is_writable())
}

/// The whole collection, hidden resources included, as a list that v1.0 reads (M1).
///
/// ```
/// use resourcecache::{Config, JsonCache, Timestamp, json};
/// let schema = json::Schema::default();
/// let mut cache = JsonCache::new(Config::default());
/// cache.merge(schema.snapshot(br#"[{"id":"a"}]"#)?, Timestamp(0))?;
/// cache.mark_as_processing("a", resourcecache::Kind::Delete, Timestamp(0))?;
/// assert!(json::list_v1(&cache).starts_with(r#"[{"id":"a","_meta":{"status":"deleting","#));
/// # Ok::<(), resourcecache::Error>(())
/// ```
pub fn list_v1(cache: &ResourceCache<JsonResource>) -> String {
    let items: Vec<String> = cache
        .all()
        .map(|item| {
            item.body()
                .with_meta(item.meta().filter(|m| m.status.is_some()).as_ref())
        })
        .collect();
    format!("[{}]", items.join(","))
}
