//! One etcd server, and what its JSON gateway is asked by the test itself.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Process};

/// A running etcd.
#[derive(Debug)]
pub struct EtcdServer {
    process: Process,
    agent: ureq::Agent,
}

fn arguments(folder: &Path, port: u16) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}");
    let options = [
        ("data-dir", folder.join("data").display().to_string()),
        ("listen-client-urls", url.clone()),
        ("advertise-client-urls", url),
        // A peer's port that nobody else needs: it chooses.
        ("listen-peer-urls", "http://127.0.0.1:0".into()),
    ];
    let written = options.map(|(name, value)| format!("--{name}={value}"));
    written.into()
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE));
    config.build().into()
}

fn is_ready(port: u16) -> bool {
    let health = agent()
        .get(format!("http://127.0.0.1:{port}/health"))
        .call();
    health.is_ok_and(|answer| answer.status() == 200)
}

impl EtcdServer {
    /// Starts one; the error says that there is none here.
    ///
    /// # Errors
    ///
    /// The program is missing.
    pub fn start() -> Result<Self, String> {
        Ok(Self {
            process: Process::start("etcd", arguments, is_ready)?,
            agent: agent(),
        })
    }

    /// Its client URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.process.port)
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it has on disk.
    pub fn restart(&mut self) {
        self.process.restart(is_ready);
    }

    fn ask(&self, what: &str, body: &Value) -> Value {
        let url = format!("{}/v3/kv/{what}", self.url());
        let answer = self.agent.post(&url).send_json(body);
        let mut answer = answer.unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(answer.status(), 200, "{url}");
        answer.body_mut().read_json().expect("JSON")
    }

    /// Sets a key; the revision after it.
    pub fn put(&self, key: &str, value: &str) -> u64 {
        let body = json!({"key": STANDARD.encode(key), "value": STANDARD.encode(value)});
        revision(&self.ask("put", &body))
    }

    /// Deletes a key; the revision after it.
    pub fn delete(&self, key: &str) -> u64 {
        revision(&self.ask("deleterange", &json!({"key": STANDARD.encode(key)})))
    }

    /// Forgets everything before a revision, at once.
    pub fn compact(&self, revision: u64) {
        let body = json!({"revision": revision.to_string(), "physical": true});
        self.ask("compaction", &body);
    }

    /// What it has under a prefix now: each key with its value and the revision of its change.
    pub fn all(&self, prefix: &str) -> Vec<(String, String, u64)> {
        let mut end = prefix.as_bytes().to_vec();
        *end.last_mut().expect("a prefix") += 1;
        let body = json!({"key": STANDARD.encode(prefix), "range_end": STANDARD.encode(end)});
        let answer = self.ask("range", &body);
        let text = |value: &Value| {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default());
            String::from_utf8(bytes.expect("base64")).expect("text")
        };
        let all = answer["kvs"].as_array().map_or(&[][..], Vec::as_slice);
        let parts = |kv: &Value| {
            (
                text(&kv["key"]),
                text(&kv["value"]),
                number(&kv["mod_revision"]),
            )
        };
        all.iter().map(parts).collect()
    }
}

fn number(value: &Value) -> u64 {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn revision(answer: &Value) -> u64 {
    number(&answer["header"]["revision"])
}
