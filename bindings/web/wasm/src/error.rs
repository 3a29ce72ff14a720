//! Why a call was refused, as JSON.

use resourcecache::{Error, Missing, State};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;

/// A refusal, to be thrown: the JSON text of an object with `kind`, `problem` and what it is about.
pub struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl Refusal {
    pub(crate) fn bad_input(subject: &str, problem: impl std::fmt::Display) -> Self {
        Self(Error::bad_input(subject, problem.to_string()))
    }
}

impl From<Refusal> for JsValue {
    fn from(Refusal(error): Refusal) -> Self {
        Self::from_str(&told(&error).to_string())
    }
}

fn told(error: &Error) -> Value {
    let mut told = json!({ "kind": error.kind().name(), "problem": error.to_string() });
    let about = match error {
        Error::Transition { id, source } => json!({
            "id": id,
            "state": source.state.name(),
            "trigger": source.trigger.to_string(),
        }),
        Error::NoOperation { id } => json!({
            "id": id,
            "state": State::Idle.name(),
            "trigger": "update metadata",
        }),
        Error::NotFound(Missing::Resource(id)) | Error::AlreadyExists { id } => json!({ "id": id }),
        Error::NotFound(Missing::Operation(operation)) => json!({ "operation": operation }),
        Error::BadInput { subject, .. } => json!({ "subject": subject }),
        Error::BadSnapshot { position, .. } => json!({ "position": position }),
        Error::Batch { results } => json!({ "refusals": refusals(results) }),
    };
    if let (Value::Object(told), Value::Object(about)) = (&mut told, about) {
        told.extend(about);
    }
    told
}

fn refusals(results: &[(resourcecache::ResourceId, Option<Error>)]) -> Vec<Value> {
    let refused = results.iter().enumerate().filter_map(|(position, part)| {
        let (id, error) = (&part.0, part.1.as_ref()?);
        let (kind, problem) = (error.kind().name(), error.to_string());
        Some(json!({ "position": position, "id": id, "kind": kind, "problem": problem }))
    });
    refused.collect()
}
