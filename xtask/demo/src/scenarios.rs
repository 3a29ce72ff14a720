//! The document's three scenarios, live.

use resourcecache::json::{JsonPatch, JsonResource};
use resourcecache::{Event, Kind, Settlement};
use resourcecache_judge::Flickers;
use serde_json::{Value, json};

use crate::api::Error;
use crate::screen::Screen;
use crate::sending::send_queued;
use crate::stage::{Setup, Stage};
use crate::storage::Storage;

/// What was counted in one scenario.
pub(crate) type Counted = (Flickers, Flickers);

/// Replicas that are one, three and six seconds behind, in turn.
pub(crate) fn replicas() -> Value {
    json!([1000, 6000, 3000])
}

/// What the user selects of the [`zones`].
pub(crate) const SELECTED: [&str; 5] = ["zone-1", "zone-2", "zone-3", "zone-4", "zone-5"];

/// Six zones, two of which the server refuses to delete.
pub(crate) fn zones() -> Setup {
    let zone = |n| json!({"id": format!("zone-{n}"), "name": format!("zone-{n}.example")});
    let refuse = |id: &str| json!({"method": "DELETE", "kind": "zones", "id": id, "status": 409});
    Setup {
        objects: (1..=6).map(zone).collect(),
        lag: json!({"replicas": replicas(), "delete_ms": 2000}),
        failures: json!([refuse("zone-2"), refuse("zone-4")]),
    }
}

/// What is said when all deletions have settled.
pub(crate) fn came_of(deleted: usize, failed: usize) -> String {
    format!("Deleted {deleted} zones. Failed to delete {failed} zones.")
}

/// A domain is registered: shown at once, then through its stages to completion, by its lists alone.
pub(crate) fn registration(
    storage: &Storage,
    break_ttl: bool,
    screen: Screen,
) -> Result<Counted, Error> {
    screen.title("1. A domain is registered: stages, progress, completion")?;
    let setup = Setup {
        objects: json!([{"id": "d1", "name": "old.example", "status": "registered"}]),
        lag: json!({"replicas": replicas(), "job_ms": 9000}),
        failures: json!([]),
    };
    let mut stage = Stage::new("domains", &setup, storage, break_ttl, screen)?;
    let new =
        json!({"id": "tmp-1", "name": "new.example", "status": "pending", "token": "client-7"});
    stage.naive.add(new.clone());
    let creation = Event::Create {
        resource: stage.schema.resource(new.to_string().as_bytes())?,
        min_ttl_ms: None,
    };
    stage.update(|cache, now| cache.queue(creation.clone(), 0, now))?;
    stage.show("the user registers new.example")?;
    go_on(&mut stage, 16)?;
    Ok(stage.flickers())
}

/// Five zones are deleted, two of which the server refuses.
pub(crate) fn bulk_deletion(
    storage: &Storage,
    break_ttl: bool,
    screen: Screen,
) -> Result<Counted, Error> {
    screen.title("2. Five zones are deleted, two of which fail")?;
    let mut stage = Stage::new("zones", &zones(), storage, break_ttl, screen)?;
    delete(&mut stage, &SELECTED)?;
    go_on(&mut stage, 10)?;
    let (deleted, failed) = settled(&stage);
    screen.say(&came_of(deleted, failed))?;
    Ok(stage.flickers())
}

/// Two records are changed: one call works at the third attempt, the other never does.
pub(crate) fn retried_update(
    storage: &Storage,
    break_ttl: bool,
    screen: Screen,
) -> Result<Counted, Error> {
    screen.title("3. Two records are changed: three attempts each, one of them fails for good")?;
    let setup = Setup {
        objects: json!([{"id": "r1", "name": "www", "ttl": 300}, {"id": "r2", "name": "mail", "ttl": 300}]),
        lag: json!({"replicas": replicas()}),
        failures: json!([
            {"method": "PATCH", "kind": "records", "id": "r1", "times": 2, "status": 503},
            {"method": "PATCH", "kind": "records", "id": "r2", "times": 3, "status": 503},
        ]),
    };
    let mut stage = Stage::new("records", &setup, storage, break_ttl, screen)?;
    for id in ["r1", "r2"] {
        stage.naive.set(id, "ttl", json!(60));
        let patch = stage.schema.merge_patch(br#"{"ttl":60}"#)?;
        let edit = begin(id, Kind::Update, Some(patch));
        stage.update(|cache, now| cache.queue(edit.clone(), 0, now))?;
    }
    stage.show("the user sets the TTL of both to 60")?;
    go_on(&mut stage, 15)?;
    Ok(stage.flickers())
}

/// The user deletes zones, all at once.
pub(crate) fn delete(stage: &mut Stage, ids: &[&str]) -> Result<(), Error> {
    stage.user_deletes(ids)?;
    let deletion = |id: &&str| Event::Queue {
        begin: Box::new(begin(id, Kind::Delete, None)),
        send_after_ms: 0,
    };
    let all = Event::Batch(ids.iter().map(deletion).collect());
    stage.cache.apply(all, stage.time())?;
    stage.show("the user deletes five")
}

/// How many operations were confirmed, and how many failed.
pub(crate) fn settled(stage: &Stage) -> (usize, usize) {
    let count = |how| {
        let outcomes = stage.cache.cache().outcomes();
        outcomes.filter(|outcome| outcome.settlement == how).count()
    };
    (count(Settlement::Confirmed), count(Settlement::Failed))
}

/// What a program does all the time: send what is due, and list again.
pub(crate) fn go_on(stage: &mut Stage, seconds: usize) -> Result<(), Error> {
    for _ in 0..seconds {
        stage.pass(500)?;
        send_queued(stage)?;
        stage.pass(500)?;
        stage.refresh()?;
    }
    Ok(())
}

/// What begins an operation on a resource that is there.
pub(crate) fn begin(id: &str, kind: Kind, patch: Option<JsonPatch>) -> Event<JsonResource> {
    Event::Begin {
        id: id.into(),
        kind,
        patch,
        min_ttl_ms: None,
    }
}
