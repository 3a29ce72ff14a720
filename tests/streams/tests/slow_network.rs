//! A network that is slow: each piece is delayed, and few bytes a second pass.
#![allow(missing_docs, reason = "a test")]

use std::time::{Duration, Instant};

use resourcecache::WatchConfig;
use resourcecache::json::Schema;
use resourcecache_streams::{Proxy, Stage, quick};
use resourcecache_watch::Kubernetes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server of one list of so many pods, and of a stream that tells of one more.
async fn pods(count: usize) -> String {
    let pod = |n: usize| format!(r#"{{"metadata":{{"name":"pod-{n:04}","resourceVersion":"1"}}}}"#);
    let items: Vec<String> = (0..count).map(pod).collect();
    let items = items.join(",");
    let list = format!(r#"{{"metadata":{{"resourceVersion":"2"}},"items":[{items}]}}"#);
    let added = r#"{"type":"ADDED","object":{"metadata":{"name":"z","resourceVersion":"3"}}}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let list = list.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                let length = socket.read(&mut request).await.unwrap_or(0);
                let watches = String::from_utf8_lossy(&request[..length]).contains("watch=true");
                let (body, length) = match watches {
                    true => (format!("{added}\n"), String::new()),
                    false => (list.clone(), format!("content-length: {}\r\n", list.len())),
                };
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{length}\r\n");
                let _ = socket.write_all(head.as_bytes()).await;
                let _ = socket.write_all(body.as_bytes()).await;
                let _ = socket.read(&mut request).await; // until it is closed
            });
        }
    });
    format!("http://{address}")
}

/// How long it takes until all is shown.
async fn takes(proxy: &Proxy, count: usize) -> Duration {
    let feed = Kubernetes::new(&format!("{}/pods", proxy.url())).expect("a URL");
    let start = Instant::now();
    let config = quick(WatchConfig::kubernetes());
    let mut stage = Stage::start(config, feed, Schema::kubernetes());
    stage
        .shows("the list and what the stream tells", |stage| {
            stage.ids().len() == count + 1
        })
        .await;
    let took = start.elapsed();
    let health = stage.handle.health();
    assert_eq!((health.lists, health.streams), (1, 1), "{health:?}");
    assert_eq!(health.failures, 0, "it is slow, not broken: {health:?}");
    stage.end().await;
    took
}

#[tokio::test]
async fn a_delayed_and_throttled_connection_is_slow_and_not_broken() {
    const PODS: usize = 400;
    let server = pods(PODS).await;
    let proxy = Proxy::start(&server).await;
    let quick = takes(&proxy, PODS).await;
    // The request and the answer of the list, then of the stream: four pieces, one after the other.
    proxy.delay(Duration::from_millis(100));
    let delayed = takes(&proxy, PODS).await;
    assert!(delayed >= Duration::from_millis(400), "{delayed:?}");
    proxy.delay(Duration::ZERO);
    // Some 22 kB.
    proxy.throttle(Some(24_000));
    let throttled = takes(&proxy, PODS).await;
    assert!(throttled >= Duration::from_millis(800), "{throttled:?}");
    println!("streams, slow network: {quick:?}; delayed {delayed:?}; throttled {throttled:?}");
}
