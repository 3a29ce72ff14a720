//! The outbox: what is sent, in what order, how often, and what becomes of what is not answered.

mod coalescing;
mod holding;
mod retrying;
mod sending;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Attempt, Backoff, Config, Error, Event, JsonCache, Kind, MetadataPatch, OnFailure, OperationId,
    Outcome, Retry, Settlement, State, Status, Timestamp,
};

type Queued = Event<JsonResource>;

fn cache(list: &str) -> JsonCache {
    with(Config::default(), list)
}

fn with(config: Config, list: &str) -> JsonCache {
    let mut cache = JsonCache::new(config);
    let list = Schema::default().snapshot(list.as_bytes()).unwrap();
    cache.merge(list, Timestamp(0)).unwrap();
    cache
}

fn item(text: &str) -> JsonResource {
    Schema::default().resource(text.as_bytes()).unwrap()
}

fn begin(id: &str, kind: Kind) -> Queued {
    let patch = None;
    Event::Begin {
        id: id.into(),
        kind,
        patch,
        min_ttl_ms: None,
    }
}

fn update(id: &str, patch: &str) -> Queued {
    let patch = Schema::default().merge_patch(patch.as_bytes()).unwrap();
    Event::Begin {
        id: id.into(),
        kind: Kind::Update,
        patch: Some(patch),
        min_ttl_ms: None,
    }
}

fn create(text: &str) -> Queued {
    Event::Create {
        resource: item(text),
        min_ttl_ms: None,
    }
}

fn queue(cache: &mut JsonCache, event: Queued, at: i64) -> OperationId {
    cache
        .queue(event, 0, Timestamp(at))
        .unwrap()
        .operation()
        .unwrap()
}

fn poll(cache: &mut JsonCache, at: i64) -> Option<Attempt<JsonResource>> {
    cache.poll_attempt(Timestamp(at)).unwrap().0
}

/// All that may be sent now, in words: `update a {"id":"a","n":2}`.
fn sent(cache: &mut JsonCache, at: i64) -> Vec<String> {
    std::iter::from_fn(|| poll(cache, at))
        .map(|a| {
            format!(
                "{} {} {}",
                a.kind,
                a.id,
                a.body.map_or(String::new(), |b| b.body().into())
            )
        })
        .collect()
}

/// The ids of what the user sees.
fn visible(cache: &JsonCache) -> Vec<&str> {
    cache.visible().map(|item| item.id()).collect()
}

fn settlements(cache: &JsonCache) -> Vec<(&str, Settlement)> {
    let outcome = |o: &Outcome| (o.kind.name(), o.settlement);
    cache.outcomes().map(outcome).collect()
}
