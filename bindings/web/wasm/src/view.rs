//! Reading: rows in list order, and questions about one resource. Nothing here changes anything.

use resourcecache::{Applied, Revision, RowKey, State, Status};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::applied::{self, row, rows};
use crate::cache::{Cache, at, read, whole};
use crate::error::Refusal;

#[wasm_bindgen]
impl Cache {
    /// The collection's change counter; it only grows.
    pub fn revision(&self) -> f64 {
        self.cache.revision().0 as f64
    }

    /// What has changed in the list since a revision; none when that far back is no longer known.
    pub fn changes_since(&self, revision: f64) -> Option<String> {
        let changes = self.cache.changes_since(Revision(whole(revision)))?;
        let changed = Applied {
            changes,
            ..Applied::default()
        };
        Some(applied::applied(self, &changed))
    }

    /// The row of an id, hidden or not.
    pub fn get_one(&self, id: &str) -> Option<String> {
        self.cache.get_one(id).map(|item| row(self, &item))
    }

    /// The row of a key, hidden or not.
    pub fn row(&self, key: f64) -> Option<String> {
        let item = self.cache.row(RowKey(whole(key)))?;
        Some(row(self, &item))
    }

    /// The key of the row of an id.
    pub fn key_of(&self, id: &str) -> Option<f64> {
        self.cache.get_one(id).map(|item| item.key().0 as f64)
    }

    /// The visible list, in order.
    pub fn visible(&self) -> String {
        rows(self, self.cache.visible())
    }

    /// The full list, hidden resources included; those without a place come last.
    pub fn all(&self) -> String {
        rows(self, self.cache.all())
    }

    /// How many rows are held, hidden ones included.
    pub fn row_count(&self) -> usize {
        self.cache.row_count()
    }

    /// The resources with this status, hidden ones included.
    pub fn get_by_status(&self, status: &str) -> Result<String, Refusal> {
        let status: Status = read(&applied::json(&status), "status")?;
        Ok(rows(self, self.cache.get_by_status(status)))
    }

    /// Whether an operation on this resource is unsettled.
    pub fn is_processing(&self, id: &str) -> bool {
        self.cache.is_processing(id)
    }

    /// Where a resource is in the lifecycle.
    pub fn state(&self, id: &str) -> Option<String> {
        self.cache.state(id).map(|state| state.name().into())
    }

    /// The unsettled operations on a resource, oldest first: `operation`, `kind` and `state` of each.
    pub fn operations(&self, id: &str) -> String {
        let operations = self.cache.operations(id).into_iter();
        let told = operations
            .map(|o| json!({ "operation": o.id, "kind": o.kind, "state": o.state.name() }));
        applied::json(&told.collect::<Vec<_>>())
    }

    /// Why a row is hidden, shown, or not what the server says.
    pub fn explain(&self, id: &str) -> String {
        let explanation = self.cache.explain(id);
        let mut value = serde_json::to_value(&explanation).unwrap_or_default();
        value["text"] = explanation.to_string().into();
        value["state"] = explanation.state.map(State::name).into();
        value.to_string()
    }

    /// Every deadline that is ahead, the earliest first: `at`, `id`, `operation` and `reason`.
    pub fn deadlines(&self) -> String {
        applied::json(&self.cache.deadlines().collect::<Vec<_>>())
    }

    /// When to call `handle_timeout` next.
    pub fn poll_timeout(&self) -> Option<f64> {
        self.cache.poll_timeout().map(|at| at.0 as f64)
    }

    /// Whether asking the server again is of use.
    pub fn should_poll(&self) -> bool {
        self.cache.should_poll()
    }

    /// The soonest time at which asking the server can decide something.
    pub fn next_poll(&self, now: f64) -> Option<f64> {
        self.cache.next_poll(at(now)).map(|at| at.0 as f64)
    }

    /// How operations settled, the oldest first.
    pub fn outcomes(&self) -> String {
        applied::json(&self.cache.outcomes().collect::<Vec<_>>())
    }

    /// The whole collection, hidden resources included, as a list that version 1.0 reads.
    pub fn list_v1(&self) -> String {
        resourcecache::json::list_v1(&self.cache)
    }
}
