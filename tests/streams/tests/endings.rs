//! How streams end: cut within a message, closed with a code, too long, refused; and when the next
//! one begins.
#![allow(missing_docs, reason = "a test")]

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use resourcecache::json::Schema;
use resourcecache::{CallId, WatchCall, WatchConfig};
use resourcecache_streams::{Stage, quick};
use resourcecache_watch::{
    Adapter, Connection, Failure, Incoming, Kubernetes, Limits, Sse, WebSocket,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const PATIENCE: Duration = Duration::from_secs(30);

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("http://{address}/"))
}

/// A server that says these bytes to each request, and closes the connection; when it was asked for
/// what is no list is handed out. Lists are empty.
async fn says(answer: &str) -> (String, mpsc::UnboundedReceiver<Instant>) {
    let (listener, url) = listener().await;
    let (hand, asked) = mpsc::unbounded_channel();
    let answer = answer.to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let lists = request[..length].starts_with(b"GET /list");
            let list = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"items\":[]}";
            if !lists {
                let _ = hand.send(Instant::now());
            }
            let answer = if lists { list } else { &answer };
            let _ = socket.write_all(answer.as_bytes()).await;
            let _ = socket.shutdown().await;
        }
    });
    (url, asked)
}

/// A server whose WebSockets begin with this message.
async fn sends(message: Message) -> String {
    let (listener, url) = listener().await;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut socket) = tokio_tungstenite::accept_async(socket).await else {
                continue;
            };
            let _ = socket.send(message.clone()).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
    });
    url
}

fn socket(url: &str, limits: Limits) -> WebSocket {
    let watch = url.replace("http", "ws");
    WebSocket::over(Connection::new(limits), url, &watch).expect("URLs")
}

fn call() -> WatchCall {
    WatchCall {
        call: CallId(1),
        version: None,
        sequence: None,
        bookmarks: true,
        initial_events: false,
    }
}

/// What a stream brings next.
async fn next(feed: &dyn Adapter) -> Option<Result<Incoming, Failure>> {
    let mut stream = feed.watch(&call()).await.expect("a stream");
    let next = timeout(PATIENCE, stream.next()).await;
    next.expect("something in time")
}

#[tokio::test]
async fn a_socket_is_closed_in_health_or_for_a_reason() {
    for code in [1000, 1001] {
        let close = CloseFrame {
            code: code.into(),
            reason: "see you".into(),
        };
        let url = sends(Message::Close(Some(close))).await;
        let ended = next(&socket(&url, Limits::default())).await;
        assert!(ended.is_none(), "{code}: {ended:?}");
    }
    let close = CloseFrame {
        code: 1008.into(),
        reason: "no more of you".into(),
    };
    let url = sends(Message::Close(Some(close))).await;
    let ended = next(&socket(&url, Limits::default())).await;
    let failure = ended.expect("an end").expect_err("a reason");
    assert!(
        matches!(&failure, Failure::Closed { code: 1008, reason, .. } if reason == "no more of you"),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_sockets_message_beyond_its_limit_ends_the_stream() {
    let limits = Limits {
        max_message: 100,
        ..Limits::default()
    };
    let url = sends(Message::text("x".repeat(100))).await;
    let fits = next(&socket(&url, limits.clone())).await;
    assert!(matches!(fits, Some(Ok(Incoming::Message(_)))), "{fits:?}");
    let url = sends(Message::text("x".repeat(101))).await;
    let failure = next(&socket(&url, limits)).await.expect("an end");
    let failure = failure.expect_err("too long");
    assert!(
        matches!(failure, Failure::TooLarge { limit: 100, .. }),
        "{failure:?}"
    );
    assert!(failure.to_session().is_expired(), "it would come again");
}

#[tokio::test]
async fn half_a_line_is_a_broken_stream() {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    for (rest, whole) in [("", true), ("{\"b\"", false)] {
        let (url, _asked) = says(&format!("{head}{{\"a\":1}}\n{rest}")).await;
        let feed = Kubernetes::new(&url).expect("a URL");
        let mut stream = feed.watch(&call()).await.expect("a stream");
        let line = stream.next().await.expect("a line").expect("a line");
        assert_eq!(line, Incoming::Message("{\"a\":1}".into()));
        match stream.next().await {
            None => assert!(whole),
            Some(Err(Failure::Broken { problem, .. })) => {
                assert!(!whole && problem.contains("within a line"), "{problem}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refused_socket_tells_its_status_and_how_long_to_wait() {
    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nbusy";
    let (url, _asked) = says(busy).await;
    let refused = socket(&url, Limits::default()).watch(&call()).await;
    let told = refused.err().expect("a refusal").to_session();
    assert_eq!(
        (told.status, told.retry_after_ms),
        (Some(503), Some(7_000)),
        "{told}"
    );
}

/// A server's `retry` counts, whether its stream ends or breaks.
#[tokio::test]
async fn the_next_stream_begins_when_the_server_asks_for_it() {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n";
    // The second says that more is to come.
    for more in ["", "content-length: 1000\r\n"] {
        let (url, mut asked) = says(&format!("{head}{more}\r\nretry: 600\n\n")).await;
        let feed = Sse::new(&format!("{url}list"), &url).expect("URLs");
        let config = quick(WatchConfig::feed());
        let stage = Stage::start(config, feed, Schema::kubernetes());
        let mut times = Vec::new();
        for _ in 0..2 {
            let next = timeout(PATIENCE, asked.recv()).await;
            times.push(next.expect("a request in time").expect("a server"));
        }
        let between = times[1] - times[0];
        // Of itself the session waits 200 ms at most.
        assert!(between >= Duration::from_millis(590), "{between:?}");
        stage.end().await;
    }
}
