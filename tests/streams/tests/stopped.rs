//! A driver that is stopped in the middle, by being dropped: no task of its own and no connection is
//! left, and another can go on.
#![allow(missing_docs, reason = "a test")]

use std::time::Duration;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{JsonCache, WatchConfig, WatchSession};
use resourcecache_streams::quick;
use resourcecache_watch::{Driver, Handle, Kubernetes, Update};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);
const LIST: &str = r#"{"metadata":{"resourceVersion":"2"},"items":[{"metadata":{"name":"a","resourceVersion":"1"}}]}"#;

/// One request: its target, and the connection that it came by.
type Asked = (String, TcpStream);

/// A server that answers nothing by itself: each request is handed out.
async fn server() -> (String, mpsc::UnboundedReceiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/pods", listener.local_addr().expect("an address"));
    let (hand, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let target = text.split(' ').nth(1).unwrap_or_default().to_string();
            let _ = hand.send((target, socket));
        }
    });
    (url, requests)
}

async fn asked(requests: &mut mpsc::UnboundedReceiver<Asked>, what: &str) -> TcpStream {
    let next = timeout(PATIENCE, requests.recv()).await;
    let (target, socket) = next.expect("a request in time").expect("a server");
    assert_eq!(target.contains("watch=true"), what == "watch", "{target}");
    socket
}

async fn says(socket: &mut TcpStream, body: &str, ends: bool) {
    let length = match ends {
        true => format!("content-length: {}\r\n", body.len()),
        false => String::new(),
    };
    let text = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{length}\r\n{body}");
    socket.write_all(text.as_bytes()).await.expect("a client");
}

/// Whether the client has closed the connection.
async fn is_closed(socket: &mut TcpStream) -> bool {
    let heard = timeout(PATIENCE, socket.read(&mut [0; 64])).await;
    matches!(heard, Ok(Ok(0) | Err(_)))
}

type Made = (
    Driver<JsonResource>,
    Handle<JsonResource>,
    mpsc::Receiver<Update<JsonResource>>,
);

fn driver(url: &str, session: WatchSession<JsonResource>, cache: JsonCache) -> Made {
    let pods = Kubernetes::new(url).expect("a URL");
    Driver::new(cache, session, pods, Schema::kubernetes())
}

fn from_nothing(url: &str) -> Made {
    let session = WatchSession::new(quick(WatchConfig::kubernetes()), 1);
    driver(
        url,
        session,
        JsonCache::new(resourcecache::Config::default()),
    )
}

/// Runs until the word is given, then gives the future up where it is, and hands the driver back.
fn run(
    mut driver: Driver<JsonResource>,
) -> (
    oneshot::Sender<()>,
    tokio::task::JoinHandle<Driver<JsonResource>>,
) {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        tokio::select! {
            () = driver.run() => {}
            _ = stopped => {}
        }
        driver
    });
    (stop, task)
}

/// Waits until there are no more tasks than these.
async fn no_more_tasks_than(most: usize) {
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    for _ in 0..500 {
        if alive() <= most {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} tasks are left, of {most}", alive());
}

#[tokio::test]
async fn dropped_anywhere_it_leaves_no_task_and_no_connection() {
    let (url, mut requests) = server().await;
    let before = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    for stage in ["listing", "opening", "watching"] {
        let (driver, handle, mut updates) = from_nothing(&url);
        let (stop, task) = run(driver);
        let mut open = asked(&mut requests, "list").await;
        if stage != "listing" {
            says(&mut open, LIST, true).await;
            open = asked(&mut requests, "watch").await;
        }
        if stage == "watching" {
            says(&mut open, "", false).await;
            let synced = timeout(PATIENCE, handle.until(|h| h.synced)).await;
            synced.expect("in time").expect("a driver");
        }
        stop.send(()).expect("it runs");
        let stopped = task.await.expect("no panic");
        drop((stopped, handle));
        updates.close();
        drop(updates);
        assert!(is_closed(&mut open).await, "{stage}: it is still open");
        drop(open);
        no_more_tasks_than(before).await;
        let more = requests.try_recv().map(|(target, _)| target);
        assert!(more.is_err(), "{stage}: it goes on, and asks for {more:?}");
    }
}

#[tokio::test]
async fn a_run_that_was_given_up_is_gone_on_with() {
    let (url, mut requests) = server().await;
    let (driver, handle, _updates) = from_nothing(&url);
    // In the middle of the list: its answer comes to the next run.
    let (stop, task) = run(driver);
    let mut list = asked(&mut requests, "list").await;
    stop.send(()).expect("it runs");
    let driver = task.await.expect("no panic");
    says(&mut list, LIST, true).await;
    let (stop, task) = run(driver);
    let mut stream = asked(&mut requests, "watch").await;
    says(&mut stream, "", false).await;
    let synced = timeout(PATIENCE, handle.until(|h| h.synced)).await;
    synced.expect("in time").expect("a driver");
    // In the middle of the stream: what is told meanwhile is not lost.
    stop.send(()).expect("it runs");
    let driver = task.await.expect("no panic");
    let added = r#"{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"3"}}}"#;
    let line = format!("{added}\n");
    stream.write_all(line.as_bytes()).await.expect("a client");
    let (stop, task) = run(driver);
    let told = timeout(PATIENCE, handle.until(|h| h.messages == 1)).await;
    assert_eq!(told.expect("in time").expect("a driver").lists, 1);
    stop.send(()).expect("it runs");
    // Another driver goes on from where it stood, without a list.
    let (cache, position) = task.await.expect("no panic").into_parts();
    let position = position.expect("it was synced");
    assert_eq!(position.version.as_deref(), Some("3"));
    assert!(is_closed(&mut stream).await);
    let session = WatchSession::resume(quick(WatchConfig::kubernetes()), 2, position);
    let (driver, _handle, mut updates) = self::driver(&url, session, cache);
    let (stop, task) = run(driver);
    let mut stream = asked(&mut requests, "watch").await;
    says(&mut stream, "", false).await;
    let first = timeout(PATIENCE, updates.recv()).await.expect("in time");
    let ids: Vec<String> = first
        .expect("an update")
        .rows
        .iter()
        .map(|r| r.id.to_string())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    stop.send(()).expect("it runs");
    drop(task.await.expect("no panic"));
}

#[tokio::test]
async fn offline_no_connection_is_left_and_online_it_goes_on() {
    let (url, mut requests) = server().await;
    let (driver, handle, _updates) = from_nothing(&url);
    let (stop, task) = run(driver);
    let mut list = asked(&mut requests, "list").await;
    says(&mut list, LIST, true).await;
    let mut stream = asked(&mut requests, "watch").await;
    says(&mut stream, "", false).await;
    let synced = timeout(PATIENCE, handle.until(|health| health.synced)).await;
    synced.expect("in time").expect("a driver");
    handle.set_online(false).await.expect("a driver");
    assert!(is_closed(&mut stream).await);
    handle.set_online(true).await.expect("a driver");
    asked(&mut requests, "watch").await;
    let _ = stop.send(());
    task.await.expect("no panic");
}
