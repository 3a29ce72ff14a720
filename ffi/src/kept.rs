//! The collection, be it in memory alone or kept in a store.

use std::collections::BTreeMap;
use std::ops::Deref;

use resourcecache::json::{JsonResource, Response};
use resourcecache::{
    Applied, Attempt, Changes, Event, FetchToken, ResourceCache, RowKey, Timestamp, Upsert,
};
use resourcecache_storage::{Committed, Error, StoredCache};

use crate::error::CacheError;

/// To be read as the core's collection; what changes it is committed where there is a store.
pub(crate) enum Kept {
    Memory(Box<resourcecache::JsonCache>),
    Stored(Box<Shared>),
}

/// A collection that others may commit to, and what of that was not told yet.
pub(crate) struct Shared {
    stored: StoredCache<JsonResource>,
    /// What was caught up with by calls that were refused: it goes with the next answer, so that who
    /// follows the answers holds the list.
    untold: Vec<Changes>,
}

impl Shared {
    /// Does something; answers what others had committed first, and its value.
    fn run<T>(
        &mut self,
        act: impl FnOnce(&mut StoredCache<JsonResource>) -> Result<Committed<T>, Error>,
    ) -> Result<(Vec<Changes>, T), Error> {
        let before = self.stored.cache().revision();
        match act(&mut self.stored) {
            Ok(Committed { caught_up, value }) => {
                let mut first = std::mem::take(&mut self.untold);
                first.extend(caught_up);
                Ok((first, value))
            }
            Err(error) => {
                let cache = self.stored.cache();
                if cache.revision() != before {
                    self.untold.extend(cache.changes_since(before));
                }
                Err(error)
            }
        }
    }
}

impl Deref for Kept {
    type Target = ResourceCache<JsonResource>;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Memory(cache) => cache,
            Self::Stored(shared) => shared.stored.cache(),
        }
    }
}

impl Kept {
    pub(crate) fn in_memory(cache: resourcecache::JsonCache) -> Self {
        Self::Memory(Box::new(cache))
    }

    pub(crate) fn in_store(stored: StoredCache<JsonResource>) -> Self {
        let untold = Vec::new();
        Self::Stored(Box::new(Shared { stored, untold }))
    }

    pub(crate) fn apply(
        &mut self,
        event: Event<JsonResource>,
        now: Timestamp,
    ) -> Result<Applied, Error> {
        match self {
            Self::Memory(cache) => Ok(cache.apply(event, now)?),
            Self::Stored(shared) => {
                let (first, applied) = shared.run(|stored| stored.apply(event, now))?;
                Ok(joined_applied(shared.stored.cache(), first, applied))
            }
        }
    }

    pub(crate) fn merge_response(
        &mut self,
        response: Response<'_>,
        now: Timestamp,
    ) -> Result<Applied, Error> {
        match self {
            Self::Memory(cache) => Ok(cache.merge_response(response, now)?),
            Self::Stored(shared) => {
                let merge = |cache: &mut ResourceCache<JsonResource>| {
                    cache.merge_response(response.clone(), now)
                };
                let (first, applied) = shared.run(|stored| stored.update(merge))?;
                Ok(joined_applied(shared.stored.cache(), first, applied))
            }
        }
    }

    pub(crate) fn begin_fetch(&mut self, now: Timestamp) -> Result<(FetchToken, Changes), Error> {
        match self {
            Self::Memory(cache) => Ok(cache.begin_fetch(now)),
            Self::Stored(shared) => {
                let begin = |cache: &mut ResourceCache<JsonResource>| Ok(cache.begin_fetch(now));
                let (first, (token, changes)) = shared.run(|stored| stored.update(begin))?;
                Ok((token, joined(shared.stored.cache(), first, changes)))
            }
        }
    }

    pub(crate) fn poll_attempt(
        &mut self,
        now: Timestamp,
    ) -> Result<(Option<Attempt<JsonResource>>, Changes), Error> {
        match self {
            Self::Memory(cache) => Ok(cache.poll_attempt(now)?),
            Self::Stored(shared) => {
                let (first, polled) = shared.run(|stored| stored.poll_attempt(now))?;
                let (attempt, mut changes) = polled;
                // Where another instance sends, nothing is asked of the core.
                changes.revision = shared.stored.cache().revision();
                Ok((attempt, joined(shared.stored.cache(), first, changes)))
            }
        }
    }

    /// Takes what other instances have committed.
    pub(crate) fn sync(&mut self) -> Result<Changes, CacheError> {
        let shared = self.shared()?;
        let sync = |stored: &mut StoredCache<JsonResource>| {
            let (caught_up, value) = (Vec::new(), stored.sync()?);
            Ok(Committed { caught_up, value })
        };
        let (first, changes) = shared.run(sync)?;
        Ok(joined(shared.stored.cache(), first, changes))
    }

    /// What is kept in a store; a refusal otherwise.
    pub(crate) fn stored(&mut self) -> Result<&mut StoredCache<JsonResource>, CacheError> {
        Ok(&mut self.shared()?.stored)
    }

    /// Under which key it is kept.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Memory(_) => None,
            Self::Stored(shared) => Some(shared.stored.key()),
        }
    }

    fn shared(&mut self) -> Result<&mut Shared, CacheError> {
        match self {
            Self::Stored(shared) => Ok(shared),
            Self::Memory(_) => Err(CacheError::bad_input(
                "store",
                "this collection is in memory alone, and shared with nobody; open one in a store",
            )),
        }
    }
}

fn joined_applied(
    cache: &ResourceCache<JsonResource>,
    first: Vec<Changes>,
    applied: Applied,
) -> Applied {
    Applied {
        changes: joined(cache, first, applied.changes),
        ..applied
    }
}

/// Several changes, one after the other, as one: every row that any of them touched, as it is now.
fn joined(cache: &ResourceCache<JsonResource>, caught_up: Vec<Changes>, own: Changes) -> Changes {
    if caught_up.iter().all(Changes::is_empty) {
        return own;
    }
    let mut all = Changes {
        revision: own.revision,
        ..Changes::default()
    };
    let mut touched = BTreeMap::new();
    for changes in caught_up.into_iter().chain([own]) {
        let removed = changes.removed.into_iter().map(|r| (r.key, Some(r)));
        let upserted = changes.upserted.into_iter().map(|u| (u.key, None));
        // The last id under which a row was removed; for one that is visible it does not matter.
        for (key, removed) in removed.chain(upserted) {
            let last = touched.entry(key).or_insert(None);
            if removed.is_some() {
                *last = removed;
            }
        }
        all.outcomes.extend(changes.outcomes);
        all.warnings.extend(changes.warnings);
    }
    let mut after: Option<RowKey> = None;
    for item in cache.visible() {
        let key = item.key();
        if touched.remove(&key).is_some() {
            let id = item.id().into();
            all.upserted.push(Upsert { key, id, after });
        }
        after = Some(key);
    }
    // A row that came and went meanwhile, without ever having been told, was removed by some part.
    all.removed = touched.into_values().flatten().collect();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use resourcecache::Removed;
    use resourcecache::json::Schema;

    fn cache(ids: &[&str]) -> resourcecache::JsonCache {
        let mut cache = resourcecache::JsonCache::new(resourcecache::Config::default());
        let list: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        let list = format!("[{}]", list.join(","));
        let list = Schema::default().snapshot(list.as_bytes()).expect("a list");
        cache
            .apply(Event::Merge(list), Timestamp(0))
            .expect("it is a list");
        cache
    }

    /// Follows changes as a reader does.
    fn follow(list: &mut Vec<RowKey>, changes: &Changes) {
        let gone = |key: &RowKey| {
            changes.removed.iter().any(|r| r.key == *key)
                || changes.upserted.iter().any(|u| u.key == *key)
        };
        list.retain(|key| !gone(key));
        for Upsert { key, after, .. } in &changes.upserted {
            let at = after.map_or(0, |after| {
                1 + list.iter().position(|k| *k == after).expect("it is there")
            });
            list.insert(at, *key);
        }
    }

    #[test]
    fn joined_changes_lead_a_reader_to_the_same_list() {
        let mut cache = cache(&["a", "b", "c", "d"]);
        let mut list: Vec<RowKey> = cache.visible().map(|i| i.key()).collect();
        let mut parts = Vec::new();
        for ids in ["c,a,b,x", "x,b,c", "y,b,a,c", "b,y,c,d"] {
            let items: Vec<String> = ids
                .split(',')
                .map(|id| format!(r#"{{"id":"{id}"}}"#))
                .collect();
            let body = format!("[{}]", items.join(","));
            let event = Event::Merge(Schema::default().snapshot(body.as_bytes()).expect("a list"));
            parts.push(cache.apply(event, Timestamp(1)).expect("a list").changes);
        }
        let own = parts.pop().expect("four");
        let all = joined(&cache, parts, own);
        follow(&mut list, &all);
        let now: Vec<RowKey> = cache.visible().map(|i| i.key()).collect();
        assert_eq!(list, now);
        assert_eq!(all.revision, cache.revision());
        let removed: Vec<&Removed> = all.removed.iter().collect();
        assert!(removed.iter().any(|r| r.id == *"x"), "{removed:?}");
    }
}
