//! The document's three scenarios, live.

use resourcecache::{Event, Kind, MetadataPatch, Status};
use resourcecache_judge::Flickers;
use serde_json::{Value, json};

use crate::api::Error;
use crate::screen::Screen;
use crate::sending::send_queued;
use crate::stage::{Setup, Stage};

/// What was counted in one scenario.
pub(crate) type Counted = (Flickers, Flickers);

/// Replicas that are one, three and six seconds behind, in turn.
fn replicas() -> Value {
    json!([1000, 6000, 3000])
}

/// A domain is registered: shown at once, then through its stages, polled to completion.
pub(crate) fn registration(break_ttl: bool, screen: Screen) -> Result<Counted, Error> {
    screen.title("1. A domain is registered: stages, progress, completion")?;
    let setup = Setup {
        objects: &json!([{"id": "d1", "name": "old.example", "status": "registered"}]),
        lag: &json!({"replicas": replicas(), "job_ms": 9000}),
        failures: &json!([]),
    };
    let mut stage = Stage::new("domains", &setup, break_ttl, screen)?;
    let new =
        json!({"id": "tmp-1", "name": "new.example", "status": "pending", "token": "client-7"});
    stage.naive.add(new.clone());
    let resource = stage.schema.resource(new.to_string().as_bytes())?;
    let begun = stage.cache.add_as_creating(resource, stage.time())?;
    stage.show("the user registers new.example")?;
    stage.pass(500)?;

    let call = json!({"name": "new.example", "token": "client-7"});
    let (_, answer) = stage.api.json("POST", "/v1/domains", Some(&call))?;
    let id = answer["object"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_string();
    stage.naive.replace("tmp-1", answer["object"].clone());
    let real = stage
        .schema
        .resource(answer["object"].to_string().as_bytes())?;
    if let Some(operation) = begun.operation() {
        stage
            .cache
            .acknowledge(operation, Some(real), stage.time())?;
    }
    stage.cache.update_metadata(
        &*id,
        MetadataPatch::status(Status::Processing),
        stage.time(),
    )?;
    stage.show("the server has accepted it, and works on it")?;

    let path = format!("/v1/jobs/{}", answer["job"].as_str().unwrap_or_default());
    let mut completed = false;
    for _ in 0..16 {
        stage.pass(1000)?;
        let (_, job) = stage.api.json("GET", &path, None)?;
        if !stage.cache.is_processing(&id) || completed {
            // Nothing to report.
        } else if job["state"] == "running" {
            let patch = MetadataPatch {
                stage: job["stage"].as_str().unwrap_or_default().to_string().into(),
                progress: job["progress"].as_f64().unwrap_or_default().into(),
                message: format!("{}...", job["stage"].as_str().unwrap_or_default()).into(),
                ..MetadataPatch::default()
            };
            stage.cache.update_metadata(&*id, patch, stage.time())?;
        } else {
            let patch = MetadataPatch {
                progress: 100.0.into(),
                message: "Registration complete!".to_string().into(),
                ..MetadataPatch::default()
            };
            stage.cache.update_metadata(&*id, patch, stage.time())?;
            stage.cache.complete(&*id, stage.time())?;
            completed = true;
        }
        stage.refresh()?;
    }
    Ok(stage.flickers())
}

/// Five zones are deleted, two of which the server refuses.
pub(crate) fn bulk_deletion(break_ttl: bool, screen: Screen) -> Result<Counted, Error> {
    screen.title("2. Five zones are deleted, two of which fail")?;
    let zones: Vec<Value> = (1..=6)
        .map(|n| json!({"id": format!("zone-{n}"), "name": format!("zone-{n}.example")}))
        .collect();
    let refuse = |id: &str| json!({"method": "DELETE", "kind": "zones", "id": id, "status": 409});
    let setup = Setup {
        objects: &json!(zones),
        lag: &json!({"replicas": replicas(), "delete_ms": 2000}),
        failures: &json!([refuse("zone-2"), refuse("zone-4")]),
    };
    let mut stage = Stage::new("zones", &setup, break_ttl, screen)?;
    let selected = ["zone-1", "zone-2", "zone-3", "zone-4", "zone-5"];
    stage.user_deletes(&selected);
    stage
        .cache
        .batch_mark_as_processing(&selected, Kind::Delete, None, stage.time())?;
    stage.show("the user deletes five")?;
    stage.pass(500)?;

    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for id in selected {
        let (status, _) = stage.api.json("DELETE", &format!("/v1/zones/{id}"), None)?;
        if status == 202 {
            deleted.push(id)
        } else {
            failed.push(id)
        }
    }
    stage.cache.batch_remove(&deleted, stage.time())?;
    for id in &failed {
        stage.cache.revert(*id, stage.time())?;
        stage
            .naive
            .add(json!({"id": id, "name": format!("{id}.example")}));
    }
    stage.show("the server has answered")?;
    screen.say(&format!(
        "Deleted {} zones. Failed to delete {} zones.",
        deleted.len(),
        failed.len()
    ))?;
    for _ in 0..9 {
        stage.pass(1000)?;
        stage.refresh()?;
    }
    Ok(stage.flickers())
}

/// Two records are changed: one call works at the third attempt, the other never does.
pub(crate) fn retried_update(break_ttl: bool, screen: Screen) -> Result<Counted, Error> {
    screen.title("3. Two records are changed: three attempts each, one of them fails for good")?;
    let setup = Setup {
        objects: &json!([{"id": "r1", "name": "www", "ttl": 300}, {"id": "r2", "name": "mail", "ttl": 300}]),
        lag: &json!({"replicas": replicas()}),
        failures: &json!([
            {"method": "PATCH", "kind": "records", "id": "r1", "times": 2, "status": 503},
            {"method": "PATCH", "kind": "records", "id": "r2", "times": 3, "status": 503},
        ]),
    };
    let mut stage = Stage::new("records", &setup, break_ttl, screen)?;
    for id in ["r1", "r2"] {
        stage.naive.set(id, "ttl", json!(60));
        let edit = Event::Begin {
            id: id.into(),
            kind: Kind::Update,
            patch: Some(stage.schema.merge_patch(br#"{"ttl":60}"#)?),
            min_ttl_ms: None,
        };
        stage.cache.queue(edit, 0, stage.time())?;
    }
    stage.show("the user sets the TTL of both to 60")?;
    for _ in 0..15 {
        stage.pass(500)?;
        for id in send_queued(&mut stage)? {
            stage.naive.set(id.as_str(), "ttl", json!(300));
        }
        stage.pass(500)?;
        stage.refresh()?;
    }
    Ok(stage.flickers())
}
