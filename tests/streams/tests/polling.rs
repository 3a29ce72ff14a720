//! Lists that are asked for because the stream does not decide what is pending (T4), and because the
//! user asked.
#![allow(missing_docs, reason = "a test")]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, JsonCache, Resume, Retry, VersionOrder, WatchConfig, WatchSession};
use resourcecache_streams::quick;
use resourcecache_watch::{Adapter, Driver, Handle, Health, Kubernetes, Sse};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

const LIST: &str = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a","resourceVersion":"5"}},{"metadata":{"name":"b","resourceVersion":"6"}}]}"#;
const TTL: Duration = Duration::from_millis(100);
const EVERY: Duration = Duration::from_millis(50);

type Asked = Arc<Mutex<Vec<String>>>;

/// A server that has "a" and "b", whatever it is asked to do, and whose streams tell nothing.
async fn stubborn() -> (String, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route("/", get(answer))
        .with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

async fn answer(State(asked): State<Asked>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let watches = query.contains("watch=true");
    asked.lock().expect("no panic").push(query);
    if !watches {
        return LIST.into_response();
    }
    let silence = stream::once(async { Ok::<_, Infallible>(Bytes::from("\n")) });
    let body = Body::from_stream(silence.chain(stream::pending()));
    ([("content-type", "text/event-stream")], body).into_response()
}

fn sse(url: &str) -> Sse {
    Sse::new(url, &format!("{url}?watch=true")).expect("URLs")
}

/// A watched collection in which "a" was deleted, which the server never does.
async fn with_a_deletion(
    config: WatchConfig,
    feed: impl Adapter + 'static,
    (ttl, every): (Duration, Option<Duration>),
) -> Handle<JsonResource> {
    let mut settings = Config::default();
    settings.version_order = VersionOrder::Integer;
    settings.ttl_ms = u64::try_from(ttl.as_millis()).expect("short");
    let (cache, session) = (
        JsonCache::new(settings),
        WatchSession::new(quick(config), 1),
    );
    let (driver, handle, updates) = Driver::new(cache, session, feed, Schema::kubernetes());
    let mut driver = driver.polling_every(every);
    drop(updates);
    tokio::spawn(async move { driver.run().await });
    until(&handle, "it is synced", |health| health.synced).await;
    let deleted = handle.with(|pods, now| pods.mark_as_deleting("a", None, now));
    deleted.await.expect("a driver").expect("a is there");
    handle
}

async fn until(handle: &Handle<JsonResource>, what: &str, is: impl Fn(&Health) -> bool) -> Health {
    let reached = timeout(Duration::from_secs(30), handle.until(is)).await;
    let reached = reached.unwrap_or_else(|_| panic!("{what}: {:?}", handle.health()));
    reached.expect("a running driver")
}

async fn shown(handle: &Handle<JsonResource>) -> Vec<String> {
    let ids = handle.with(|pods, _| pods.visible().map(|row| row.id().to_string()).collect());
    ids.await.expect("a driver")
}

/// As long as some TTLs and many polls.
async fn a_while() {
    sleep(5 * TTL).await;
}

#[tokio::test]
async fn what_no_stream_decides_is_decided_by_a_list_beside_it() {
    let (url, _asked) = stubborn().await;
    let handle = with_a_deletion(WatchConfig::feed(), sse(&url), (TTL, Some(EVERY))).await;
    until(&handle, "another list", |h| h.lists == 2 && h.synced).await;
    assert_eq!(shown(&handle).await, ["a", "b"], "the server has it still");
    a_while().await;
    let health = handle.health();
    assert_eq!(health.lists, 2, "nothing is pending any more: {health:?}");
    assert_eq!((health.streams, health.failures), (1, 0), "{health:?}");
    handle.shutdown().await.expect("a driver");
}

/// What guards nothing has no end of a TTL ahead, by which the driver would be woken.
#[tokio::test]
async fn what_guards_nothing_is_decided_by_the_next_list() {
    let (url, _asked) = stubborn().await;
    let no_ttl = (Duration::ZERO, Some(EVERY));
    let handle = with_a_deletion(WatchConfig::feed(), sse(&url), no_ttl).await;
    until(&handle, "another list", |h| h.lists == 2 && h.synced).await;
    assert_eq!(shown(&handle).await, ["a", "b"]);
    handle.shutdown().await.expect("a driver");
}

#[tokio::test]
async fn a_list_that_ends_the_stream_is_of_the_streams_version() {
    let (url, asked) = stubborn().await;
    let pods = Kubernetes::new(&url).expect("a URL");
    let start = Instant::now();
    let every = 4 * TTL;
    let handle = with_a_deletion(WatchConfig::kubernetes(), pods, (TTL, Some(every))).await;
    until(&handle, "another list", |h| h.streams == 2 && h.synced).await;
    let took = start.elapsed();
    // Milliseconds are rounded.
    let least = TTL + every - Duration::from_millis(20);
    assert!(took >= least, "a bookmark may decide it: {took:?}");
    assert_eq!(shown(&handle).await, ["a", "b"]);
    a_while().await;
    let health = handle.health();
    assert_eq!((health.lists, health.streams), (2, 2), "{health:?}");
    assert_eq!(health.failures, 0, "{health:?}");
    let asked = asked.lock().expect("no panic").clone();
    let lists = asked.iter().filter(|query| !query.contains("watch=true"));
    let second = lists.clone().nth(1).expect("two lists");
    assert!(second.contains("resourceVersion=7"), "{second}");
    handle.shutdown().await.expect("a driver");
}

#[tokio::test]
async fn a_stream_goes_on_where_a_list_cannot_be_asked_for_or_is_not_to_be() {
    let (url, _asked) = stubborn().await;
    let mut by_version = WatchConfig::feed();
    by_version.resume = Resume::Version;
    for (config, every) in [(by_version, Some(EVERY)), (WatchConfig::feed(), None)] {
        let handle = with_a_deletion(config, sse(&url), (TTL, every)).await;
        a_while().await;
        let health = handle.health();
        assert_eq!((health.lists, health.streams), (1, 1), "{health:?}");
        assert_eq!(health.failures, 0, "{health:?}");
        assert_eq!(shown(&handle).await, ["b"]);
        // The user asks.
        let asked = handle.relist().await.expect("a driver");
        assert_eq!(asked, every.is_none());
        if asked {
            until(&handle, "another list", |h| h.lists == 2).await;
        }
        a_while().await;
        let health = handle.health();
        assert_eq!((health.streams, health.failures), (1, 0), "{health:?}");
        handle.shutdown().await.expect("a driver");
    }
}

/// T2: what is due by the collection's own clock is done where nothing else happens.
#[tokio::test]
async fn what_is_due_is_done_without_a_word_of_the_server() {
    let (url, _asked) = stubborn().await;
    let mut settings = Config::default();
    settings.error_shown_ms = u64::try_from(TTL.as_millis()).expect("short");
    let (cache, session) = (
        JsonCache::new(settings),
        WatchSession::new(WatchConfig::feed(), 1),
    );
    let (driver, handle, updates) = Driver::new(cache, session, sse(&url), Schema::kubernetes());
    let mut driver = driver.polling_every(None);
    drop(updates);
    tokio::spawn(async move { driver.run().await });
    until(&handle, "it is synced", |health| health.synced).await;
    let has_error = |pods: &JsonCache| pods.get_one("a").is_some_and(|a| a.meta().is_some());
    let failed = handle.with(move |pods, now| {
        let marked = pods.mark_as_deleting("a", None, now)?;
        let operation = marked.operation().expect("one");
        pods.fail(operation, "it is locked", Retry::No, now)?;
        Ok::<_, resourcecache::Error>(has_error(pods))
    });
    assert!(failed.await.expect("a driver").expect("a is there"));
    let over = async {
        // To look does nothing that is due.
        while handle.with(move |pods, _| has_error(pods)).await == Ok(true) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let over = timeout(Duration::from_secs(30), over).await;
    over.expect("the error is no longer shown");
    handle.shutdown().await.expect("a driver");
}
