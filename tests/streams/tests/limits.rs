//! Limits: what a server may send and how long it may be silent; headers; a reader that is slow.
#![allow(missing_docs, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use resourcecache::{CallId, ListCall, WatchCall};
use resourcecache_watch::{
    Adapter, Buffer, Connection, Failure, Framing, HeaderMap, Incoming, Kubernetes, Limits, Sse,
    Transport, VersionIn, WebSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A server that hears one request a connection, and then says these bytes, piece by piece; what it
/// hears is handed out.
async fn says(pieces: Vec<Vec<u8>>, then_ends: bool) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (heard, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (pieces, heard) = (pieces.clone(), heard.clone());
            tokio::spawn(async move {
                let mut request = vec![0; 16 << 10];
                let length = socket.read(&mut request).await.unwrap_or(0);
                let _ = heard.send(String::from_utf8_lossy(&request[..length]).into_owned());
                for piece in pieces {
                    if socket.write_all(&piece).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                if !then_ends {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (url, requests)
}

fn head(kind: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {kind}\r\n\r\n").into()
}

fn call(version: Option<&str>) -> WatchCall {
    WatchCall {
        call: CallId(1),
        version: version.map(Into::into),
        sequence: None,
        bookmarks: true,
        initial_events: false,
    }
}

fn whole() -> ListCall {
    ListCall {
        call: CallId(1),
        limit: None,
        continue_token: None,
        not_older_than: None,
    }
}

fn small() -> Limits {
    Limits {
        idle: Duration::from_millis(200),
        connect: Duration::from_millis(400),
        list: Duration::from_millis(400),
        max_message: 100,
        max_list: 1_000,
        ..Limits::default()
    }
}

async fn all(stream: &mut dyn Transport) -> (Vec<String>, Option<Failure>) {
    let mut texts = Vec::new();
    loop {
        match stream.next().await {
            Some(Ok(Incoming::Message(bytes))) => {
                texts.push(String::from_utf8_lossy(&bytes).into_owned());
            }
            Some(Ok(Incoming::Retry(after))) => texts.push(format!("retry {after:?}")),
            Some(Err(failure)) => return (texts, Some(failure)),
            None => return (texts, None),
        }
    }
}

#[tokio::test]
async fn server_sent_events_are_read_as_the_standard_says() {
    let text = "\u{feff}: a comment\r\nretry: 250\r\ndata: {\"a\":\r\ndata: 1}\r\nid: 7\r\n\r\n\
                event: gone\rdata: 2\r\r:\n\nid: 8\ndata\n\ndata: cut";
    for size in [1, 3, 1_000] {
        let mut pieces = vec![head("text/event-stream; charset=utf-8")];
        pieces.extend(text.as_bytes().chunks(size).map(<[u8]>::to_vec));
        let (url, mut requests) = says(pieces, true).await;
        let feed = Sse::new(&url, &url).expect("URLs");
        let feed = feed
            .framed(Framing::Envelope)
            .resuming(VersionIn::LastEventId);
        let mut stream = feed.watch(&call(Some("6"))).await.expect("a stream");
        let (events, failure) = all(&mut *stream).await;
        assert_eq!(
            events,
            [
                "retry 250ms",
                "{\"event\":\"message\",\"id\":\"7\",\"data\":{\"a\":\n1}}",
                "{\"event\":\"gone\",\"id\":\"7\",\"data\":2}",
                "{\"event\":\"message\",\"id\":\"8\",\"data\":}",
            ],
            "in pieces of {size}"
        );
        assert!(failure.is_none(), "{failure:?}");
        let request = requests.recv().await.expect("a request");
        assert!(request.contains("last-event-id: 6\r\n"), "{request}");
        assert!(
            request.contains("accept: text/event-stream\r\n"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn what_is_no_event_stream_is_refused() {
    let (url, _requests) = says(vec![head("text/html"), b"<html>".to_vec()], true).await;
    let refused = Sse::new(&url, &url).expect("URLs").watch(&call(None)).await;
    let failure = refused.err().expect("a failure");
    assert!(
        failure.to_string().contains("answers \"text/html\""),
        "{failure}"
    );
    assert!(failure.to_session().is_expired(), "no use to go on");
}

#[tokio::test]
async fn a_message_beyond_its_limit_ends_the_stream() {
    let long = format!("{{\"a\":1}}\n{{\"b\":\"{}\"}}\n", "x".repeat(200));
    let (url, _requests) = says(vec![head("application/json"), long.into()], false).await;
    let feed = Kubernetes::over(Connection::new(small()), &url).expect("a URL");
    let (texts, failure) = all(&mut *feed.watch(&call(None)).await.expect("a stream")).await;
    assert_eq!(texts, ["{\"a\":1}"]);
    assert!(
        matches!(failure, Some(Failure::TooLarge { limit: 100, .. })),
        "{failure:?}"
    );
    assert!(
        failure.expect("one").to_session().is_expired(),
        "it would come again"
    );

    let long = format!("data: 1\n\ndata: {}\n\n", "x".repeat(200));
    let (url, _requests) = says(vec![head("text/event-stream"), long.into()], false).await;
    let feed = Sse::over(Connection::new(small()), &url, &url).expect("URLs");
    let (texts, failure) = all(&mut *feed.watch(&call(None)).await.expect("a stream")).await;
    assert_eq!(texts, ["1"]);
    assert!(
        matches!(failure, Some(Failure::TooLarge { limit: 100, .. })),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_list_beyond_its_limit_or_too_slow_is_given_up() {
    let long = vec![head("application/json"), vec![b' '; 2_000]];
    let (url, _requests) = says(long, true).await;
    let feed = Kubernetes::over(Connection::new(small()), &url).expect("a URL");
    let failure = feed.list(&whole()).await.expect_err("too long");
    assert!(
        matches!(failure, Failure::TooLarge { limit: 1_000, .. }),
        "{failure:?}"
    );

    let (url, _requests) = says(vec![head("application/json"), b"[".to_vec()], false).await;
    let feed = Kubernetes::over(Connection::new(small()), &url).expect("a URL");
    let failure = feed.list(&whole()).await.expect_err("never whole");
    assert!(
        matches!(
            failure,
            Failure::TimedOut {
                what: "answered",
                ..
            }
        ),
        "{failure:?}"
    );
}

#[tokio::test]
async fn silence_ends_a_stream_and_a_comment_is_none() {
    let mut pieces = vec![head("text/event-stream")];
    // Each piece takes 2 ms: as long as two silences.
    pieces.extend(std::iter::repeat_n(b":\n".to_vec(), 200));
    let (url, _requests) = says(pieces, false).await;
    let feed = Sse::over(Connection::new(small()), &url, &url).expect("URLs");
    let start = tokio::time::Instant::now();
    let (texts, failure) = all(&mut *feed.watch(&call(None)).await.expect("a stream")).await;
    assert_eq!(texts, [""; 0]);
    assert!(
        matches!(failure, Some(Failure::TimedOut { what: "heard", .. })),
        "{failure:?}"
    );
    assert!(
        start.elapsed() > Duration::from_millis(550),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let (url, _requests) = says(vec![], false).await;
    let connection = Connection::new(small());
    let socket = url.replace("http", "ws");
    let feed = WebSocket::over(connection.clone(), &url, &socket).expect("URLs");
    let failure = feed.watch(&call(None)).await.err().expect("no handshake");
    assert!(
        matches!(
            failure,
            Failure::TimedOut {
                what: "answered",
                ..
            }
        ),
        "{failure:?}"
    );
    let feed = Kubernetes::over(connection, &url).expect("a URL");
    let failure = feed.watch(&call(None)).await.err().expect("no status");
    assert!(
        matches!(
            failure,
            Failure::TimedOut {
                what: "answered",
                ..
            }
        ),
        "{failure:?}"
    );
}

#[tokio::test]
async fn each_connection_has_fresh_headers() {
    let (url, mut requests) = says(vec![head("text/event-stream")], true).await;
    let asked = Arc::new(AtomicU64::new(0));
    let connection = Connection::new(small()).with_headers(move || {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        async move {
            if number == 2 {
                return Err("the token cannot be renewed".into());
            }
            let mut headers = HeaderMap::new();
            headers.insert("authorization", format!("Bearer t{number}").parse()?);
            Ok(headers)
        }
    });
    let socket = url.replace("http", "ws");
    let events = Sse::over(connection.clone(), &url, &url).expect("URLs");
    let sockets = WebSocket::over(connection, &url, &socket).expect("URLs");
    drop(events.watch(&call(None)).await);
    drop(sockets.watch(&call(None)).await); // no handshake, but it was asked for with headers
    for number in 0..2 {
        let request = requests.recv().await.expect("a request").to_lowercase();
        assert!(
            request.contains(&format!("authorization: bearer t{number}\r\n")),
            "{request}"
        );
    }
    let failure = events.watch(&call(None)).await.err().expect("no headers");
    assert!(
        failure.to_string().contains("the token cannot be renewed"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_refusal_tells_its_status_and_how_long_to_wait() {
    let answer =
        b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbusy";
    let (url, _requests) = says(vec![answer.to_vec()], true).await;
    let feed = Kubernetes::new(&url).expect("a URL");
    let failure = feed
        .watch(&call(None))
        .await
        .err()
        .expect("a refusal")
        .to_session();
    assert_eq!(
        (failure.status, failure.retry_after_ms),
        (Some(503), Some(7_000))
    );
    assert!(failure.message.contains("busy"), "{failure}");
}

/// A server that never stops to send: how much of it was read.
struct Flood(Arc<AtomicU64>);

impl Transport for Flood {
    fn next(&mut self) -> futures_util::future::BoxFuture<'_, Option<Result<Incoming, Failure>>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Some(Ok(Incoming::Message(vec![b'x'; 1_000].into()))) })
    }

    fn url(&self) -> String {
        "flood".into()
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_the_server_up_and_then_is_told_to_list() {
    let read = Arc::new(AtomicU64::new(0));
    for (buffer, buffer_bytes, most) in [(10, 1 << 20, 12), (1_000, 5_500, 7)] {
        read.store(0, Ordering::Relaxed);
        let limits = Limits {
            buffer,
            buffer_bytes,
            stall: Duration::from_secs(5),
            ..Limits::default()
        };
        let mut waiting = Buffer::new(Box::new(Flood(Arc::clone(&read))), &limits);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(
            read.load(Ordering::Relaxed),
            most - 1,
            "held up, and nothing more is read"
        );
        // One is taken, and one more read: the time begins anew.
        assert!(matches!(
            waiting.next().await,
            Some(Ok(Incoming::Message(_)))
        ));
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(read.load(Ordering::Relaxed), most);
        assert!(matches!(
            waiting.next().await,
            Some(Ok(Incoming::Message(_)))
        ));
        tokio::time::sleep(Duration::from_secs(6)).await;
        let failure = waiting.next().await.expect("an end").expect_err("too slow");
        assert!(matches!(failure, Failure::SlowReader { .. }), "{failure:?}");
        assert!(failure.to_session().is_expired(), "a list is cheaper");
        assert!(waiting.next().await.is_none());
        assert_eq!(
            read.load(Ordering::Relaxed),
            most + 1,
            "what waited was dropped"
        );
    }
}
