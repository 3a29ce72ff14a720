//! What is to be sent, and what came of it.

use resourcecache::json::{JsonPatch, JsonResource};
use resourcecache::{Applied, Attempt, Event, Kind, OperationId, Request, ResourceId};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::applied::{self, json as written};
use crate::cache::{Answer, Cache, at, whole};

/// An object of what there is: `operation`, `kind` and `id`; for an attempt its `number` and its `key`;
/// the `resource` as it is to be (as it was, for a deletion), and what an update sets, a JSON merge
/// patch (RFC 7396), as `patch`.
struct Asked(String);

impl Asked {
    fn new(operation: OperationId, kind: Kind, id: &ResourceId) -> Self {
        let mut text = written(&json!({ "operation": operation, "kind": kind, "id": id }));
        text.pop();
        Self(text)
    }

    fn with(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.0.push_str(&format!(",\"{name}\":{value}"));
        }
        self
    }

    fn finish(self) -> String {
        self.0 + "}"
    }
}

fn body(resource: &Option<JsonResource>) -> Option<&str> {
    resource.as_ref().map(JsonResource::body)
}

fn merge_patch(patches: &[JsonPatch]) -> Option<String> {
    (!patches.is_empty()).then(|| JsonPatch::to_merge_patch(patches))?
}

fn attempt(attempt: &Attempt<JsonResource>) -> String {
    Asked::new(attempt.operation, attempt.kind, &attempt.id)
        .with("number", Some(&attempt.number.to_string()))
        .with("key", Some(&written(&attempt.key)))
        .with("resource", body(&attempt.body))
        .with("patch", merge_patch(&attempt.patches).as_deref())
        .finish()
}

fn request(request: Request<JsonResource>) -> String {
    let patch = request.patch.and_then(|patch| merge_patch(&[patch]));
    Asked::new(request.operation, request.kind, &request.id)
        .with("resource", body(&request.body))
        .with("patch", patch.as_deref())
        .finish()
}

#[wasm_bindgen]
impl Cache {
    /// The next attempt that may be sent by now: an object of `attempt`, perhaps null, and `applied`.
    pub fn poll_attempt(&mut self, now: f64) -> Answer {
        let now = at(now);
        let line = self.journal.line(&Event::PollAttempt, now);
        let (polled, changes) = self.cache.poll_attempt(now)?;
        self.journal.push(line);
        let changed = Applied {
            changes,
            ..Applied::default()
        };
        let applied = applied::applied(self, &changed);
        let attempt = polled.as_ref().map_or("null".into(), attempt);
        Ok(format!("{{\"attempt\":{attempt},\"applied\":{applied}}}"))
    }

    /// The attempt of this operation that is under way.
    pub fn attempt_of(&self, operation: f64) -> Option<String> {
        let found = self.cache.attempt_of(OperationId(whole(operation)))?;
        Some(attempt(&found))
    }

    /// What an unsettled operation asks of the server.
    pub fn request_of(&self, operation: f64) -> Option<String> {
        let found = self.cache.request_of(OperationId(whole(operation)))?;
        Some(request(found))
    }

    /// How many operations wait to be sent or are under way.
    pub fn queued(&self) -> usize {
        self.cache.queued()
    }

    /// Whether attempts may be sent.
    pub fn is_online(&self) -> bool {
        self.cache.is_online()
    }

    /// Whether attempts may be sent.
    pub fn set_online(&mut self, online: bool, now: f64) -> Answer {
        self.event(Event::SetOnline { online }, now)
    }
}
