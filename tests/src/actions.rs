//! What each action of a scenario asks of the cache.

use resourcecache::{
    Applied, Changes, Coverage, Error, MetadataPatch, Named, OperationId, ResourceId, Retry,
    Snapshot, Timestamp, WatchEvent, json::JsonResource,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::begin::read_kind;
use crate::fields::Fields;
use crate::runner::World;

/// The five minutes of the document.
const OLDER_THAN_MS: u64 = 300_000;

pub(crate) type Ran = Result<Result<Changes, Error>, String>;
type Verb = Result<Applied, Error>;

impl World {
    /// Runs an action. The outer error is the scenario's fault, the inner one the cache's refusal.
    pub(crate) fn run(&mut self, action: &str, mut fields: Fields, now: Timestamp) -> Ran {
        let name: Option<String> = match action {
            "begin_fetch" => {
                let name: String = fields.required("as")?;
                fields.finish()?;
                let (token, changes) = self.cache.begin_fetch(now);
                self.fetches.insert(name, token);
                return Ok(Ok(changes));
            }
            "reload" => {
                fields.finish()?;
                return self.reload(now);
            }
            "poll_attempt" => {
                fields.finish()?;
                let polled = self.cache.poll_attempt(now);
                return Ok(polled.map(|(attempt, changes)| {
                    self.attempt = attempt;
                    changes
                }));
            }
            "mark_as_deleting" | "mark_as_processing" | "mark_as_updating" | "add_as_creating" => {
                fields.optional("as")?
            }
            _ => None,
        };
        let done = match action {
            "perform" => return self.perform(fields, now),
            "undo" | "redo" => return self.undo_or_redo(action, fields, now),
            _ if fields.has("send_after_ms") => match self.begin(action, fields)? {
                Ok(begin) => self.cache.apply(begin, now),
                Err(error) => Err(error),
            },
            "merge" => self.merge(fields, now)?,
            "observe" => self.observe(fields, now)?,
            "mark_as_updating" | "add_as_creating" | "replace_created" | "update_in_place" => {
                self.verb_with_body(action, fields, now)?
            }
            "acknowledge" | "fail" | "attempt" | "cancel" => {
                self.verb_of_operation(action, fields, now)?
            }
            _ => self.verb_of_ids(action, fields, now)?,
        };
        if let (Some(name), Ok(applied)) = (name, &done) {
            let operation = applied.operation();
            let operation = operation.ok_or("the action answered no operation to name")?;
            self.operations.insert(name, operation);
        }
        Ok(done.map(|applied| applied.changes))
    }

    fn merge(&mut self, mut fields: Fields, now: Timestamp) -> Result<Verb, String> {
        let items: Box<RawValue> = fields.required("items")?;
        let list_version = fields
            .optional("list_version")?
            .map(version_text)
            .transpose()?;
        let fetch: Option<String> = fields.optional("fetch")?;
        let coverage = fields
            .raw("coverage")
            .map(|c| read_coverage(&c))
            .transpose()?;
        fields.finish()?;
        let token = fetch.map(|name| self.fetches.get(&name).copied().ok_or(name));
        let token = token
            .transpose()
            .map_err(|n| format!("fetch: {n:?} was never begun"))?;
        let snapshot = match self.schema.snapshot(items.get().as_bytes()) {
            Ok(snapshot) => snapshot,
            Err(error) => return Ok(Err(error)),
        };
        let snapshot = Snapshot {
            list_version,
            token,
            coverage: coverage.unwrap_or_default(),
            ..snapshot
        };
        Ok(self.cache.merge(snapshot, now))
    }

    fn observe(&mut self, mut fields: Fields, now: Timestamp) -> Result<Verb, String> {
        let kind: String = fields.required("type")?;
        let item = fields.raw("item");
        let id: Option<String> = fields.optional("id")?;
        let key: Option<String> = fields.optional("key")?;
        let version: Option<String> = fields.optional("version")?;
        let error: Option<String> = fields.optional("error")?;
        fields.finish()?;
        let named = match (id, key) {
            (Some(id), None) => Some(Named::Id(id.into())),
            (None, Some(key)) => Some(Named::Key(key)),
            (None, None) => None,
            _ => return Err("observe: an id or a key, not both".into()),
        };
        let event = match (kind.as_str(), item) {
            ("deleted", None) => match named {
                Some(Named::Id(id)) => WatchEvent::DeletedId { id, version },
                _ => return Err("observe: deleted, but neither an item nor an id".into()),
            },
            ("failed", None) => WatchEvent::Failed {
                operation: named.ok_or("observe: failed, but neither an id nor a key")?,
                error: error.ok_or("observe: failed, but no error")?,
            },
            ("expired", None) => WatchEvent::Expired,
            ("bookmark", None) => WatchEvent::Bookmark { version: None },
            ("bookmark", Some(item)) => {
                let event = format!(r#"{{"type":"BOOKMARK","object":{item}}}"#);
                match self.schema.watch_event(event.as_bytes()) {
                    Ok(event) => event,
                    Err(error) => return Ok(Err(error)),
                }
            }
            ("added" | "modified" | "deleted", Some(item)) => {
                let make = match kind.as_str() {
                    "added" => WatchEvent::Added,
                    "modified" => WatchEvent::Modified,
                    _ => WatchEvent::Deleted,
                };
                match self.schema.resource(item.as_bytes()) {
                    Ok(resource) => make(resource),
                    Err(error) => return Ok(Err(error)),
                }
            }
            (kind, item) => {
                let with = if item.is_some() { "with" } else { "without" };
                return Err(format!(
                    "observe: {kind:?} {with} an item is no watch event"
                ));
            }
        };
        Ok(self.cache.observe(event, now))
    }

    fn verb_with_body(
        &mut self,
        action: &str,
        mut fields: Fields,
        now: Timestamp,
    ) -> Result<Verb, String> {
        let field = if action == "mark_as_updating" {
            "patch"
        } else {
            "item"
        };
        let body: Box<RawValue> = fields.required(field)?;
        let id: String = match action {
            "add_as_creating" => String::new(),
            "replace_created" => fields.required("temp_id")?,
            _ => fields.required("id")?,
        };
        fields.finish()?;
        let body = body.get().as_bytes();
        Ok(match action {
            "mark_as_updating" => (self.schema.merge_patch(body))
                .and_then(|patch| self.cache.mark_as_updating(id, patch, now)),
            "update_in_place" => (self.schema.partial(body))
                .and_then(|patch| self.cache.update_in_place(id, patch, now)),
            "add_as_creating" => (self.schema.resource(body))
                .and_then(|resource| self.cache.add_as_creating(resource, now)),
            _ => (self.schema.resource(body))
                .and_then(|resource| self.cache.replace_created(id, resource, now)),
        })
    }

    fn verb_of_operation(
        &mut self,
        action: &str,
        mut fields: Fields,
        now: Timestamp,
    ) -> Result<Verb, String> {
        let name: String = fields.required("op")?;
        // A name that nothing has is an operation that the cache cannot know.
        let operation = self
            .operations
            .get(&name)
            .copied()
            .unwrap_or(OperationId(u64::MAX));
        match action {
            "acknowledge" => {
                let item: Option<Box<RawValue>> = fields.optional("item")?;
                fields.finish()?;
                let answer: Option<JsonResource> = match item
                    .map(|i| self.schema.resource(i.get().as_bytes()))
                    .transpose()
                {
                    Ok(answer) => answer,
                    Err(error) => return Ok(Err(error)),
                };
                Ok(self.cache.acknowledge(operation, answer, now))
            }
            "fail" => {
                let error: String = fields.required("error")?;
                let status: Option<u16> = fields.optional("status")?;
                let after_ms = fields.optional("retry_after_ms")?;
                let retry = match (fields.optional("retry")?, status) {
                    (_, Some(status)) => Retry::ByStatus { status, after_ms },
                    (Some(true), None) => after_ms.map_or(Retry::Backoff, Retry::After),
                    _ => Retry::No,
                };
                fields.finish()?;
                Ok(self.cache.fail(operation, error, retry, now))
            }
            "attempt" => {
                fields.finish()?;
                Ok(self.cache.attempt(operation, now))
            }
            _ => {
                fields.finish()?;
                Ok(self.cache.cancel(operation, now))
            }
        }
    }

    fn verb_of_ids(
        &mut self,
        action: &str,
        mut fields: Fields,
        now: Timestamp,
    ) -> Result<Verb, String> {
        macro_rules! verb {
            ($($name:ident),*; $call:expr) => {{
                $(let $name = $name?;)*
                fields.finish()?;
                Ok($call)
            }};
        }
        match action {
            "mark_as_deleting" => {
                let (id, ttl) = (
                    fields.required::<String>("id"),
                    fields.optional("min_ttl_ms"),
                );
                verb!(id, ttl; self.cache.mark_as_deleting(id, ttl, now))
            }
            "mark_as_processing" => {
                let (id, kind) = (fields.required::<String>("id"), read_kind(&mut fields));
                verb!(id, kind; self.cache.mark_as_processing(id, kind, now))
            }
            "batch_mark_as_processing" => {
                let ids = fields.required::<Vec<String>>("ids");
                let (kind, ttl) = (read_kind(&mut fields), fields.optional("min_ttl_ms"));
                verb!(ids, kind, ttl; self.cache.batch_mark_as_processing(&ids, kind, ttl, now))
            }
            "batch_remove" => {
                let ids = fields.required::<Vec<String>>("ids");
                verb!(ids; self.cache.batch_remove(&ids, now))
            }
            "update_metadata" => {
                let (id, meta) = (
                    fields.required::<String>("id"),
                    fields.required::<Box<RawValue>>("meta"),
                );
                let patch = meta?;
                let patch: Result<MetadataPatch, _> = serde_json::from_str(patch.get());
                let patch = patch.map_err(|error| Error::BadInput {
                    subject: "metadata".into(),
                    problem: error.to_string(),
                });
                verb!(id; patch.and_then(|patch| self.cache.update_metadata(id, patch, now)))
            }
            "complete" | "revert" | "cancel_operation" | "remove" => {
                let id = fields.required::<String>("id");
                verb!(id; match action {
                    "complete" => self.cache.complete(id, now),
                    "revert" => self.cache.revert(id, now),
                    "cancel_operation" => self.cache.cancel_operation(id, now),
                    _ => self.cache.remove(id, now),
                })
            }
            "cleanup_stale_operations" => {
                let age = fields.optional("older_than_ms");
                verb!(age; self.cache.cleanup_stale_operations(age.unwrap_or(OLDER_THAN_MS), now))
            }
            "set_online" => {
                let online = fields.required("online");
                verb!(online; self.cache.set_online(online, now))
            }
            "clear_history" => verb!(; self.cache.clear_history(now)),
            "tick" => verb!(; self.cache.handle_timeout(now)),
            unknown => Err(format!("do: {unknown:?} is no action")),
        }
    }
}

fn version_text(version: serde_json::Value) -> Result<String, String> {
    match version {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        other => Err(format!(
            "list_version: {other} is neither a text nor a number"
        )),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<ResourceId>,
    before: Option<ResourceId>,
}

fn read_coverage(json: &str) -> Result<Coverage, String> {
    let text: Result<String, _> = serde_json::from_str(json);
    if let Ok(word) = text {
        return match word.as_str() {
            "complete" => Ok(Coverage::Complete),
            unknown => Err(format!("coverage: {unknown:?} is none")),
        };
    }
    let mut fields = Fields::parse(json).map_err(|e| format!("coverage: {e}"))?;
    if let Some(ids) = fields.optional("ids")? {
        fields.finish()?;
        return Ok(Coverage::Ids(ids));
    }
    let page: Page = serde_json::from_str(json).map_err(|e| format!("coverage: {e}"))?;
    Ok(Coverage::Page {
        after: page.after,
        before: page.before,
    })
}
