//! Stages declared once: how far an operation is, what a list says of it, and what ends it (P1 to P6).

mod creating;
mod ending;
mod silence;
mod stages;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Change, Config, Event, JsonCache, Kind, Metadata, MetadataPatch, Progress, ProgressPlan,
    Reason, Retry, Settlement, Stage, State, Status, Timestamp, VersionOrder, WatchEvent,
};

/// One second, three, unknown to the server, then the end.
fn plan() -> ProgressPlan {
    ProgressPlan::new([
        Stage::new("first").message("First...").expected_ms(1_000),
        Stage::new("second").expected_ms(3_000).weight(3),
        Stage::new("third").expected_ms(2_000).weight(2),
        Stage::new("done").message("Done!").completes(),
        Stage::new("failed").fails(Some("/error")),
    ])
    .rule("/flag", [("true", "third")])
    .rule(
        "/status",
        [
            ("one", "first"),
            ("two", "second"),
            ("ready", "done"),
            ("bad", "failed"),
        ],
    )
}

fn with(kind: Kind, plan: ProgressPlan, list: &str) -> JsonCache {
    let mut config = Config::default();
    config.version_order = VersionOrder::Integer;
    config.progress.insert(kind, plan);
    let mut cache = JsonCache::new(config);
    merge(&mut cache, list, 0);
    cache
}

fn processing(list: &str) -> JsonCache {
    let mut cache = with(Kind::Process, plan(), list);
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    cache
}

fn schema() -> Schema {
    Schema {
        version: Some("/v".parse().unwrap()),
        ..Schema::default()
    }
}

fn item(text: &str) -> JsonResource {
    schema().resource(text.as_bytes()).unwrap()
}

fn merge(cache: &mut JsonCache, list: &str, at: i64) -> Vec<Settlement> {
    let list = schema().snapshot(list.as_bytes()).unwrap();
    let changes = cache.merge(list, Timestamp(at)).unwrap().changes;
    changes.outcomes.iter().map(|o| o.settlement).collect()
}

fn report(cache: &mut JsonCache, patch: &str, at: i64) {
    let patch: MetadataPatch = serde_json::from_str(patch).unwrap();
    cache.update_metadata("a", patch, Timestamp(at)).unwrap();
}

fn meta(cache: &JsonCache) -> Metadata {
    cache.get_one("a").unwrap().meta().unwrap_or_default()
}

fn stage(cache: &JsonCache) -> String {
    meta(cache).stage.unwrap_or_default()
}

fn percent(cache: &JsonCache) -> Option<f64> {
    meta(cache).progress
}
