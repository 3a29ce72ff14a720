//! The lagging server: its pushes are prompt, its lists lag, and both tell of the same objects.
#![allow(missing_docs, reason = "a test")]

use std::time::{Duration, Instant};

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Error, ListAnswer, WatchConfig, WatchEvent, WatchMessage};
use resourcecache_lagging_server::Server;
use resourcecache_streams::{Stage, quick};
use resourcecache_watch::{Feed, Framing, Reader, Sse, VersionIn, WebSocket};
use serde_json::{Value, json};

/// Reads what the server pushes.
struct Pushes {
    schema: Schema,
    framing: Framing,
}

impl Pushes {
    fn framed(framing: Framing) -> Self {
        let pointer = |text: &str| text.parse().expect("a pointer");
        let schema = Schema {
            uid: Some(pointer("/uid")),
            version: Some(pointer("/version")),
            items: pointer("/items"),
            list_version: Some(pointer("/version")),
            ..Schema::default()
        };
        Self { schema, framing }
    }
}

impl Reader<JsonResource> for Pushes {
    fn list(&self, answer: &[u8]) -> Result<ListAnswer<JsonResource>, Error> {
        Ok(self.schema.snapshot(answer)?.into())
    }

    fn message(&self, message: &[u8]) -> Result<WatchMessage<JsonResource>, Error> {
        let mut read: Value = serde_json::from_slice(message).expect("JSON");
        if self.framing == Framing::Envelope {
            let data = read["data"].take();
            assert_eq!(read["event"], data["type"]);
            assert_eq!(read["id"], data["version"].to_string());
            read = data;
        }
        let object = self
            .schema
            .resource(read["object"].to_string().as_bytes())?;
        let event = match read["type"].as_str() {
            Some("created") => WatchEvent::Added(object),
            Some("deleted") => WatchEvent::Deleted(object),
            _ => WatchEvent::Modified(object),
        };
        Ok(WatchMessage {
            version: Some(read["version"].to_string()),
            sequence: read["seq"].as_u64(),
            ..event.into()
        })
    }
}

/// The server, and a client of it that knows nothing of caches.
struct Api(Server, ureq::Agent);

impl Api {
    fn start(lag: &Value) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false);
        let api = Self(Server::start().expect("a server"), agent.build().into());
        api.post("/control/lag", lag);
        api
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let sent = self
            .1
            .post(format!("{}{path}", self.0.url()))
            .send_json(body);
        sent.expect("an answer")
            .body_mut()
            .read_json()
            .expect("JSON")
    }

    fn create(&self, id: &str) {
        self.post("/v1/zones", &json!({"id": id, "n": 0}));
    }

    fn set(&self, id: &str, n: u64) {
        let url = format!("{}/v1/zones/{id}", self.0.url());
        self.1
            .patch(url)
            .send_json(json!({ "n": n }))
            .expect("an answer");
    }

    fn delete(&self, id: &str) {
        let url = format!("{}/v1/zones/{id}", self.0.url());
        self.1.delete(url).call().expect("an answer");
    }

    /// What the primary has, in the order of the ids.
    fn truth(&self) -> Vec<Value> {
        let url = format!("{}/control/ledger", self.0.url());
        let mut answer = self.1.get(url).call().expect("an answer");
        let ledger: Value = answer.body_mut().read_json().expect("JSON");
        let mut objects = std::collections::BTreeMap::new();
        for entry in ledger["entries"].as_array().expect("entries") {
            objects.insert(entry["id"].to_string(), entry["body"].clone());
        }
        objects
            .into_values()
            .filter(|body| !body.is_null())
            .collect()
    }
}

fn shown(stage: &Stage) -> Vec<Value> {
    let mut all = stage.shown();
    all.sort_by_key(|body| body["id"].to_string());
    all
}

async fn shows_the_truth(stage: &mut Stage, api: &Api, what: &str) {
    let truth = api.truth();
    let what = format!("{what}: {truth:?}");
    stage.shows(&what, |stage| shown(stage) == truth).await;
}

fn sse(api: &Api, framing: Framing) -> Sse {
    let url = api.0.url();
    let feed = Sse::new(
        &format!("{url}/v1/zones"),
        &format!("{url}/push/zones/events"),
    );
    feed.expect("URLs")
        .framed(framing)
        .resuming(VersionIn::LastEventId)
}

fn socket(api: &Api) -> WebSocket {
    let url = api.0.url();
    let push = format!("{}/push/zones/socket", url.replace("http", "ws"));
    let feed = WebSocket::new(&format!("{url}/v1/zones"), &push);
    feed.expect("URLs").resuming("after")
}

/// Changes are shown long before any list tells of them, and cuts lose none.
async fn is_prompt(api: Api, feed: impl Feed + 'static, framing: Framing, what: &str) {
    for id in ["a", "b", "c"] {
        api.create(id);
    }
    // So that the first list has them, from whatever replica.
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    let config = quick(WatchConfig::kubernetes());
    let mut stage = Stage::start(config, feed, Pushes::framed(framing));
    shows_the_truth(&mut stage, &api, "the list").await;
    stage.until("a stream", |h| h.synced).await;
    let start = Instant::now();
    for round in 1..=10 {
        api.set("a", round);
        api.create(&format!("r{round}"));
        if round % 3 == 0 {
            api.delete(&format!("r{}", round - 1));
        }
        shows_the_truth(&mut stage, &api, &format!("push {round}")).await;
        if round % 4 == 0 {
            api.post("/control/cut", &json!({}));
            stage.until("the cut", |h| !h.synced).await;
            stage.until("another stream", |h| h.synced).await;
        }
    }
    let took = start.elapsed();
    let health = stage.handle.health();
    assert_eq!((health.lists, health.streams), (1, 3), "{health:?}");
    assert!(
        took < Duration::from_millis(1_500),
        "no list knew it yet: {took:?}"
    );
    stage.count(what);
}

fn lag() -> Value {
    json!({"replicas": [1_500, 1_000]})
}

#[tokio::test]
async fn events_by_sse_are_shown_while_lists_lag() {
    let api = Api::start(&lag());
    let feed = sse(&api, Framing::Data);
    is_prompt(api, feed, Framing::Data, "lagging server by SSE").await;
}

#[tokio::test]
async fn an_event_in_its_envelope_tells_its_name_and_id() {
    let api = Api::start(&lag());
    let feed = sse(&api, Framing::Envelope);
    is_prompt(
        api,
        feed,
        Framing::Envelope,
        "lagging server by SSE, in envelopes",
    )
    .await;
}

#[tokio::test]
async fn messages_by_websocket_are_shown_while_lists_lag() {
    let api = Api::start(&lag());
    let feed = socket(&api);
    is_prompt(api, feed, Framing::Data, "lagging server by WebSocket").await;
}

#[tokio::test]
async fn a_lost_message_is_a_gap_and_a_list_tells_what_was_in_it() {
    let api = Api::start(&json!({"replicas": [200], "lose_push": 5}));
    let feed = socket(&api);
    let config = quick(WatchConfig::kubernetes());
    let mut stage = Stage::start(config, feed, Pushes::framed(Framing::Data));
    stage.until("a stream", |h| h.synced).await;
    for n in 1..=12 {
        api.create(&format!("z{n}")); // the fifth and the tenth are lost
    }
    shows_the_truth(&mut stage, &api, "lists tell the lost ones").await;
    let health = stage.handle.health();
    assert!(health.lists > 1, "{health:?}");
    stage.count("lagging server that loses messages");
}

#[tokio::test]
async fn a_version_that_is_not_kept_any_more_leads_to_a_list() {
    let api = Api::start(&json!({"replicas": [0], "keep_pushes": 2}));
    api.create("a");
    let feed = sse(&api, Framing::Data);
    let config = quick(WatchConfig::kubernetes());
    let mut stage = Stage::start(config, feed, Pushes::framed(Framing::Data));
    shows_the_truth(&mut stage, &api, "the list").await;
    stage.until("a stream", |h| h.synced).await;
    stage.handle.set_online(false).await.expect("a driver");
    stage.until("offline", |h| !h.synced).await;
    for n in 1..=5 {
        api.set("a", n);
    }
    stage.handle.set_online(true).await.expect("a driver");
    shows_the_truth(&mut stage, &api, "after the 410").await;
    assert_eq!(stage.until("a stream", |h| h.synced).await.lists, 2);
    stage.count("lagging server that forgets");
}
