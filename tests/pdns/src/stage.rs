//! Two clients of one list, a judge before each, and the time in the test's hand.

use std::collections::BTreeSet;

use resourcecache::json::Schema;
use resourcecache::{Config, JsonCache, OperationId, Outcome, Timestamp, VersionOrder};
use resourcecache_judge::{Fact, Judge, Naive};
use serde_json::{Value, json};

use crate::pair::{CATALOG, Pair};
use crate::programs::Programs;

/// The two servers, a naive client and ours. What the user does, both do.
#[derive(Debug)]
pub struct Stage {
    /// The servers.
    pub pair: Pair,
    /// Our client.
    pub cache: JsonCache,
    schema: Schema,
    naive: Naive,
    now: Timestamp,
    naive_judge: Judge,
    our_judge: Judge,
    /// The zones that ever were.
    known: BTreeSet<String>,
}

impl Stage {
    /// Servers with these zones, and both clients with their first list, at time 0.
    pub fn start(programs: &Programs, zones: &[&str], mut config: Config) -> Self {
        config.version_order = VersionOrder::Integer;
        let mut stage = Self {
            pair: Pair::start(programs, zones),
            cache: JsonCache::new(config),
            schema: Schema {
                version: Some("/serial".parse().expect("a pointer")),
                ..Schema::default()
            },
            naive: Naive::default(),
            now: Timestamp(0),
            naive_judge: Judge::default(),
            our_judge: Judge::default(),
            known: BTreeSet::new(),
        };
        assert_eq!(stage.refresh(), [], "a first list settles nothing");
        stage
    }

    /// It is now so many milliseconds after the start.
    pub fn at(&mut self, ms: i64) -> &mut Self {
        self.now = Timestamp(ms);
        self
    }

    /// Both list from the secondary, and show the same answer; how our operations settled.
    pub fn refresh(&mut self) -> Vec<Outcome> {
        let (token, due) = self.cache.begin_fetch(self.now);
        let bytes = self.pair.list();
        let list: Vec<Value> = serde_json::from_slice(&bytes).expect("a list");
        self.naive.refresh(&list);
        let response = self.schema.response(&bytes).with_token(token);
        let merged = self.cache.merge_response(response, self.now);
        let merged = merged.expect("a list that merges").changes.outcomes;
        self.look();
        due.outcomes.into_iter().chain(merged).collect()
    }

    /// Shows both screens to the judges, who know the primary's truth.
    fn look(&mut self) {
        let truth = self.pair.truth();
        let id = |zone: &Value| zone["id"].as_str().unwrap_or_default().to_string();
        self.known.extend(truth.iter().map(id));
        let fact = |known: &String| Fact {
            id: known.clone(),
            body: truth.iter().find(|zone| id(zone) == *known).cloned(),
        };
        let facts: Vec<Fact> = self.known.iter().map(fact).collect();
        self.naive_judge.look(self.naive.rows(), &facts);
        let bodies = self.cache.visible();
        let bodies = bodies.map(|item| serde_json::from_str(item.body().body()));
        let rows: Vec<Value> = bodies.map(|body| body.expect("JSON")).collect();
        self.our_judge.look(&rows, &facts);
    }

    /// The user deletes a zone; the primary has not been asked yet.
    pub fn marks_deleted(&mut self, zone: &str) -> OperationId {
        let marked = self.cache.mark_as_deleting(zone, None, self.now);
        self.hides(&[zone]);
        marked.expect("a mark").operation().expect("an operation")
    }

    /// What the naive client does when the user deletes, and the judges are told.
    pub fn hides(&mut self, zones: &[&str]) {
        self.naive.delete(zones);
        self.naive_judge.user_deletes(zones);
        self.our_judge.user_deletes(zones);
        self.look();
    }

    /// The primary is asked to delete it, and does.
    pub fn deletes(&mut self, zone: &str, operation: OperationId) {
        assert_eq!(self.pair.delete(zone), 204);
        let done = self.cache.acknowledge(operation, None, self.now);
        done.expect("an acknowledgement");
        self.look();
    }

    /// The user makes a zone, and so does the primary, which answers it.
    pub fn creates(&mut self, zone: &str) {
        let row = json!({"id": zone, "name": zone, "kind": "Slave", "dnssec": false});
        self.naive.add(row.clone());
        let resource = self.schema.resource(row.to_string().as_bytes());
        let begun = self
            .cache
            .add_as_creating(resource.expect("a zone"), self.now);
        let operation = begun
            .expect("a creation")
            .operation()
            .expect("an operation");
        self.look();
        let answer = self.pair.create(zone).to_string();
        let answer = self.schema.resource(answer.as_bytes()).expect("a zone");
        let done = self.cache.acknowledge(operation, Some(answer), self.now);
        done.expect("an acknowledgement");
        self.look();
    }

    /// The user signs a zone, and so does the primary; our client is told its answer or only that
    /// there was one.
    pub fn signs(&mut self, zone: &str, with_answer: bool) {
        self.naive.set(zone, "dnssec", json!(true));
        let patch = self.schema.merge_patch(br#"{"dnssec":true}"#);
        let begun = self
            .cache
            .mark_as_updating(zone, patch.expect("a patch"), self.now);
        let operation = begun.expect("an update").operation().expect("an operation");
        self.look();
        let answer = self.pair.sign(zone).to_string();
        let answer = self.schema.resource(answer.as_bytes()).expect("a zone");
        let answer = with_answer.then_some(answer);
        let done = self.cache.acknowledge(operation, answer, self.now);
        done.expect("an acknowledgement");
        self.look();
    }

    /// The zones that our client shows, the catalog aside, sorted: the secondary's order is that of
    /// hashes.
    pub fn shown(&self) -> Vec<&str> {
        let ids = self.cache.visible().map(|zone| zone.id());
        let mut ids: Vec<&str> = ids.filter(|id| *id != CATALOG).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether our client shows this zone as signed.
    pub fn is_signed(&self, zone: &str) -> bool {
        let item = self.cache.get_one(zone).expect("a zone");
        let body: Value = serde_json::from_str(item.body().body()).expect("JSON");
        body["dnssec"] == true
    }

    /// The flickers so far: the naive client's and ours, which are printed.
    pub fn flickers(&self, what: &str) -> (usize, usize) {
        let naive = self.naive_judge.flickers.total();
        let ours = self.our_judge.flickers.total();
        println!("PowerDNS, {what}: flickers: naive {naive}, resourcecache {ours}");
        (naive, ours)
    }
}
