//! The verbs, by the document's names.

use resourcecache::json::JsonResource;
use resourcecache::{
    Coverage, Event, FetchToken, Kind, MetadataPatch, Named, OperationId, Retry, WatchEvent,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::applied;
use crate::cache::{Answer, Cache, at, ms, read, whole};
use crate::error::Refusal;

#[wasm_bindgen]
impl Cache {
    /// A list call is about to start: an object of `token`, a number, and `applied`.
    pub fn begin_fetch(&mut self, now: f64) -> Answer {
        let now = at(now);
        let line = self.journal.line(&Event::BeginFetch, now);
        let (token, changes) = self.cache.begin_fetch(now);
        self.journal.push(line);
        let changed = resourcecache::Applied {
            changes,
            ..resourcecache::Applied::default()
        };
        let applied = applied::applied(self, &changed);
        Ok(format!(
            "{{\"token\":{},\"applied\":{applied}}}",
            applied::json(&token)
        ))
    }

    /// Takes the answer of a list call, so many bytes in the cache's buffer.
    pub fn merge(
        &mut self,
        bytes: usize,
        token: Option<String>,
        coverage: Option<String>,
        now: f64,
    ) -> Answer {
        let token: Option<FetchToken> = token.map(|text| read(&text, "token")).transpose()?;
        let coverage = coverage.map(|text| read(&text, "coverage")).transpose()?;
        let coverage: Coverage = coverage.unwrap_or_default();
        let response = self
            .buffer
            .get(..bytes)
            .ok_or_else(|| Refusal::bad_input("answer", "is longer than the room for it"))?;
        if self.journal.is_kept() {
            let mut snapshot = self.schema.snapshot(response)?.covering(coverage);
            snapshot.token = token;
            return self.event(Event::Merge(snapshot), now);
        }
        let mut asked = self.schema.response(response).covering(coverage);
        if let Some(token) = token {
            asked = asked.with_token(token);
        }
        let merged = self.cache.merge_response(asked, at(now))?;
        Ok(applied::applied(self, &merged))
    }

    /// Takes a watch event as Kubernetes writes it.
    pub fn observe(&mut self, event: &str, now: f64) -> Answer {
        let event = self.schema.watch_event(event.as_bytes())?;
        self.event(Event::Observe(event), now)
    }

    /// A stream told that a resource is gone, and not what it was.
    pub fn observe_deleted(&mut self, id: &str, version: Option<String>, now: f64) -> Answer {
        let id = id.into();
        self.event(Event::Observe(WatchEvent::DeletedId { id, version }), now)
    }

    /// A stream told that the server gave up work that it had accepted; `named` is the core's `Named`.
    pub fn observe_failed(&mut self, named: &str, error: String, now: f64) -> Answer {
        let operation: Named = read(named, "operation")?;
        self.event(Event::Observe(WatchEvent::Failed { operation, error }), now)
    }

    /// Takes a list that version 1.0 saved, with its marks; only into an empty collection.
    pub fn import_v1(&mut self, list: &str, now: f64) -> Answer {
        let items = self.schema.list_v1(list.as_bytes())?;
        self.event(Event::ImportV1 { items }, now)
    }

    /// Hides a resource that is about to be deleted.
    pub fn mark_as_deleting(&mut self, id: &str, min_ttl_ms: Option<f64>, now: f64) -> Answer {
        self.event(begin(id, Kind::Delete, ms(min_ttl_ms, "minTtl")?), now)
    }

    /// Marks a resource as undergoing an operation: `create`, `update`, `process` or `delete`.
    pub fn mark_as_processing(&mut self, id: &str, kind: &str, now: f64) -> Answer {
        self.event(begin(id, kind_of(kind)?, None), now)
    }

    /// Shows a resource with a JSON merge patch (RFC 7396) laid over it until the server has it.
    pub fn mark_as_updating(
        &mut self,
        id: &str,
        patch: &str,
        min_ttl_ms: Option<f64>,
        now: f64,
    ) -> Answer {
        let event = Event::Begin {
            id: id.into(),
            kind: Kind::Update,
            patch: Some(self.schema.merge_patch(patch.as_bytes())?),
            min_ttl_ms: ms(min_ttl_ms, "minTtl")?,
        };
        self.event(event, now)
    }

    /// Shows a new resource before the server has it.
    pub fn add_as_creating(&mut self, resource: &str, min_ttl_ms: Option<f64>, now: f64) -> Answer {
        let event = Event::Create {
            resource: self.schema.resource(resource.as_bytes())?,
            min_ttl_ms: ms(min_ttl_ms, "minTtl")?,
        };
        self.event(event, now)
    }

    /// The server answered the creation of `temp_id` with this resource.
    pub fn replace_created(&mut self, temp_id: &str, resource: &str, now: f64) -> Answer {
        let event = Event::ReplaceCreated {
            temp_id: temp_id.into(),
            resource: self.schema.resource(resource.as_bytes())?,
        };
        self.event(event, now)
    }

    /// The server answered with some fields of a resource; each replaces the whole's.
    pub fn update_in_place(&mut self, id: &str, fields: &str, now: f64) -> Answer {
        let event = Event::UpdateInPlace {
            id: id.into(),
            patch: self.schema.partial(fields.as_bytes())?,
        };
        self.event(event, now)
    }

    /// Changes the metadata fields that a JSON object names; null takes one away.
    pub fn update_metadata(&mut self, id: &str, fields: &str, now: f64) -> Answer {
        let patch: MetadataPatch = read(fields, "metadata")?;
        let id = id.into();
        self.event(Event::UpdateMetadata { id, patch }, now)
    }

    /// The server accepted an operation, and answered with the resource as it now is, or with nothing.
    pub fn acknowledge(&mut self, operation: f64, answer: Option<String>, now: f64) -> Answer {
        let answer = answer.map(|answer| self.schema.resource(answer.as_bytes()));
        let answer: Option<JsonResource> = answer.transpose()?;
        let operation = OperationId(whole(operation));
        self.event(Event::Acknowledge { operation, answer }, now)
    }

    /// An attempt failed; `retry` is the core's `Retry`.
    pub fn fail(&mut self, operation: f64, error: String, retry: &str, now: f64) -> Answer {
        let retry: Retry = read(retry, "retry")?;
        let operation = OperationId(whole(operation));
        let event = Event::Fail {
            operation,
            error,
            retry,
        };
        self.event(event, now)
    }

    /// The next attempt starts.
    pub fn attempt(&mut self, operation: f64, now: f64) -> Answer {
        let operation = OperationId(whole(operation));
        self.event(Event::Attempt { operation }, now)
    }

    /// Takes one operation back.
    pub fn cancel(&mut self, operation: f64, now: f64) -> Answer {
        let operation = OperationId(whole(operation));
        self.event(Event::Cancel { operation }, now)
    }

    /// The newest operation of a resource is done.
    pub fn complete(&mut self, id: &str, now: f64) -> Answer {
        self.event(Event::Complete { id: id.into() }, now)
    }

    /// Ends every unsettled operation of a resource.
    pub fn revert(&mut self, id: &str, now: f64) -> Answer {
        self.event(Event::Revert { id: id.into() }, now)
    }

    /// Drops a resource; a deletion of it counts as confirmed.
    pub fn remove(&mut self, id: &str, now: f64) -> Answer {
        self.event(Event::Remove { id: id.into() }, now)
    }

    /// Gives up every operation older than this that no live guard protects.
    pub fn cleanup_stale_operations(&mut self, older_than_ms: f64, now: f64) -> Answer {
        let older_than_ms = ms(Some(older_than_ms), "olderThan")?.unwrap_or_default();
        self.event(Event::CleanupStaleOperations { older_than_ms }, now)
    }

    /// Marks several resources, all or none.
    pub fn batch_mark_as_processing(
        &mut self,
        ids: Vec<String>,
        kind: &str,
        min_ttl_ms: Option<f64>,
        now: f64,
    ) -> Answer {
        let (kind, least) = (kind_of(kind)?, ms(min_ttl_ms, "minTtl")?);
        let events = ids.iter().map(|id| begin(id, kind, least)).collect();
        self.event(Event::Batch(events), now)
    }

    /// Removes several resources, all or none.
    pub fn batch_remove(&mut self, ids: Vec<String>, now: f64) -> Answer {
        let ids = ids.into_iter();
        let events = ids.map(|id| Event::Remove { id: id.into() }).collect();
        self.event(Event::Batch(events), now)
    }

    /// Does all that is due.
    pub fn handle_timeout(&mut self, now: f64) -> Answer {
        self.event(Event::HandleTimeout, now)
    }
}

fn begin(id: &str, kind: Kind, min_ttl_ms: Option<u64>) -> Event<JsonResource> {
    Event::Begin {
        id: id.into(),
        kind,
        patch: None,
        min_ttl_ms,
    }
}

fn kind_of(word: &str) -> Result<Kind, Refusal> {
    read(&applied::json(&word), "operation")
}
