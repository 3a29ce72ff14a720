//! What a scenario expects of the cache.

use std::collections::{BTreeMap, BTreeSet};

use resourcecache::json::JsonResource;
use resourcecache::{Conflict, Kind, ResourceId, State, Status, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::runner::{EPOCH_MS, World};

type Checked = Result<(), String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedOutcome {
    id: String,
    outcome: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    #[serde(default)]
    upserted: BTreeSet<String>,
    #[serde(default)]
    removed: BTreeSet<String>,
}

/// What the last `poll_attempt` handed out; a field that is left out may be anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedAttempt {
    op: String,
    number: Option<u32>,
    kind: Option<Kind>,
    id: Option<String>,
    body: Option<Map<String, Value>>,
}

/// What is asked of the server; a field that is left out may be anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedCall {
    kind: Option<Kind>,
    id: Option<String>,
    body: Option<Map<String, Value>>,
}

impl ExpectedCall {
    fn is_asked(
        &self,
        what: &str,
        kind: Kind,
        id: &ResourceId,
        body: Option<&JsonResource>,
    ) -> Checked {
        same(&format!("{what}: kind"), &self.kind.unwrap_or(kind), &kind)?;
        let id = id.to_string();
        same(&format!("{what}: id"), self.id.as_ref().unwrap_or(&id), &id)?;
        let Some(expected) = &self.body else {
            return Ok(());
        };
        let body = body.map_or("null", |b| b.body());
        let body: Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
        contains(&format!("{what}'s body"), expected, &body)
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, got: &T) -> Checked {
    if expected == got {
        return Ok(());
    }
    Err(format!("expected: {what} {expected:?}\n    got: {got:?}"))
}

impl World {
    /// Checks every field of an expectation.
    pub(crate) fn expect(&mut self, json: &str) -> Checked {
        let mut fields = Fields::parse(json)?;
        self.expect_lists(&mut fields)?;
        self.expect_of_ids(&mut fields)?;
        self.expect_of_last_action(&mut fields)?;
        fields.finish()
    }

    fn expect_lists(&mut self, fields: &mut Fields) -> Checked {
        if let Some(expected) = fields.optional::<Vec<String>>("visible")? {
            let got: Vec<String> = self.cache.visible().map(|i| i.id().to_string()).collect();
            same("visible", &expected, &got)?;
        }
        if let Some(mut expected) = fields.optional::<Vec<String>>("all")? {
            let mut got: Vec<String> = self.cache.all().map(|i| i.id().to_string()).collect();
            got.sort();
            expected.sort();
            same("all", &expected, &got)?;
        }
        let by_status = fields.optional::<BTreeMap<Status, Vec<String>>>("by_status")?;
        for (status, mut expected) in by_status.unwrap_or_default() {
            let items = self.cache.get_by_status(status);
            let mut got: Vec<String> = items.map(|i| i.id().to_string()).collect();
            got.sort();
            expected.sort();
            same(&format!("{status}"), &expected, &got)?;
        }
        if let Some(expected) = fields.optional::<Option<i64>>("next_timeout")? {
            let got = self
                .cache
                .poll_timeout()
                .map(|Timestamp(at)| at.saturating_sub(EPOCH_MS));
            same("next_timeout", &expected, &got)?;
        }
        if let Some(expected) = fields.optional::<usize>("queued")? {
            same("queued", &expected, &self.cache.queued())?;
        }
        if let Some(expected) = fields.optional::<Option<ExpectedAttempt>>("attempt")? {
            self.expect_attempt(expected)?;
        }
        if let Some(expected) = fields.optional("requests")? {
            self.expect_requests(expected)?;
        }
        if let Some(expected) = fields.optional::<bool>("should_poll")? {
            same("should_poll", &expected, &self.cache.should_poll())?;
        }
        self.expect_history(fields)
    }

    fn expect_history(&self, fields: &mut Fields) -> Checked {
        if let Some(expected) = fields.optional::<Vec<String>>("undo_labels")? {
            let got: Vec<String> = self.cache.undo_labels().map(str::to_string).collect();
            same("undo_labels", &expected, &got)?;
        }
        if let Some(expected) = fields.optional::<Vec<String>>("redo_labels")? {
            let got: Vec<String> = self.cache.redo_labels().map(str::to_string).collect();
            same("redo_labels", &expected, &got)?;
        }
        if let Some(expected) = fields.optional::<Vec<Conflict>>("conflicts")? {
            same("conflicts", &expected, &self.conflicts)?;
        }
        Ok(())
    }

    fn expect_attempt(&self, expected: Option<ExpectedAttempt>) -> Checked {
        let (expected, got) = match (expected, &self.attempt) {
            (None, None) => return Ok(()),
            (Some(expected), Some(got)) => (expected, got),
            (expected, got) => {
                let word = |is: bool| if is { "an attempt" } else { "no attempt" };
                let (expected, got) = (word(expected.is_some()), word(got.is_some()));
                return Err(format!("expected: {expected}\n    got: {got}"));
            }
        };
        let operation = self.operations.get(&expected.op).copied();
        same("attempt of", &operation, &Some(got.operation))?;
        same(
            "attempt's number",
            &expected.number.unwrap_or(got.number),
            &got.number,
        )?;
        let call = ExpectedCall {
            kind: expected.kind,
            id: expected.id,
            body: expected.body,
        };
        call.is_asked("the attempt", got.kind, &got.id, got.body.as_ref())
    }

    fn expect_requests(&self, expected: BTreeMap<String, Option<ExpectedCall>>) -> Checked {
        for (name, expected) in expected {
            let operation = self.operations.get(&name).copied();
            let operation =
                operation.ok_or_else(|| format!("requests: {name:?} was never begun"))?;
            match (expected, self.cache.request_of(operation)) {
                (None, None) => {}
                (Some(expected), Some(got)) => {
                    let what = format!("{name}'s request");
                    expected.is_asked(&what, got.kind, &got.id, got.body.as_ref())?;
                }
                (_, got) => {
                    return Err(format!("expected: otherwise\n    got: {name} asks {got:?}"));
                }
            }
        }
        Ok(())
    }

    fn expect_of_ids(&mut self, fields: &mut Fields) -> Checked {
        let items = fields.optional::<BTreeMap<String, Map<String, Value>>>("items")?;
        for (id, expected) in items.unwrap_or_default() {
            let item = self.cache.get_one(&id);
            let item = item.ok_or_else(|| format!("expected: {id} exists\n    got: absent"))?;
            let body: Value =
                serde_json::from_str(item.body().body()).map_err(|e| e.to_string())?;
            contains(&format!("{id}'s body"), &expected, &body)?;
        }
        let meta = fields.optional::<BTreeMap<String, Map<String, Value>>>("meta")?;
        for (id, expected) in meta.unwrap_or_default() {
            let meta = self.cache.get_one(&id).and_then(|item| item.meta());
            let meta = serde_json::to_value(meta.unwrap_or_default()).map_err(|e| e.to_string())?;
            contains(&format!("{id}'s _meta"), &expected, &meta)?;
        }
        let status = fields.optional::<BTreeMap<String, Option<String>>>("status")?;
        for (id, expected) in status.unwrap_or_default() {
            let word = expected.as_deref().unwrap_or("absent");
            if word != "absent" && Status::ALL.iter().all(|s| s.name() != word) {
                return Err(format!("status: {word:?} is none"));
            }
            let got = match self.cache.get_one(&id) {
                None => Some("absent".to_string()),
                Some(item) => item.status().map(|s| s.name().to_string()),
            };
            same(&format!("{id}'s status"), &expected, &got)?;
        }
        let state = fields.optional::<BTreeMap<String, String>>("state")?;
        for (id, expected) in state.unwrap_or_default() {
            if State::all().all(|state| state.name() != expected) {
                return Err(format!("state: {expected:?} is none"));
            }
            let got = self.cache.state(&id).unwrap_or(State::Gone);
            same(&format!("{id}'s state"), &expected.as_str(), &got.name())?;
        }
        Ok(())
    }

    fn expect_of_last_action(&mut self, fields: &mut Fields) -> Checked {
        if let Some(expected) = fields.optional::<Vec<ExpectedOutcome>>("outcomes")? {
            let mut expected: Vec<_> = expected.into_iter().map(|o| (o.id, o.outcome)).collect();
            let outcomes = std::mem::take(&mut self.outcomes);
            let got = outcomes
                .iter()
                .map(|o| (o.id.to_string(), o.settlement.name().to_string()));
            let mut got: Vec<_> = got.collect();
            expected.sort();
            got.sort();
            same("outcomes", &expected, &got)?;
        }
        for (first, second) in fields
            .optional::<Vec<(String, String)>>("same_row")?
            .unwrap_or_default()
        {
            self.expect_same_row(&first, &second)?;
        }
        if let Some(expected) = fields.optional::<bool>("unchanged")? {
            let got = self.last.is_empty();
            same("unchanged", &expected, &got).map_err(|p| format!("{p} by {:?}", self.last))?;
        }
        if let Some(expected) = fields.optional::<usize>("warnings")? {
            same("warnings", &expected, &self.last.warnings.len())?;
        }
        if let Some(expected) = fields.optional::<Changed>("changed")? {
            let ids = |id: &ResourceId| id.to_string();
            let upserted = self.last.upserted.iter().map(|u| ids(&u.id)).collect();
            let removed = self.last.removed.iter().map(|r| ids(&r.id)).collect();
            same("upserted", &expected.upserted, &upserted)?;
            same("removed", &expected.removed, &removed)?;
        }
        Ok(())
    }

    /// The first's key when last seen; of one id, at the last expectation that had it.
    fn expect_same_row(&self, first: &str, second: &str) -> Checked {
        let before = if first == second {
            (self.seen_at_expectation.get(first)).or_else(|| self.first_seen.get(first))
        } else {
            self.seen.get(first)
        };
        let before = before.ok_or_else(|| format!("same_row: {first} was never seen before"))?;
        let now = self.cache.get_one(second);
        let now = now.ok_or_else(|| format!("expected: a row of {second}\n    got: none"))?;
        same(
            &format!("{second} in the row of {first},"),
            before,
            &now.key(),
        )
    }
}

fn contains(what: &str, expected: &Map<String, Value>, got: &Value) -> Checked {
    for (field, value) in expected {
        let got = got.get(field).unwrap_or(&Value::Null);
        if !equal(value, got) {
            return Err(format!(
                "expected: {what} with {field} = {value}\n    got: {field} = {got}"
            ));
        }
    }
    Ok(())
}

/// Equal as JSON values: 1 is 1.0.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || (x.is_f64() != y.is_f64() && x.as_f64() == y.as_f64())
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| equal(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, v)| y.get(k).is_some_and(|w| equal(v, w)))
        }
        _ => a == b,
    }
}
