//! Kubernetes' payloads, as its documentation shows them: chunked lists, watches, bookmarks, 410 in
//! a stream and in a list, streaming lists and a server that has none.
#![allow(missing_docs, reason = "a test")]

use resourcecache::json::Schema;
use resourcecache::{Initial, WatchConfig};
use resourcecache_streams::recorded::{Answer, Recorded, Then};
use resourcecache_streams::{Stage, quick};
use resourcecache_watch::Kubernetes;

fn list(asked: &[(&'static str, Option<&'static str>)], status: u16, file: &'static str) -> Answer {
    let mut asked = asked.to_vec();
    asked.push(("watch", None));
    Answer {
        asked,
        status,
        file,
        then: Then::End,
    }
}

fn watch(asked: &[(&'static str, Option<&'static str>)], file: &'static str, then: Then) -> Answer {
    let mut asked = asked.to_vec();
    asked.extend([
        ("watch", Some("true")),
        ("allowWatchBookmarks", Some("true")),
    ]);
    Answer {
        asked,
        status: 200,
        file,
        then,
    }
}

fn stage(config: WatchConfig, server: &Recorded) -> Stage {
    let pods = Kubernetes::new(&server.url()).expect("a URL");
    Stage::start(quick(config), pods, Schema::kubernetes())
}

const FIRST: (&str, Option<&str>) = ("continue", None);
const SECOND: (&str, Option<&str>) = ("continue", Some("ENCODED_CONTINUE_TOKEN"));

#[tokio::test]
async fn a_chunked_list_a_watch_a_bookmark_and_a_410_in_the_stream() {
    let server = Recorded::start(vec![
        list(&[FIRST, ("limit", Some("500"))], 200, "list-page-1.json"),
        list(&[SECOND], 200, "list-page-2.json"),
        watch(
            &[("resourceVersion", Some("10245"))],
            "watch-from-10245.ndjson",
            Then::End,
        ),
        // The stream ended: the next goes on from the bookmark, and that is too old by now.
        watch(
            &[("resourceVersion", Some("12746"))],
            "watch-gone.ndjson",
            Then::End,
        ),
        list(&[FIRST], 200, "list-whole.json"),
        watch(
            &[("resourceVersion", Some("20000"))],
            "empty.ndjson",
            Then::Silence,
        ),
    ])
    .await;
    let mut stage = stage(WatchConfig::kubernetes(), &server);
    stage
        .shows("the list", |s| s.ids() == ["web-0", "web-1", "web-2"])
        .await;
    stage
        .shows("the events", |s| s.ids() == ["web-0", "web-2", "web-3"])
        .await;
    assert_eq!(
        stage.shown()[2]["status"]["phase"],
        "Running",
        "modified as well"
    );
    stage
        .shows("the list after the 410", |s| s.ids() == ["web-0", "web-3"])
        .await;
    assert_eq!(
        stage.shown()[1]["metadata"]["uid"],
        "u3b",
        "another pod of that name"
    );
    let health = stage.until("a stream", |h| h.synced).await;
    assert_eq!((health.lists, health.streams, health.messages), (3, 3, 5));
    assert_eq!(server.left(), 0);
    stage.count("Kubernetes' payloads");
    let (_, position) = stage.end().await;
    assert_eq!(position.and_then(|p| p.version).as_deref(), Some("20000"));
}

#[tokio::test]
async fn a_continued_list_that_expired_begins_anew() {
    let server = Recorded::start(vec![
        list(&[FIRST, ("limit", Some("500"))], 200, "list-page-1.json"),
        list(&[SECOND], 410, "continue-expired.json"),
        list(&[FIRST, ("limit", None)], 200, "list-whole.json"),
        watch(
            &[("resourceVersion", Some("20000"))],
            "empty.ndjson",
            Then::Silence,
        ),
    ])
    .await;
    let mut stage = stage(WatchConfig::kubernetes(), &server);
    stage
        .shows("the whole list", |s| s.ids() == ["web-0", "web-3"])
        .await;
    let health = stage.until("a stream", |h| h.synced).await;
    assert_eq!((health.lists, health.failures), (2, 1));
    assert_eq!(server.left(), 0);
    stage.count("Kubernetes' expired page");
}

#[tokio::test]
async fn a_streaming_list_needs_no_list_call() {
    let server = Recorded::start(vec![watch(
        &[
            ("sendInitialEvents", Some("true")),
            ("resourceVersionMatch", Some("NotOlderThan")),
        ],
        "streaming-list.ndjson",
        Then::Silence,
    )])
    .await;
    let mut config = WatchConfig::kubernetes();
    config.initial = Initial::Stream;
    let mut stage = stage(config, &server);
    let changed =
        |s: &Stage| s.shown().len() == 2 && s.shown()[1]["metadata"]["resourceVersion"] == "10300";
    stage.shows("the events", changed).await;
    assert_eq!(stage.ids(), ["web-0", "web-1"]);
    let health = stage.handle.health();
    assert_eq!((health.lists, health.streams, health.messages), (0, 1, 4));
    stage.count("Kubernetes' streaming list");
}

#[tokio::test]
async fn a_server_without_streaming_lists_is_asked_for_a_list() {
    let refused = Answer {
        asked: vec![("sendInitialEvents", Some("true"))],
        status: 422,
        file: "invalid-send-initial-events.json",
        then: Then::End,
    };
    let server = Recorded::start(vec![
        refused,
        list(&[FIRST], 200, "list-whole.json"),
        watch(
            &[("sendInitialEvents", None)],
            "empty.ndjson",
            Then::Silence,
        ),
    ])
    .await;
    let mut config = WatchConfig::kubernetes();
    config.initial = Initial::Stream;
    let mut stage = stage(config, &server);
    stage
        .shows("the list", |s| s.ids() == ["web-0", "web-3"])
        .await;
    stage.until("a stream", |h| h.synced).await;
    assert_eq!(server.left(), 0);
    stage.count("Kubernetes without streaming lists");
}
