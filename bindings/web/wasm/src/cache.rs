//! The collection: how every call goes in, and comes out.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Error, Event, JsonCache, Labels, Timestamp};
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::applied;
use crate::error::Refusal;
use crate::journal::Journal;
use crate::reader;

/// A JSON text, or why not.
pub(crate) type Answer = Result<String, Refusal>;

/// One list of JSON resources: what the server last said, and what this client has asked for.
///
/// `now` is in milliseconds after 1970-01-01T00:00:00Z. Numbers of operations, rows and revisions are
/// exact up to 2^53, which no collection reaches.
#[wasm_bindgen]
pub struct Cache {
    pub(crate) cache: JsonCache,
    pub(crate) schema: Schema,
    pub(crate) labels: Labels,
    pub(crate) journal: Journal,
    /// Where the answers of list calls are put.
    pub(crate) buffer: Vec<u8>,
}

/// The caller's time.
pub(crate) fn at(now: f64) -> Timestamp {
    // As of a number: saturating, NaN is 0. The core refuses what is outside the years 0 to 9999.
    #[allow(clippy::cast_possible_truncation)]
    Timestamp(now as i64)
}

/// A whole number that JavaScript gave; what is none is the largest, which nothing has.
pub(crate) fn whole(number: f64) -> u64 {
    if number >= 0.0 && number.fract() == 0.0 {
        number as u64
    } else {
        u64::MAX
    }
}

/// A duration in milliseconds; `None` for none.
pub(crate) fn ms(duration: Option<f64>, what: &str) -> Result<Option<u64>, Error> {
    match duration {
        None => Ok(None),
        Some(ms) if ms >= 0.0 && ms.is_finite() => Ok(Some(ms.round() as u64)),
        Some(ms) => {
            let problem = format!("{ms} is no duration; give milliseconds, 0 or more");
            Err(Error::bad_input(what, problem))
        }
    }
}

/// A value of the core's, from its JSON form.
pub(crate) fn read<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Refusal> {
    reader::from_str(text).map_err(|error| Refusal::bad_input(what, error))
}

#[wasm_bindgen]
impl Cache {
    /// An empty collection, with settings, a schema and labels as the core writes them.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &str, schema: &str, labels: &str) -> Result<Cache, Refusal> {
        Self::opened(JsonCache::new(settings(config)?), schema, labels)
    }

    /// A collection as `save` wrote it; what has become due since is done.
    pub fn restore(
        saved: &str,
        config: &str,
        schema: &str,
        labels: &str,
        now: f64,
    ) -> Result<Cache, Refusal> {
        let record = read(saved, "the saved state")?;
        let cache = JsonCache::restore(settings(config)?, record, at(now))?;
        Self::opened(cache, schema, labels)
    }

    /// The whole state but the settings.
    pub fn save(&self) -> String {
        applied::json(&self.cache.record())
    }

    /// Room for so many bytes in the cache's buffer: where it begins in the memory, until the next
    /// call.
    pub fn room(&mut self, bytes: usize) -> *const u8 {
        if self.buffer.len() < bytes {
            self.buffer.resize(bytes, 0);
        }
        self.buffer.as_ptr()
    }

    /// Replaces the words of all badges.
    pub fn set_labels(&mut self, labels: &str) -> Result<(), Refusal> {
        self.labels = read(labels, "labels")?;
        Ok(())
    }
}

impl Cache {
    fn opened(cache: JsonCache, schema: &str, labels: &str) -> Result<Self, Refusal> {
        Ok(Self {
            cache,
            schema: read(schema, "schema")?,
            labels: read(labels, "labels")?,
            journal: Journal::default(),
            buffer: Vec::new(),
        })
    }

    /// Applies an event.
    pub(crate) fn event(&mut self, event: Event<JsonResource>, now: f64) -> Answer {
        let now = at(now);
        let line = self.journal.line(&event, now);
        let applied = self.cache.apply(event, now)?;
        self.journal.push(line);
        Ok(applied::applied(self, &applied))
    }
}

fn settings(config: &str) -> Result<resourcecache::Config, Refusal> {
    let config: resourcecache::Config = read(config, "config")?;
    for plan in config.progress.values() {
        plan.check()?;
    }
    Ok(config)
}

/// The key under which a collection is kept: a prefix such as `dns-zones`, and what it is of. No two
/// lists of parts give the same.
#[wasm_bindgen]
pub fn cache_key(prefix: &str, parts: Vec<String>) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let none = resourcecache::ResourceConfig {
        key_prefix: "",
        identifier: "",
    };
    prefix.to_string() + &none.cache_key(&parts)
}

/// The lifecycle of an operation as a Mermaid diagram.
#[wasm_bindgen]
pub fn lifecycle_diagram() -> String {
    resourcecache::lifecycle_mermaid()
}
