//! What a user begins: by itself, queued, or as a step that can be undone.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Error, Event, Kind};
use serde::Deserialize;
use serde_json::Value;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::cache::{Answer, Cache, ms, read};

/// An operation to begin.
#[derive(Deserialize)]
struct Step {
    kind: Kind,
    /// The resource; none for a creation.
    id: Option<String>,
    /// What is created.
    resource: Option<Value>,
    /// What an update sets: a JSON merge patch (RFC 7396).
    patch: Option<Value>,
    min_ttl_ms: Option<f64>,
    /// Leaves its sending to the outbox.
    send_after_ms: Option<f64>,
}

impl Step {
    fn event(self, schema: &Schema) -> Result<Event<JsonResource>, Error> {
        let min_ttl_ms = ms(self.min_ttl_ms, "minTtl")?;
        let begin = match (self.kind, self.resource, self.id) {
            (Kind::Create, Some(resource), _) => Event::Create {
                resource: schema.resource(resource.to_string().as_bytes())?,
                min_ttl_ms,
            },
            (kind, _, Some(id)) => {
                let patch = self.patch.map(|patch| patch.to_string());
                let patch = patch.map(|patch| schema.merge_patch(patch.as_bytes()));
                Event::Begin {
                    id: id.into(),
                    kind,
                    patch: patch.transpose()?,
                    min_ttl_ms,
                }
            }
            _ => {
                return Err(Error::bad_input(
                    "step",
                    "names neither a resource nor an id",
                ));
            }
        };
        Ok(match ms(self.send_after_ms, "sendAfter")? {
            Some(send_after_ms) => Event::Queue {
                begin: Box::new(begin),
                send_after_ms,
            },
            None => begin,
        })
    }
}

#[wasm_bindgen]
impl Cache {
    /// Begins one operation.
    pub fn begin(&mut self, step: &str, now: f64) -> Answer {
        let event = read::<Step>(step, "step")?.event(&self.schema)?;
        self.event(event, now)
    }

    /// Does several things, whole or not at all, and keeps them as a step that `undo` undoes.
    pub fn perform(&mut self, label: String, steps: &str, now: f64) -> Answer {
        let steps: Vec<Step> = read(steps, "steps")?;
        let events: Result<Vec<_>, _> = steps.into_iter().map(|s| s.event(&self.schema)).collect();
        let mut events = events?;
        let event = match events.len() {
            1 => events.remove(0),
            _ => Event::Batch(events),
        };
        let event = Box::new(event);
        self.event(Event::Perform { label, event }, now)
    }

    /// Undoes the last step.
    pub fn undo(&mut self, now: f64) -> Answer {
        self.event(Event::Undo, now)
    }

    /// Redoes the step that was undone last.
    pub fn redo(&mut self, now: f64) -> Answer {
        self.event(Event::Redo, now)
    }

    /// Forgets all steps.
    pub fn clear_history(&mut self, now: f64) -> Answer {
        self.event(Event::ClearHistory, now)
    }

    /// The label of the step that `undo` would undo.
    pub fn undo_label(&self) -> Option<String> {
        self.cache.undo_label().map(Into::into)
    }

    /// The label of the step that `redo` would redo.
    pub fn redo_label(&self) -> Option<String> {
        self.cache.redo_label().map(Into::into)
    }

    /// The labels of the steps that can be undone, the next first.
    pub fn undo_labels(&self) -> Vec<String> {
        self.cache.undo_labels().map(Into::into).collect()
    }

    /// The labels of the steps that can be redone, the next first.
    pub fn redo_labels(&self) -> Vec<String> {
        self.cache.redo_labels().map(Into::into).collect()
    }
}
