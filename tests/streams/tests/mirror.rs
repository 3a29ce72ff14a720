//! A broadcast by libwebsockets' test server: whatever one client says, all hear.
#![allow(missing_docs, reason = "a test")]

use std::time::Duration;

use futures_util::SinkExt;
use resourcecache::WatchConfig;
use resourcecache::json::Schema;
use resourcecache_streams::{ListServer, MirrorServer, Proxy, Stage, found, quick};
use resourcecache_watch::{Connection, Limits, WebSocket};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Who tells the others what has changed.
struct Publisher(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Publisher {
    async fn connect(server: &MirrorServer) -> Self {
        let mut request = server.url().into_client_request().expect("a URL");
        let protocol = MirrorServer::MIRROR.parse().expect("a header");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Self(connect_async(request).await.expect("a WebSocket").0)
    }

    async fn tell(&mut self, event: String) {
        self.0.send(Message::text(event)).await.expect("a listener");
        // The server keeps a few messages for each listener, and drops those that are slower.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn feed(list: &ListServer, socket: &str, limits: Limits) -> WebSocket {
    let feed = WebSocket::over(Connection::new(limits), list.url(), socket);
    feed.expect("URLs").speaking(MirrorServer::MIRROR)
}

async fn shows_the_truth(stage: &mut Stage, list: &ListServer, what: &str) {
    let truth = list.truth();
    stage.shows(what, |stage| stage.sorted() == truth).await;
}

#[tokio::test]
async fn what_one_tells_all_hear_also_after_the_server_was_killed() {
    let Some(mut server) = found(MirrorServer::start()) else {
        return;
    };
    let list = ListServer::start().await;
    for name in ["a", "b", "c"] {
        list.put(name, 0);
    }
    let feed = feed(&list, &server.url(), Limits::default());
    let mut stage = Stage::start(quick(WatchConfig::feed()), feed, Schema::kubernetes());
    shows_the_truth(&mut stage, &list, "the list").await;
    stage.until("a stream", |h| h.synced).await;

    let mut publisher = Publisher::connect(&server).await;
    for n in 1..=100 {
        publisher.tell(list.put("a", n)).await;
        publisher.tell(list.put(&format!("n{}", n % 10), n)).await;
    }
    publisher.tell(list.delete("b")).await;
    shows_the_truth(&mut stage, &list, "the broadcast").await;
    let health = stage.handle.health();
    assert_eq!(health.messages, 201);
    assert_eq!(health.lists, 1, "by messages alone");

    server.kill();
    stage.until("the kill", |h| !h.synced).await;
    list.put("a", 1_000); // nobody tells of it
    list.delete("c");
    server.restart();
    shows_the_truth(&mut stage, &list, "the list after the restart").await;
    stage.until("a stream", |h| h.synced).await;
    let mut publisher = Publisher::connect(&server).await;
    publisher.tell(list.put("d", 1)).await;
    shows_the_truth(&mut stage, &list, "the broadcast after the restart").await;
    stage.count("libwebsockets, killed and started again");
}

#[tokio::test]
async fn a_silent_server_is_alive_by_its_pongs_and_a_pulled_cable_is_found_out() {
    let Some(server) = found(MirrorServer::start()) else {
        return;
    };
    let list = ListServer::start().await;
    list.put("a", 0);
    let proxy = Proxy::start(&server.url().replace("ws://", "")).await;
    let limits = Limits {
        idle: Duration::from_millis(300),
        connect: Duration::from_millis(300),
        ..Limits::default()
    };
    let feed = feed(&list, &proxy.socket_url(), limits);
    let mut stage = Stage::start(quick(WatchConfig::feed()), feed, Schema::kubernetes());
    shows_the_truth(&mut stage, &list, "the list").await;
    stage.until("a stream", |h| h.synced).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let health = stage.handle.health();
    let alive = (
        health.synced,
        health.streams,
        health.messages,
        health.failures,
    );
    assert_eq!(alive, (true, 1, 0, 0), "four silences long");

    proxy.hold(true);
    let silent = stage.until("the silence", |h| h.failures > 0).await;
    let failure = silent.failure.expect("a failure");
    assert!(failure.contains("nothing heard for 300ms"), "{failure}");
    list.put("a", 1);
    proxy.hold(false);
    shows_the_truth(&mut stage, &list, "the list after the silence").await;
    stage.count("libwebsockets, silent and then gone");
}
