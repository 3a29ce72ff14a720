//! The server over HTTP, with its clock set by hand.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use resourcecache_lagging_server::Server;
use serde_json::{Value, json};

struct Client {
    server: Server,
    agent: ureq::Agent,
}

impl Client {
    fn new(lag: Value) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let client = Self {
            server: Server::start().unwrap(),
            agent,
        };
        client.post("/control/clock", json!({"manual": true}));
        client.post("/control/reset", json!({}));
        client.post("/control/lag", lag);
        client
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let mut answer = self.agent.get(self.url(path)).call().unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_json().unwrap(),
        )
    }

    fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let mut answer = self.agent.post(self.url(path)).send_json(body).unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_json().unwrap(),
        )
    }

    fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        let mut answer = self.agent.patch(self.url(path)).send_json(body).unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_json().unwrap(),
        )
    }

    fn delete(&self, path: &str) -> (u16, Value) {
        let mut answer = self.agent.delete(self.url(path)).call().unwrap();
        (
            answer.status().as_u16(),
            answer.body_mut().read_json().unwrap(),
        )
    }

    fn advance(&self, ms: u64) {
        self.post("/control/advance", json!({"ms": ms}));
    }

    fn ids(&self, path: &str) -> Vec<String> {
        let (_, list) = self.get(path);
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|o| o["id"].as_str().unwrap().to_string())
            .collect()
    }
}

#[test]
fn a_replica_shows_a_write_when_its_lag_is_over() {
    let client = Client::new(json!({"replicas": [0, 3000]}));
    let (status, zone) = client.post("/v1/zones", json!({"name": "a.example", "token": "k"}));
    assert_eq!((status, &zone["token"]), (201, &json!("k")));
    assert_eq!(client.ids("/v1/zones?replica=0"), ["zone-1"]);
    assert!(client.ids("/v1/zones?replica=1").is_empty());
    // In turn, answers go back in time.
    assert_eq!(
        client.ids("/v1/zones").len() + client.ids("/v1/zones").len(),
        1
    );
    client.advance(2999);
    assert!(client.ids("/v1/zones?replica=1").is_empty());
    client.advance(1);
    assert_eq!(client.ids("/v1/zones?replica=1"), ["zone-1"]);
}

#[test]
fn a_deletion_is_accepted_at_once_and_done_later() {
    let client = Client::new(json!({"replicas": [0], "delete_ms": 5000}));
    client.post(
        "/control/seed",
        json!({"zones": [{"id": "z1"}, {"id": "z2"}]}),
    );
    let (status, answer) = client.delete("/v1/zones/z1");
    assert_eq!(status, 202);
    assert_eq!(client.get("/v1/zones/z1").1["status"], "deleting");
    client.advance(5000);
    assert_eq!(client.ids("/v1/zones"), ["z2"]);
    assert_eq!(
        client
            .get(&format!("/v1/jobs/{}", answer["job"].as_str().unwrap()))
            .1["state"],
        "done"
    );
    let (_, ledger) = client.get("/control/ledger");
    let changes: Vec<_> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["change"].clone())
        .collect();
    assert_eq!(changes, ["created", "created", "accepted", "deleted"]);
}

#[test]
fn a_registration_goes_through_its_stages_or_fails_later() {
    let client = Client::new(json!({"replicas": [0], "job_ms": 3000}));
    client.post(
        "/control/failures",
        json!([{"method": "POST", "kind": "domains", "id": "bad", "status": 202}]),
    );
    client.post("/v1/domains", json!({"id": "good"}));
    client.post("/v1/domains", json!({"id": "bad"}));
    assert_eq!(client.get("/v1/domains/good").1["status"], "pending");
    client.advance(1500);
    let (_, job) = client.get("/v1/jobs/job-1");
    assert_eq!(
        (&job["stage"], &job["progress"]),
        (&json!("registering"), &json!(50))
    );
    assert_eq!(client.get("/v1/domains/good").1["status"], "registering");
    client.advance(500);
    assert_eq!(client.get("/v1/domains/good").1["status"], "activating");
    client.advance(1000);
    assert_eq!(client.get("/v1/jobs/job-1").1["state"], "done");
    assert_eq!(client.get("/v1/domains/good").1["status"], "registered");
    assert_eq!(client.get("/v1/jobs/job-2").1["state"], "failed");
    assert_eq!(client.get("/v1/domains/bad").1["status"], "failed");
}

#[test]
fn failures_come_as_often_as_asked() {
    let client = Client::new(json!({"replicas": [0]}));
    client.post(
        "/control/seed",
        json!({"records": [{"id": "r1", "ttl": 300}]}),
    );
    client.post(
        "/control/failures",
        json!([{"method": "PATCH", "kind": "records", "times": 2, "status": 503}]),
    );
    let statuses: Vec<u16> = (0..3)
        .map(|_| client.patch("/v1/records/r1", json!({"ttl": 60})).0)
        .collect();
    assert_eq!(statuses, [503, 503, 200]);
    assert_eq!(client.get("/v1/records/r1").1["ttl"], 60);
}

#[test]
fn pages_and_errors() {
    let client = Client::new(json!({}));
    client.post(
        "/control/seed",
        json!({"zones": [{"id": "a"}, {"id": "b"}, {"id": "c"}]}),
    );
    assert_eq!(client.ids("/v1/zones?after=a&limit=1"), ["b"]);
    assert_eq!(client.get("/v1/zones/x").0, 404);
    assert_eq!(client.get("/v1/planets").0, 404);
    assert_eq!(client.post("/v1/zones", json!({"id": "a"})).0, 409);
    assert_eq!(client.delete("/v1/zones/x").0, 404);
}

#[test]
fn the_program_prints_its_url_and_ends_with_its_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lagging-server"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let answer = ureq::get(format!("{}/v1/zones", line.trim()))
        .call()
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    drop(child.stdin.take());
    let deadline = Instant::now() + Duration::from_secs(20);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it goes on without its parent");
        std::thread::sleep(Duration::from_millis(10));
    }
}
