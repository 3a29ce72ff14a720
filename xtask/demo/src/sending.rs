//! Sends what the outbox hands out. When to try again, and when to give up, is the retry policy's.
//! The naive client is told what came of it, as its own calls would have told it.

use resourcecache::json::{JsonPatch, JsonResource};
use resourcecache::{Attempt, Event, Kind, Retry};
use serde_json::Value;

use crate::api::Error;
use crate::stage::Stage;

/// Sends all that may be sent by now.
pub(crate) fn send_queued(stage: &mut Stage) -> Result<(), Error> {
    while let (Some(attempt), _) = stage.cache.poll_attempt(stage.time())?.value {
        let (status, answer) = send(stage, &attempt)?;
        stage.audience.sent(attempt.id.as_str())?;
        let (operation, now) = (attempt.operation, stage.time());
        // What is not there any more was deleted.
        let deleted = attempt.kind == Kind::Delete && status == 404;
        if (200..300).contains(&status) || deleted {
            let answer = if attempt.kind == Kind::Delete {
                None
            } else {
                let object = answer.get("object").unwrap_or(&answer);
                if attempt.kind == Kind::Create {
                    stage.naive.replace(attempt.id.as_str(), object.clone());
                }
                Some(stage.schema.resource(object.to_string().as_bytes())?)
            };
            stage
                .cache
                .apply(Event::Acknowledge { operation, answer }, now)?;
        } else {
            let error = format!("{} failed: HTTP {status}", title(attempt.kind));
            let retry = Retry::ByStatus {
                status,
                after_ms: None,
            };
            let failure = Event::Fail {
                operation,
                error,
                retry,
            };
            let failed = stage.cache.apply(failure, now)?.value;
            if !failed.changes.outcomes.is_empty() {
                naive_rolls_back(stage, attempt.id.as_str())?;
            }
        }
        stage.show(&format!(
            "attempt {} to {} {}",
            attempt.number, attempt.kind, attempt.id
        ))?;
    }
    Ok(())
}

/// The naive client puts back what was there before the call.
fn naive_rolls_back(stage: &mut Stage, id: &str) -> Result<(), Error> {
    let Some(before) = stage.cache.cache().get_one(id) else {
        return Ok(());
    };
    let before = serde_json::from_str(before.body().body())?;
    stage.naive.put_back(before);
    Ok(())
}

fn send(stage: &Stage, attempt: &Attempt<JsonResource>) -> Result<(u16, Value), Error> {
    let list = format!("/v1/{}", stage.kind);
    let one = format!("{list}/{}", attempt.id);
    match attempt.kind {
        Kind::Delete => stage.api.json("DELETE", &one, None),
        Kind::Create => {
            let body = attempt.body.as_ref().map_or("{}", JsonResource::body);
            let mut body: Value = serde_json::from_str(body)?;
            // The server gives it another.
            body.as_object_mut().map(|body| body.remove("id"));
            stage.api.json("POST", &list, Some(&body))
        }
        Kind::Update | Kind::Process => {
            let patch = JsonPatch::to_merge_patch(&attempt.patches).unwrap_or_default();
            stage
                .api
                .json("PATCH", &one, Some(&serde_json::from_str(&patch)?))
        }
    }
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Create => "Creation",
        Kind::Update => "Update",
        Kind::Process => "Operation",
        Kind::Delete => "Deletion",
    }
}
