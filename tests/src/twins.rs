//! Two caches of one list: one merges each response as it is read, the other its snapshot. They
//! must never differ (DESIGN 10).

use resourcecache::json::Schema;
use resourcecache::{Applied, Changes, Config, Coverage, Error, JsonCache, Timestamp};

use crate::responses::{ListStep, Text};

/// The two, and the last whole list.
#[derive(Clone, Debug)]
pub struct Twins {
    /// By `merge_response`.
    pub read: JsonCache,
    /// By `snapshot` and `merge`.
    pub taken: JsonCache,
    schema: Schema,
    last: Text,
}

/// The state as it is saved.
pub fn bytes(cache: &JsonCache) -> Vec<u8> {
    serde_json::to_vec(&cache.record()).unwrap_or_default()
}

fn reloaded(cache: &JsonCache, now: Timestamp) -> Result<JsonCache, String> {
    let record =
        serde_json::from_slice(&bytes(cache)).map_err(|e| format!("a saved state: {e}"))?;
    JsonCache::restore(cache.config().clone(), record, now)
        .map_err(|e| format!("a saved state: {e}"))
}

impl Twins {
    /// Two empty caches.
    pub fn new(config: &Config, schema: Schema) -> Self {
        Self {
            read: JsonCache::new(config.clone()),
            taken: JsonCache::new(config.clone()),
            last: Text(
                schema
                    .items
                    .to_string()
                    .split('/')
                    .skip(1)
                    .fold(b"[]".to_vec(), |inner, name| {
                        [format!("{{\"{name}\":").as_bytes(), &inner, b"}"].concat()
                    }),
            ),
            schema,
        }
    }

    /// Does the same to both; what they answered, when it was the same, and left the same state.
    ///
    /// # Errors
    ///
    /// Where they differ.
    pub fn step(
        &mut self,
        step: &ListStep,
        now: Timestamp,
    ) -> Result<Result<Changes, Error>, String> {
        let (one, two) = match step {
            ListStep::List(response) => {
                self.last.clone_from(response);
                self.merge(response, &Coverage::Complete, now)
            }
            ListStep::Again => self.merge(&self.last.clone(), &Coverage::Complete, now),
            ListStep::Page(after, before, response) => {
                let bound = |i: &u32| Some(format!("z{i}").as_str().into());
                let (after, before) = (bound(after), bound(before));
                self.merge(response, &Coverage::Page { after, before }, now)
            }
            ListStep::Mark(id, kind) => {
                let id = format!("z{id}");
                self.both(|cache, _| cache.mark_as_processing(id.as_str(), *kind, now))
            }
            ListStep::Update(id, value) => {
                let (id, patch) = (
                    format!("z{id}"),
                    format!("{{\"m\":{{\"v\":{value}}},\"n\":null}}"),
                );
                self.both(|cache, schema| {
                    cache.mark_as_updating(id.as_str(), schema.merge_patch(patch.as_bytes())?, now)
                })
            }
            ListStep::Create(id) => {
                let new = format!("{{\"id\":\"new{id}\",\"m\":{{\"t\":\"t{}\"}}}}", id % 3);
                self.both(|cache, schema| {
                    cache.add_as_creating(schema.resource(new.as_bytes())?, now)
                })
            }
            ListStep::Reload => {
                (self.read, self.taken) = (reloaded(&self.read, now)?, reloaded(&self.taken, now)?);
                self.both(|cache, _| cache.handle_timeout(now))
            }
        };
        if one != two {
            return Err(format!("read: {one:?}\ntaken: {two:?}"));
        }
        let (read, taken) = (bytes(&self.read), bytes(&self.taken));
        if read != taken {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            return Err(format!("read: {}\ntaken: {}", text(&read), text(&taken)));
        }
        Ok(one)
    }

    fn both(
        &mut self,
        act: impl Fn(&mut JsonCache, &Schema) -> Result<Applied, Error>,
    ) -> (Result<Changes, Error>, Result<Changes, Error>) {
        let one = act(&mut self.read, &self.schema);
        let two = act(&mut self.taken, &self.schema);
        (
            one.map(|applied| applied.changes),
            two.map(|applied| applied.changes),
        )
    }

    fn merge(
        &mut self,
        response: &Text,
        coverage: &Coverage,
        now: Timestamp,
    ) -> (Result<Changes, Error>, Result<Changes, Error>) {
        let read = self.schema.response(&response.0).covering(coverage.clone());
        let one = self.read.merge_response(read, now);
        let snapshot = self.schema.snapshot(&response.0);
        let two = snapshot.and_then(|s| self.taken.merge(s.covering(coverage.clone()), now));
        (
            one.map(|applied| applied.changes),
            two.map(|applied| applied.changes),
        )
    }
}
