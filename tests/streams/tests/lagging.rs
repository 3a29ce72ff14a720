//! The lagging server: its pushes are prompt, its lists lag, and both tell of the same objects.
#![allow(missing_docs, reason = "a test")]

use std::time::{Duration, Instant};

use resourcecache::WatchConfig;
use resourcecache::json::{Feed, Schema};
use resourcecache_lagging_server::Server;
use resourcecache_streams::{Stage, quick};
use resourcecache_watch::{Adapter, Framing, Sse, VersionIn, WebSocket};
use serde_json::{Value, json};

/// Reads what the server pushes.
fn pushes(framing: Framing) -> (Schema, Feed) {
    let data = if framing == Framing::Envelope {
        "/data"
    } else {
        ""
    };
    let feed = json!({
        "word": if framing == Framing::Envelope { "/event" } else { "/type" },
        "resource": format!("{data}/object"),
        "version": if framing == Framing::Envelope { "/id" } else { "/version" },
        "sequence": format!("{data}/seq"),
        "words": {
            "added": ["created"], "modified": ["updated", "accepted", "failed"],
            "deleted": ["deleted"],
        },
    });
    let schema = json!({
        "uid": "/uid", "version": "/version", "items": "/items", "list_version": "/version",
    });
    let read = "settings that can be read";
    (
        serde_json::from_value(schema).expect(read),
        serde_json::from_value(feed).expect(read),
    )
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
        // Its lists lag, whatever one asks: what they lack, the stream tells from their version on.
        .listing(|_| Vec::new())
}

fn socket(api: &Api) -> WebSocket {
    let url = api.0.url();
    let push = format!("{}/push/zones/socket", url.replace("http", "ws"));
    let feed = WebSocket::new(&format!("{url}/v1/zones"), &push);
    feed.expect("URLs")
        .resuming("after")
        .listing(|_| Vec::new())
}

/// Changes are shown long before any list tells of them, and cuts lose none.
async fn is_prompt(api: Api, feed: impl Adapter + 'static, framing: Framing, what: &str) {
    for id in ["a", "b", "c"] {
        api.create(id);
    }
    // So that the first list has them, from whatever replica.
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    let config = quick(WatchConfig::kubernetes());
    let mut stage = Stage::start(config, feed, pushes(framing));
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
    let mut stage = Stage::start(config, feed, pushes(Framing::Data));
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
    let mut stage = Stage::start(config, feed, pushes(Framing::Data));
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
