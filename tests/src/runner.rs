//! Runs scenarios against the core, step by step.

use std::collections::BTreeMap;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    Attempt, Changes, Config, Conflict, Error, FetchToken, JsonCache, OperationId, Outcome, RowKey,
    Timestamp,
};
use serde_json::value::RawValue;

use crate::fields::Fields;

/// 2025-01-19T00:00:00Z, from which the times of a scenario count.
pub(crate) const EPOCH_MS: i64 = 1_737_244_800_000;

/// How one scenario went.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// The step that failed, what was expected, and what came instead; or what could not be read.
    pub result: Result<(), String>,
}

/// Runs every scenario of a file.
///
/// # Errors
///
/// The file is no array of scenarios, or an empty one.
pub fn run_file(json: &str) -> Result<Vec<Report>, String> {
    let scenarios: Vec<Box<RawValue>> =
        serde_json::from_str(json).map_err(|error| format!("no array of scenarios: {error}"))?;
    if scenarios.is_empty() {
        return Err("holds no scenario".into());
    }
    Ok(scenarios.iter().map(|s| run_scenario(s.get())).collect())
}

/// Runs one scenario.
pub fn run_scenario(json: &str) -> Report {
    let mut name = "(without a name)".to_string();
    let result = run_named(json, &mut name);
    Report { name, result }
}

fn run_named(json: &str, name: &mut String) -> Result<(), String> {
    let mut fields = Fields::parse(json)?;
    *name = fields.required("name")?;
    let _: Option<Vec<String>> = fields.optional("rules")?;
    let (config, schema) = match fields.raw("config") {
        Some(config) => read_config(&config).map_err(|e| format!("config: {e}"))?,
        None => (Config::default(), Schema::default()),
    };
    let steps: Vec<Box<RawValue>> = fields.required("steps")?;
    fields.finish()?;
    if steps.is_empty() {
        return Err("has no steps".into());
    }
    let mut world = World::new(config, schema);
    for (index, step) in steps.iter().enumerate() {
        world
            .step(step.get())
            .map_err(|problem| format!("step {}: {}\n    {problem}", index + 1, step.get()))?;
    }
    Ok(())
}

fn read_config(json: &str) -> Result<(Config, Schema), String> {
    let mut fields = Fields::parse(json)?;
    let mut config = Config::default();
    let mut schema = Schema::default();
    macro_rules! read {
        ($($target:expr => $name:literal),* $(,)?) => {
            $(if let Some(value) = fields.optional($name)? { $target = value; })*
        };
    }
    read! {
        schema.id => "id",
        schema.uid => "uid",
        schema.version => "version",
        schema.token => "token",
        config.version_order => "version_order",
        config.ttl_ms => "ttl_ms",
        config.stale_after_ms => "stale_after_ms",
        config.completed_shown_ms => "completed_shown_ms",
        config.error_shown_ms => "error_shown_ms",
        config.new_items => "new_items",
        config.on_failure => "on_failure",
        config.bad_items => "bad_items",
        config.retry => "retry",
        config.max_under_way => "max_under_way",
        config.progress => "progress",
        config.history => "history",
        config.seed => "seed",
    }
    // How a list carries its own version is the runner's business: merge names it.
    let _: Option<serde_json::Value> = fields.optional("list_version")?;
    fields.finish()?;
    Ok((config, schema))
}

/// The cache under test, and what the scenario has named or seen so far.
pub(crate) struct World {
    pub(crate) cache: JsonCache,
    pub(crate) schema: Schema,
    pub(crate) operations: BTreeMap<String, OperationId>,
    pub(crate) fetches: BTreeMap<String, FetchToken>,
    /// What the last action answered.
    pub(crate) last: Changes,
    /// The attempt that the last `poll_attempt` handed out.
    pub(crate) attempt: Option<Attempt<JsonResource>>,
    /// What the last undo or redo left alone.
    pub(crate) conflicts: Vec<Conflict>,
    /// The outcomes since the last expectation that asked.
    pub(crate) outcomes: Vec<Outcome>,
    /// Each id's row key when it was last seen after an action.
    pub(crate) seen: BTreeMap<String, RowKey>,
    /// The same, when it was first seen.
    pub(crate) first_seen: BTreeMap<String, RowKey>,
    /// The same, after an expectation.
    pub(crate) seen_at_expectation: BTreeMap<String, RowKey>,
    /// The visible list as a reader has it who only follows the changes.
    mirror: Vec<RowKey>,
}

impl World {
    fn new(config: Config, schema: Schema) -> Self {
        Self {
            cache: JsonCache::new(config),
            schema,
            operations: BTreeMap::new(),
            fetches: BTreeMap::new(),
            last: Changes::default(),
            attempt: None,
            conflicts: Vec::new(),
            outcomes: Vec::new(),
            seen: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            seen_at_expectation: BTreeMap::new(),
            mirror: Vec::new(),
        }
    }

    fn step(&mut self, json: &str) -> Result<(), String> {
        let mut fields = Fields::parse(json)?;
        let now = Timestamp(EPOCH_MS.saturating_add(fields.required::<i64>("at")?));
        let action: Option<String> = fields.optional("do")?;
        let expectation = fields.raw("expect");
        match (action, expectation) {
            (Some(action), None) => self.act(&action, fields, now),
            (None, Some(expectation)) => {
                fields.finish()?;
                self.expect(&expectation)?;
                self.seen_at_expectation.extend(self.seen.clone());
                Ok(())
            }
            _ => Err("a step has either an action (do) or an expectation (expect)".into()),
        }
    }

    fn act(&mut self, action: &str, mut fields: Fields, now: Timestamp) -> Result<(), String> {
        let refused: Option<String> = fields.optional("refused")?;
        if let Some(kind) = &refused {
            known_kind(kind)?;
        }
        let before = self.bytes();
        match (self.run(action, fields, now)?, refused) {
            (Ok(changes), None) => self.accept(changes),
            (Ok(_), Some(kind)) => Err(format!("expected: refused as {kind}\n    got: accepted")),
            (Err(error), None) => Err(format!(
                "expected: accepted\n    got: refused as {}: {error}",
                error.kind().name()
            )),
            (Err(error), Some(kind)) if error.kind().name() != kind => Err(format!(
                "expected: refused as {kind}\n    got: refused as {}: {error}",
                error.kind().name()
            )),
            (Err(_), Some(_)) if before != self.bytes() => Err(
                "expected: nothing changed\n    got: the refused action changed the state".into(),
            ),
            (Err(_), Some(_)) => {
                self.last = Changes::default();
                Ok(())
            }
        }
    }

    fn accept(&mut self, changes: Changes) -> Result<(), String> {
        follow(&mut self.mirror, &changes)?;
        let visible: Vec<RowKey> = self.cache.visible().map(|item| item.key()).collect();
        if self.mirror != visible {
            return Err(format!(
                "expected: the changes lead to the new list {visible:?}\n    got: {:?} by {changes:?}",
                self.mirror
            ));
        }
        for item in self.cache.all() {
            let (id, key) = (item.id().to_string(), item.key());
            self.first_seen.entry(id.clone()).or_insert(key);
            self.seen.insert(id, key);
        }
        self.outcomes.extend(changes.outcomes.iter().cloned());
        self.last = changes;
        Ok(())
    }

    /// Saves the state, drops the cache and loads it again. A reader takes the whole list then.
    pub(crate) fn reload(&mut self, now: Timestamp) -> Result<Result<Changes, Error>, String> {
        let saved = self.bytes();
        let record = serde_json::from_slice(&saved).map_err(|e| format!("the saved state: {e}"))?;
        let told = self.cache.outcomes().count();
        let loaded = JsonCache::restore(self.cache.config().clone(), record, now);
        Ok(loaded.map(|cache| {
            self.cache = cache;
            // Loading does what is due and tells nobody: a reader takes the whole view.
            self.mirror = self.cache.visible().map(|item| item.key()).collect();
            // What became due while it was away.
            self.outcomes
                .extend(self.cache.outcomes().skip(told).cloned());
            Changes::default()
        }))
    }

    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.cache.record()).unwrap_or_default()
    }
}

/// Applies changes to a list of rows as their documentation says.
fn follow(rows: &mut Vec<RowKey>, changes: &Changes) -> Result<(), String> {
    rows.retain(|key| {
        changes.removed.iter().all(|r| r.key != *key)
            && changes.upserted.iter().all(|u| u.key != *key)
    });
    for upsert in &changes.upserted {
        let at = match upsert.after {
            None => 0,
            Some(after) => {
                let place = rows.iter().position(|key| *key == after);
                place.ok_or_else(|| format!("a row is put behind {after:?}, which is not there"))?
                    + 1
            }
        };
        rows.insert(at, upsert.key);
    }
    Ok(())
}

fn known_kind(kind: &str) -> Result<(), String> {
    const KINDS: [&str; 5] = [
        "transition",
        "not_found",
        "already_exists",
        "bad_input",
        "bad_snapshot",
    ];
    if KINDS.contains(&kind) {
        return Ok(());
    }
    Err(format!("refused: {kind:?} is no kind of error"))
}
