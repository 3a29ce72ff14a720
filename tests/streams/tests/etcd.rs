//! etcd 3.4, over HTTP and over WebSocket: revisions, deletions, a real compaction, a broken
//! network, and a server that is killed.
#![allow(missing_docs, reason = "a test")]

use std::time::Duration;

use resourcecache::WatchConfig;
use resourcecache::json::Schema;
use resourcecache_streams::{EtcdServer, Proxy, Stage, found, quick};
use resourcecache_watch::{Connection, Etcd, Limits};
use serde_json::{Value, json};

const PREFIX: &str = "/zones/";

fn config() -> WatchConfig {
    let mut config = quick(WatchConfig::kubernetes());
    config.limit = Some(7); // so that lists come in pages
    config
}

/// What the server has, as the adapter writes it.
fn truth(server: &EtcdServer) -> Vec<(String, Value)> {
    let all = server.all(PREFIX).into_iter();
    let parts = |(key, value, _): (String, String, u64)| {
        let name = key.trim_start_matches(PREFIX).to_string();
        (name, serde_json::from_str(&value).expect("JSON"))
    };
    all.map(parts).collect()
}

fn shown(stage: &Stage) -> Vec<(String, Value)> {
    let parts = |body: &Value| {
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        (name.to_string(), body["value"].clone())
    };
    let mut all: Vec<_> = stage.shown().iter().map(parts).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0)); // a list is sorted by key, and events come as they happen
    all
}

async fn shows_the_truth(stage: &mut Stage, server: &EtcdServer, what: &str) {
    let truth = truth(server);
    stage.shows(what, |stage| shown(stage) == truth).await;
}

fn put(server: &EtcdServer, name: &str, n: u64) -> u64 {
    server.put(&format!("{PREFIX}{name}"), &json!({ "n": n }).to_string())
}

/// Twenty keys, then the watch, over HTTP or WebSocket.
async fn follows(socket: bool, what: &str) {
    let Some(server) = found(EtcdServer::start()) else {
        return;
    };
    for n in 0..20 {
        put(&server, &format!("z{n:02}"), n);
    }
    let feed = Etcd::new(&server.url(), PREFIX).expect("a URL");
    let feed = if socket { feed.over_websocket() } else { feed };
    let mut stage = Stage::start(config(), feed, Schema::kubernetes());
    shows_the_truth(&mut stage, &server, "the list").await;
    assert_eq!(stage.ids().len(), 20);
    let listed = stage.until("a stream", |h| h.synced).await;
    assert_eq!(listed.lists, 3, "three pages of at most seven");

    let mut last = 0;
    for n in 0..50 {
        last = put(&server, &format!("z{:02}", n % 25), 100 + n);
        if n % 5 == 0 {
            last = server.delete(&format!("{PREFIX}z{:02}", n % 20));
        }
    }
    shows_the_truth(&mut stage, &server, "the events").await;
    let health = stage.handle.health();
    assert_eq!((health.lists, health.streams), (3, 1), "by events alone");
    assert_eq!(
        health.messages,
        last - 21,
        "one for each revision since the list's"
    );
    stage.count(what);
    let (_, position) = stage.end().await;
    let version = position.expect("a position").version;
    assert_eq!(version, Some(last.to_string()), "from where to go on");
}

#[tokio::test]
async fn a_prefix_is_listed_in_pages_and_watched() {
    follows(false, "etcd over HTTP").await;
}

#[tokio::test]
async fn a_prefix_is_watched_over_websocket() {
    follows(true, "etcd over WebSocket").await;
}

#[tokio::test]
async fn after_a_compaction_it_lists_again() {
    let Some(server) = found(EtcdServer::start()) else {
        return;
    };
    put(&server, "a", 1);
    put(&server, "b", 1);
    let proxy = Proxy::start(&server.url()).await;
    let feed = Etcd::new(&proxy.url(), PREFIX).expect("a URL");
    let mut stage = Stage::start(config(), feed, Schema::kubernetes());
    shows_the_truth(&mut stage, &server, "the list").await;
    let before = stage.until("a stream", |h| h.synced).await;

    proxy.refuse(true);
    proxy.cut();
    stage.until("the break", |h| !h.synced).await;
    put(&server, "a", 2);
    server.delete("/zones/b");
    let last = put(&server, "c", 3);
    server.compact(last);
    proxy.refuse(false);
    shows_the_truth(&mut stage, &server, "after the compaction").await;
    let after = stage.until("a stream", |h| h.synced).await;
    assert!(after.lists > before.lists, "only a list tells of b");
    stage.count("etcd compacted");
}

#[tokio::test]
async fn cut_and_held_connections_are_found_out_and_nothing_is_lost() {
    let Some(server) = found(EtcdServer::start()) else {
        return;
    };
    put(&server, "a", 0);
    let proxy = Proxy::start(&server.url()).await;
    let limits = Limits {
        idle: Duration::from_millis(600),
        connect: Duration::from_millis(600),
        ..Limits::default()
    };
    let feed = Etcd::over(Connection::new(limits), &proxy.url(), PREFIX);
    let feed = feed.expect("a URL").over_websocket();
    let mut stage = Stage::start(config(), feed, Schema::kubernetes());
    shows_the_truth(&mut stage, &server, "the list").await;
    for round in 1..=5 {
        stage.until("a stream", |h| h.synced).await;
        proxy.cut();
        stage.until("the cut", |h| !h.synced).await;
        put(&server, "a", round);
        put(&server, &format!("r{round}"), round);
        shows_the_truth(&mut stage, &server, "after a cut").await;
    }
    // The cable is pulled: nobody is told, and only silence tells.
    stage.until("a stream", |h| h.synced).await;
    proxy.hold(true);
    put(&server, "a", 100);
    stage.until("the silence", |h| !h.synced).await;
    proxy.hold(false);
    proxy.cut();
    shows_the_truth(&mut stage, &server, "after the silence").await;
    let health = stage.handle.health();
    assert_eq!(health.lists, 1, "a revision is all that it takes to go on");
    assert!(health.streams >= 7, "{health:?}");
    stage.count("etcd behind a network that breaks");
}

#[tokio::test]
async fn a_killed_server_is_found_again() {
    let Some(mut server) = found(EtcdServer::start()) else {
        return;
    };
    put(&server, "a", 1);
    let feed = Etcd::new(&server.url(), PREFIX)
        .expect("a URL")
        .over_websocket();
    let mut stage = Stage::start(config(), feed, Schema::kubernetes());
    shows_the_truth(&mut stage, &server, "the list").await;
    stage.until("a stream", |h| h.synced).await;
    server.kill();
    stage
        .until("the kill", |h| !h.synced && h.failures > 0)
        .await;
    server.restart();
    put(&server, "b", 2);
    shows_the_truth(&mut stage, &server, "after the restart").await;
    stage.count("etcd killed and started again");
}
