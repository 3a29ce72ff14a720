//! What the server knows: one timeline of writes, which each replica reads with a lag of its own.
//! Pure: the time is an argument.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How the server behaves. Durations in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lag {
    /// How far each replica is behind; reads take them in turn.
    pub replicas: Vec<u64>,
    /// How long an accepted deletion takes.
    pub delete_ms: u64,
    /// How long a domain's registration takes.
    pub job_ms: u64,
    /// How far pushed events are behind; they come from the primary.
    pub push_ms: u64,
    /// Every so many-th event of a kind is lost on its way, counted from its first; 0 loses none.
    pub lose_push: usize,
    /// Whoever asks to go on from before the newest so many entries is answered 410.
    pub keep_pushes: usize,
}

impl Default for Lag {
    fn default() -> Self {
        Self {
            replicas: vec![0],
            delete_ms: 0,
            job_ms: 0,
            push_ms: 0,
            lose_push: 0,
            keep_pushes: usize::MAX,
        }
    }
}

/// A failure that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// `zones`, `domains` or `records`.
    pub kind: String,
    /// Of this object only.
    #[serde(default)]
    pub id: Option<String>,
    /// How often.
    #[serde(default = "once")]
    pub times: u32,
    /// The HTTP status; 202 accepts, and lets the job fail later.
    pub status: u16,
}

fn once() -> u32 {
    1
}

/// What became true, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds; the server starts an hour after 0.
    pub at_ms: u64,
    /// `zones`, `domains` or `records`.
    pub kind: String,
    /// The object.
    pub id: String,
    /// `created`, `updated`, `accepted` (a deletion or a job that will take its time), `deleted`
    /// or `failed`.
    pub change: String,
    /// The object from then on; `null` when it is gone.
    pub body: Option<Value>,
}

/// Work that takes its time.
#[derive(Clone, Debug)]
struct Job {
    id: String,
    action: &'static str,
    begun_ms: u64,
    lasts_ms: u64,
    fails: bool,
}

/// The server's answer: an HTTP status and a body.
pub type Answer = (u16, Value);

/// The whole server, without its socket.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// How it behaves.
    pub lag: Lag,
    /// Failures to come.
    pub failures: Vec<Failure>,
    /// Every write in the order of its time; those in the future are decided, and not yet true.
    timeline: Vec<Entry>,
    jobs: Vec<Job>,
    next_version: u64,
    next_id: u64,
    next_replica: usize,
}

fn problem(status: u16, message: &str) -> Answer {
    (status, json!({ "error": status, "message": message }))
}

impl World {
    /// What has become true until now.
    pub fn ledger(&self, now: u64) -> &[Entry] {
        &self.timeline[..self.timeline.partition_point(|e| e.at_ms <= now)]
    }

    /// When the next write that is decided becomes true.
    pub(crate) fn next_due(&self, now: u64) -> Option<u64> {
        let next = self.timeline.get(self.ledger(now).len());
        next.map(|entry| entry.at_ms)
    }

    /// The objects of a kind as they were at `at`, in the order of their creation.
    fn objects(&self, kind: &str, at: u64) -> Vec<Value> {
        let mut objects: Vec<(&str, Option<&Value>)> = Vec::new();
        for entry in self.ledger(at).iter().filter(|e| e.kind == kind) {
            match objects
                .iter_mut()
                .find(|(id, body)| *id == entry.id && body.is_some())
            {
                Some(known) => known.1 = entry.body.as_ref(),
                None => objects.push((&entry.id, entry.body.as_ref())),
            }
        }
        objects
            .into_iter()
            .filter_map(|(_, body)| body.cloned())
            .collect()
    }

    fn object(&self, kind: &str, id: &str, at: u64) -> Option<Value> {
        self.objects(kind, at).into_iter().find(|o| o["id"] == id)
    }

    fn replica(&mut self, wanted: Option<usize>, now: u64) -> u64 {
        let replicas = &self.lag.replicas;
        if replicas.is_empty() {
            return now;
        }
        let index = wanted.unwrap_or_else(|| {
            self.next_replica += 1;
            self.next_replica - 1
        });
        now.saturating_sub(replicas[index % replicas.len()])
    }

    /// A list, or one page of it, by the next replica or a certain one.
    pub fn list(&mut self, kind: &str, page: &Page, now: u64) -> Answer {
        let at = self.replica(page.replica, now);
        let mut items = self.objects(kind, at);
        if let Some(after) = &page.after {
            let start = items.iter().position(|o| o["id"] == after.as_str());
            items.drain(..start.map_or(0, |s| s + 1));
        }
        items.truncate(page.limit.unwrap_or(usize::MAX));
        let version = self.ledger(at).len();
        (200, json!({ "version": version, "items": items }))
    }

    /// One object, by the next replica or a certain one.
    pub fn get(&mut self, kind: &str, id: &str, page: &Page, now: u64) -> Answer {
        let at = self.replica(page.replica, now);
        match self.object(kind, id, at) {
            Some(object) => (200, object),
            None => problem(404, "no such object"),
        }
    }

    fn record(&mut self, at: u64, kind: &str, id: &str, change: &str, body: Option<Value>) {
        let entry = Entry {
            at_ms: at,
            kind: kind.into(),
            id: id.into(),
            change: change.into(),
            body,
        };
        let place = self.timeline.partition_point(|e| e.at_ms <= at);
        self.timeline.insert(place, entry);
    }

    /// The object with these fields laid over it, and a new version.
    fn written(&mut self, object: &Value, fields: &Map<String, Value>) -> Value {
        let mut new = object.clone();
        self.next_version += 1;
        for (name, value) in fields
            .iter()
            .filter(|(n, _)| !["id", "uid", "version"].contains(&n.as_str()))
        {
            match value {
                Value::Null => drop(new.as_object_mut().map(|o| o.remove(name))),
                value => new[name] = value.clone(),
            }
        }
        new["version"] = self.next_version.into();
        new
    }

    fn failing(&mut self, method: &str, kind: &str, id: &str) -> Option<u16> {
        let matches = |f: &&mut Failure| {
            f.times > 0
                && f.method == method
                && f.kind == kind
                && f.id.as_deref().is_none_or(|i| i == id)
        };
        let failure = self.failures.iter_mut().find(matches)?;
        failure.times -= 1;
        Some(failure.status)
    }

    fn start_job(&mut self, action: &'static str, lasts_ms: u64, fails: bool, now: u64) -> String {
        let id = format!("job-{}", self.jobs.len() + 1);
        self.jobs.push(Job {
            id: id.clone(),
            action,
            begun_ms: now,
            lasts_ms,
            fails,
        });
        id
    }

    /// Creates an object. A domain is registered by a job, whose steps its `status` tells: pending,
    /// registering, activating, registered.
    pub fn create(&mut self, kind: &str, fields: &Map<String, Value>, now: u64) -> Answer {
        self.next_id += 1;
        let number = self.next_id;
        let given = fields.get("id").and_then(Value::as_str).map(String::from);
        let id = given.unwrap_or_else(|| format!("{}-{number}", kind.trim_end_matches('s')));
        let failure = self.failing("POST", kind, &id);
        if let Some(status) = failure.filter(|s| *s != 202) {
            return problem(status, "the server is busy");
        }
        if self.object(kind, &id, now).is_some() {
            return problem(409, "exists already");
        }
        let blank = json!({ "id": id, "uid": format!("uid-{number}") });
        let mut object = self.written(&blank, fields);
        if kind != "domains" {
            self.record(now, kind, &id, "created", Some(object.clone()));
            return (201, object);
        }
        object["status"] = "pending".into();
        self.record(now, kind, &id, "accepted", Some(object.clone()));
        let (lasts, fails) = (self.lag.job_ms, failure.is_some());
        let end = if fails {
            ("failed", "failed", lasts)
        } else {
            ("registered", "updated", lasts)
        };
        let steps = [
            ("registering", "updated", lasts / 3),
            ("activating", "updated", lasts * 2 / 3),
            end,
        ];
        let mut written = object.clone();
        for (status, change, after_ms) in steps {
            let status = Map::from_iter([("status".to_string(), Value::from(status))]);
            written = self.written(&written, &status);
            self.record(now + after_ms, kind, &id, change, Some(written.clone()));
        }
        let job = self.start_job("register", self.lag.job_ms, fails, now);
        (202, json!({ "job": job, "object": object }))
    }

    /// Lays fields over an object (RFC 7396 at the top level).
    pub fn update(
        &mut self,
        kind: &str,
        id: &str,
        fields: &Map<String, Value>,
        now: u64,
    ) -> Answer {
        if let Some(status) = self.failing("PATCH", kind, id) {
            return problem(status, "the server is busy");
        }
        let Some(object) = self.object(kind, id, now) else {
            return problem(404, "no such object");
        };
        let object = self.written(&object, fields);
        self.record(now, kind, id, "updated", Some(object.clone()));
        (200, object)
    }

    /// Deletes an object: accepted at once, done when the deletion's time is over.
    pub fn delete(&mut self, kind: &str, id: &str, now: u64) -> Answer {
        let failure = self.failing("DELETE", kind, id);
        if let Some(status) = failure.filter(|s| *s != 202) {
            return problem(status, "cannot be deleted");
        }
        let Some(object) = self.object(kind, id, now) else {
            return problem(404, "no such object");
        };
        let lasts = self.lag.delete_ms;
        let deleting = Map::from_iter([("status".to_string(), Value::from("deleting"))]);
        let marked = self.written(&object, &deleting);
        self.record(now, kind, id, "accepted", Some(marked.clone()));
        if failure.is_some() {
            let back = self.written(
                &marked,
                &Map::from_iter([("status".into(), object["status"].clone())]),
            );
            self.record(now + lasts, kind, id, "failed", Some(back));
        } else {
            self.record(now + lasts, kind, id, "deleted", None);
        }
        let job = self.start_job("delete", lasts, failure.is_some(), now);
        (202, json!({ "job": job }))
    }

    /// How far a job is.
    pub fn job(&self, id: &str, now: u64) -> Answer {
        let Some(job) = self.jobs.iter().find(|j| j.id == id) else {
            return problem(404, "no such job");
        };
        let passed = now.saturating_sub(job.begun_ms);
        let done = passed >= job.lasts_ms;
        let progress = if done {
            100
        } else {
            passed * 100 / job.lasts_ms
        };
        let stage = match (job.action, progress) {
            ("delete", _) => "deleting",
            (_, 0..33) => "initializing",
            (_, 33..66) => "registering",
            (_, 66..100) => "activating",
            _ => "complete",
        };
        let state = match (done, job.fails) {
            (false, _) => "running",
            (true, false) => "done",
            (true, true) => "failed",
        };
        let error = (state == "failed").then_some("the registry refused");
        (
            200,
            json!({ "id": id, "state": state, "stage": stage, "progress": progress, "error": error }),
        )
    }

    /// Puts objects in place as if they had always been there.
    pub fn seed(&mut self, kind: &str, objects: &[Map<String, Value>]) {
        for fields in objects {
            self.next_id += 1;
            let number = self.next_id;
            let named = fields.get("id").and_then(Value::as_str).map(String::from);
            let id = named.unwrap_or_else(|| format!("{}-{number}", kind.trim_end_matches('s')));
            let blank = json!({ "id": id, "uid": format!("uid-{number}") });
            let object = self.written(&blank, fields);
            self.record(0, kind, &id, "created", Some(object));
        }
    }
}

/// Which part of a list, and by which replica.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Page {
    /// What follows this id.
    pub after: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// By this replica, counted from 0.
    pub replica: Option<usize>,
}
