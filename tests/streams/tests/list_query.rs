//! What a generic adapter asks for in a list call, and what it cannot.
#![allow(missing_docs, reason = "a test")]

use resourcecache::{CallId, ListCall};
use resourcecache_watch::{Adapter, Failure, Sse, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A server of empty lists, and the targets of the requests that it hears.
async fn lists() -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (heard, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&request[..length]).into_owned();
            let _ = heard.send(text.split(' ').nth(1).unwrap_or_default().into());
            let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]";
            let _ = socket.write_all(answer).await;
        }
    });
    (url, requests)
}

fn call(token: Option<&str>, not_older_than: Option<&str>) -> ListCall {
    ListCall {
        call: CallId(1),
        limit: Some(2),
        continue_token: token.map(Into::into),
        not_older_than: not_older_than.map(Into::into),
    }
}

/// Each generic adapter, with this said of its lists or nothing.
fn adapters(url: &str, said: bool) -> [Box<dyn Adapter>; 2] {
    let (sse, socket) = (
        Sse::new(url, url).expect("URLs"),
        WebSocket::new(url, &url.replace("http", "ws")).expect("URLs"),
    );
    if !said {
        return [Box::new(sse), Box::new(socket)];
    }
    let query = |call: &ListCall| {
        let own = |(name, value): (&str, String)| (name.to_string(), value);
        call.query().into_iter().map(own).collect::<Vec<_>>()
    };
    [
        Box::new(sse.listing(query)),
        Box::new(socket.listing(query)),
    ]
}

#[tokio::test]
async fn a_list_is_asked_for_as_the_user_says() {
    let (url, mut requests) = lists().await;
    for adapter in adapters(&format!("{url}/zones?all=1"), true) {
        let asked = [
            call(None, None),
            call(Some("m"), Some("7")),
            call(None, Some("7")),
        ];
        for call in asked {
            assert_eq!(adapter.list(&call).await.expect("an answer"), "[]");
        }
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(requests.recv().await.expect("a request"));
        }
        assert_eq!(
            heard,
            [
                "/zones?all=1&limit=2",
                "/zones?all=1&limit=2&continue=m",
                "/zones?all=1&limit=2&resourceVersion=7&resourceVersionMatch=NotOlderThan"
            ]
        );
    }
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_an_error_that_says_what_to_do() {
    let (url, mut requests) = lists().await;
    for adapter in adapters(&url, false) {
        // The first list asks for nothing but a limit, which is an offer.
        adapter.list(&call(None, None)).await.expect("an answer");
        assert_eq!(requests.recv().await.as_deref(), Some("/"));
        let any = adapter.list(&call(None, Some("0"))).await;
        any.expect("an answer: any version will do");
        assert_eq!(requests.recv().await.as_deref(), Some("/"));
        let old = adapter.list(&call(None, Some("7"))).await;
        let old = old.expect_err("it cannot be asked for");
        assert!(matches!(old, Failure::CannotAsk { .. }), "{old:?}");
        let told = old.to_string();
        assert!(told.contains("not be older than version 7"), "{told}");
        assert!(told.contains("`listing(|_| Vec::new())`"), "{told}");
        // It backs off: the same again would come to the same.
        let session = old.to_session();
        assert!(!session.is_expired() && !session.is_refused());
        let next = adapter.list(&call(Some("m"), None)).await;
        let told = next.expect_err("it cannot be asked for").to_string();
        assert!(told.contains("how its next chunk is asked for"), "{told}");
        assert!(requests.try_recv().is_err(), "nothing was asked for");
    }
}
