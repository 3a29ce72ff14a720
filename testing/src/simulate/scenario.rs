//! Prints what one client's cache was given as a conformance scenario file.

use std::collections::BTreeMap;

use resourcecache::{
    Config, Coverage, Event, FetchToken, Kind, Named, NewItems, OnFailure, OperationId, Retry,
    Snapshot, VersionOrder, WatchEvent,
};
use serde_json::{Map, Value, json};

use super::client::Given;
use super::law::{Broken, Expected, Violation};
use super::model::ServerModel;
use super::play::{EPOCH_MS, Play};

/// The scenario of a violation: it fails as long as the law is broken.
pub(crate) fn print<S: ServerModel>(
    play: &Play<S>,
    violation: &Violation,
    broken: &Broken<S::Resource>,
) -> String {
    let name = format!("{} (seed {})", violation.law.says, violation.seed);
    of_client(
        play,
        broken.client,
        &name,
        violation.law.rules,
        &broken.expected,
    )
}

/// The scenario of one client, with an expectation at its end.
pub(crate) fn of_client<S: ServerModel>(
    play: &Play<S>,
    client: usize,
    name: &str,
    rules: &[&str],
    expected: &Expected<S::Resource>,
) -> String {
    let this = &play.clients[client];
    let mut writer = Writer {
        server: &play.network.server,
        operations: BTreeMap::new(),
        fetches: Vec::new(),
    };
    let mut steps: Vec<Value> = this.given.iter().map(|given| writer.step(given)).collect();
    let at = this.given.last().map_or(0, |given| given.at - EPOCH_MS);
    steps.extend(
        writer
            .expectation(expected)
            .map(|e| json!({"at": at, "expect": e})),
    );
    let mut config = config(this.cache.config());
    for (name, pointer) in play.network.server.pointers() {
        config.insert(name.into(), pointer.into());
    }
    let head = json!({"name": name, "rules": rules, "config": config});
    layout(&head, &steps)
}

/// One line per step, so that it reads as the files that are written by hand.
fn layout(head: &Value, steps: &[Value]) -> String {
    let mut text = String::from("[\n  {\n");
    for field in ["name", "rules", "config"] {
        text.push_str(&format!("    \"{field}\": {},\n", head[field]));
    }
    let steps: Vec<String> = steps.iter().map(line).collect();
    text.push_str(&format!(
        "    \"steps\": [\n{}\n    ]\n  }}\n]\n",
        steps.join(",\n")
    ));
    text
}

/// A step: first when, then what, then the rest.
fn line(step: &Value) -> String {
    let mut fields: Vec<(&String, &Value)> = step.as_object().into_iter().flatten().collect();
    let first = ["at", "do", "id", "op"];
    fields.sort_by_key(|(name, _)| first.iter().position(|f| f == name).unwrap_or(first.len()));
    let fields = fields
        .iter()
        .map(|(name, value)| format!("\"{name}\": {value}"));
    format!("      {{{}}}", fields.collect::<Vec<_>>().join(", "))
}

fn config(config: &Config) -> Map<String, Value> {
    let order = match config.version_order {
        VersionOrder::Opaque => "opaque",
        VersionOrder::Integer => "integer",
        VersionOrder::Timestamp => "timestamp",
    };
    let place = if config.new_items == NewItems::Start {
        "start"
    } else {
        "end"
    };
    let keep = if config.on_failure == OnFailure::Keep {
        "keep"
    } else {
        "revert"
    };
    let mut map = Map::new();
    map.insert("version_order".into(), order.into());
    map.insert("ttl_ms".into(), config.ttl_ms.into());
    map.insert("stale_after_ms".into(), config.stale_after_ms.into());
    map.insert(
        "completed_shown_ms".into(),
        config.completed_shown_ms.into(),
    );
    map.insert("error_shown_ms".into(), config.error_shown_ms.into());
    map.insert("new_items".into(), place.into());
    map.insert("on_failure".into(), keep.into());
    let usual = Config::default();
    let mut more = |name: &str, value: Result<Value, _>, differs: bool| {
        map.extend(value.ok().filter(|_| differs).map(|v| (name.into(), v)));
    };
    let value = serde_json::to_value(&config.retry);
    more("retry", value, config.retry != usual.retry);
    let value = serde_json::to_value(config.max_under_way);
    more(
        "max_under_way",
        value,
        config.max_under_way != usual.max_under_way,
    );
    let value = serde_json::to_value(&config.progress);
    more("progress", value, config.progress != usual.progress);
    let value = serde_json::to_value(config.history);
    more("history", value, config.history != usual.history);
    let value = serde_json::to_value(config.seed);
    more("seed", value, config.seed != usual.seed);
    map
}

struct Writer<'a, S: ServerModel> {
    server: &'a S,
    operations: BTreeMap<OperationId, String>,
    fetches: Vec<FetchToken>,
}

impl<S: ServerModel> Writer<'_, S> {
    fn step(&mut self, given: &Given<S::Resource>) -> Value {
        let mut step = match &given.event {
            None => json!({"do": "reload"}),
            Some(event) => self.action(event),
        };
        let names: Vec<String> = given.operations.iter().map(|o| format!("op-{o}")).collect();
        match &given.event {
            Some(Event::Begin { .. } | Event::Create { .. } | Event::Queue { .. }) => {
                if let Some(name) = names.first() {
                    step["as"] = name.as_str().into();
                }
            }
            Some(Event::Perform { .. }) => {
                for (begin, name) in names.iter().enumerate() {
                    step["begin"][begin]["as"] = name.as_str().into();
                }
            }
            Some(Event::Undo | Event::Redo) => step["as"] = names.clone().into(),
            _ => {}
        }
        let names = given.operations.iter().copied().zip(names);
        self.operations.extend(names);
        if let Some(token) = given.token {
            self.fetches.push(token);
            step["as"] = format!("fetch-{}", self.fetches.len()).into();
        }
        if let Some(kind) = given.refused {
            step["refused"] = kind.into();
        }
        step["at"] = (given.at - EPOCH_MS).into();
        step
    }

    fn action(&self, event: &Event<S::Resource>) -> Value {
        let body = |body| self.server.body_json(body);
        let patch = |patch| self.server.patch_json(patch);
        match event {
            Event::BeginFetch => json!({"do": "begin_fetch"}),
            Event::Merge(snapshot) => self.merge(snapshot),
            Event::Observe(event) => self.observe(event),
            Event::Begin {
                id,
                kind,
                patch: set,
                min_ttl_ms,
            } => match (kind, set) {
                (Kind::Update, Some(set)) => {
                    json!({"do": "mark_as_updating", "id": id, "patch": patch(set)})
                }
                (Kind::Delete, _) => {
                    let mut step = json!({"do": "mark_as_deleting", "id": id});
                    if let Some(ttl) = min_ttl_ms {
                        step["min_ttl_ms"] = (*ttl).into();
                    }
                    step
                }
                _ => json!({"do": "mark_as_processing", "id": id, "operation": verb(*kind)}),
            },
            Event::Create { resource, .. } => {
                json!({"do": "add_as_creating", "item": body(resource)})
            }
            Event::ReplaceCreated { temp_id, resource } => {
                json!({"do": "replace_created", "temp_id": temp_id, "item": body(resource)})
            }
            Event::UpdateInPlace { id, patch: set } => {
                json!({"do": "update_in_place", "id": id, "item": patch(set)})
            }
            Event::UpdateMetadata { id, patch } => {
                let meta = serde_json::to_value(patch).unwrap_or_default();
                json!({"do": "update_metadata", "id": id, "meta": meta})
            }
            Event::Acknowledge { operation, answer } => {
                let mut step = json!({"do": "acknowledge", "op": self.name(*operation)});
                if let Some(answer) = answer {
                    step["item"] = body(answer);
                }
                step
            }
            Event::Fail {
                operation,
                error,
                retry,
            } => {
                let mut step = json!({"do": "fail", "op": self.name(*operation), "error": error});
                let after_ms = match retry {
                    Retry::No => None,
                    Retry::Backoff => {
                        step["retry"] = true.into();
                        None
                    }
                    Retry::After(ms) => {
                        step["retry"] = true.into();
                        Some(*ms)
                    }
                    Retry::ByStatus { status, after_ms } => {
                        step["status"] = (*status).into();
                        *after_ms
                    }
                };
                if let Some(ms) = after_ms {
                    step["retry_after_ms"] = ms.into();
                }
                step
            }
            Event::Attempt { operation } => json!({"do": "attempt", "op": self.name(*operation)}),
            Event::Cancel { operation } => json!({"do": "cancel", "op": self.name(*operation)}),
            Event::Complete { id } => json!({"do": "complete", "id": id}),
            Event::Revert { id } => json!({"do": "revert", "id": id}),
            Event::Remove { id } => json!({"do": "remove", "id": id}),
            Event::CleanupStaleOperations { older_than_ms } => {
                json!({"do": "cleanup_stale_operations", "older_than_ms": older_than_ms})
            }
            Event::Queue {
                begin,
                send_after_ms,
            } => {
                let mut step = self.action(begin);
                step["send_after_ms"] = (*send_after_ms).into();
                step
            }
            Event::PollAttempt => json!({"do": "poll_attempt"}),
            Event::SetOnline { online } => json!({"do": "set_online", "online": online}),
            Event::Perform { label, event } => {
                let begin: Vec<Value> = match &**event {
                    Event::Batch(events) => events.iter().map(|e| self.action(e)).collect(),
                    event => vec![self.action(event)],
                };
                json!({"do": "perform", "label": label, "begin": begin})
            }
            Event::Undo => json!({"do": "undo"}),
            Event::Redo => json!({"do": "redo"}),
            Event::ClearHistory => json!({"do": "clear_history"}),
            // No client is given these.
            Event::HandleTimeout | Event::ImportV1 { .. } | Event::Batch(_) => {
                json!({"do": "tick"})
            }
        }
    }

    fn name(&self, operation: OperationId) -> String {
        let known = self.operations.get(&operation).cloned();
        known.unwrap_or_else(|| format!("op-{operation}"))
    }

    fn merge(&self, snapshot: &Snapshot<S::Resource>) -> Value {
        let items = snapshot
            .items
            .iter()
            .map(|item| self.server.body_json(item));
        let mut step = json!({"do": "merge", "items": items.collect::<Vec<_>>()});
        if let Some(version) = &snapshot.list_version {
            step["list_version"] = version.as_str().into();
        }
        let fetch = snapshot
            .token
            .and_then(|token| self.fetches.iter().position(|t| *t == token));
        if let Some(fetch) = fetch {
            step["fetch"] = format!("fetch-{}", fetch + 1).into();
        }
        match &snapshot.coverage {
            Coverage::Complete => {}
            Coverage::Ids(ids) => step["coverage"] = json!({"ids": ids}),
            Coverage::Page { after, before } => {
                step["coverage"] = json!({"after": after, "before": before});
            }
        }
        step
    }

    fn observe(&self, event: &WatchEvent<S::Resource>) -> Value {
        let (kind, item) = match event {
            WatchEvent::Added(item) => ("added", Some(self.server.body_json(item))),
            WatchEvent::Modified(item) => ("modified", Some(self.server.body_json(item))),
            WatchEvent::Deleted(item) => ("deleted", Some(self.server.body_json(item))),
            WatchEvent::Bookmark { version } => {
                ("bookmark", version.as_ref().map(|v| json!({"version": v})))
            }
            WatchEvent::Expired => ("expired", None),
            WatchEvent::DeletedId { id, version } => {
                return json!({"do": "observe", "type": "deleted", "id": id, "version": version});
            }
            WatchEvent::Failed { operation, error } => {
                let (by, name) = match operation {
                    Named::Id(id) => ("id", id.as_str()),
                    Named::Key(key) => ("key", key.as_str()),
                };
                return json!({"do": "observe", "type": "failed", by: name, "error": error});
            }
        };
        let mut step = json!({"do": "observe", "type": kind});
        if let Some(item) = item {
            step["item"] = item;
        }
        step
    }

    fn expectation(&self, expected: &Expected<S::Resource>) -> Option<Value> {
        use resourcecache::Resource as _;
        Some(match expected {
            Expected::Visible(ids) => json!({"visible": ids}),
            Expected::Shows(id, patches) => {
                let mut fields = Map::new();
                for patch in patches {
                    if let Value::Object(more) = self.server.patch_json(patch) {
                        fields.extend(more);
                    }
                }
                json!({"items": {id.as_str(): fields}})
            }
            Expected::Truth(bodies) => {
                let ids: Vec<&str> = bodies.iter().map(|body| body.id()).collect();
                let mut items = Map::new();
                for body in bodies {
                    items.insert(body.id().into(), self.server.body_json(body));
                }
                json!({"visible": ids, "items": items, "should_poll": false})
            }
            Expected::Bodies(bodies) => {
                let mut items = Map::new();
                for (id, body) in bodies {
                    items.insert(id.clone(), self.server.body_json(body));
                }
                json!({"items": items})
            }
            Expected::Progress(id, percent) => {
                json!({"meta": {id.as_str(): {"progress": percent}}})
            }
            Expected::NoAttempt => json!({"attempt": null}),
            Expected::Other => return None,
        })
    }
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Create => "creating",
        Kind::Update => "updating",
        Kind::Process => "processing",
        Kind::Delete => "deleting",
    }
}
