//! TLS by an authority of the test's own: lists and streams over `https`, a WebSocket over `wss`, and
//! servers that nobody vouches for.
#![allow(missing_docs, reason = "a test")]

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use resourcecache::WatchConfig;
use resourcecache::json::Schema;
use resourcecache_streams::{Stage, quick};
use resourcecache_watch::{Adapter, Connection, Failure, Kubernetes, Limits, Sse, WebSocket};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;

const LIST: &str = r#"{"metadata":{"resourceVersion":"2"},"items":[{"metadata":{"name":"a","resourceVersion":"1"}}]}"#;
const ADDED: &str = r#"{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"3"}}}"#;

/// An authority, and a server's settings with a certificate by it for this name.
fn authority(name: &str) -> (RootCertStore, ServerConfig) {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("a root");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_string()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate and its key");
    (roots, server)
}

fn trusting(roots: RootCertStore) -> Connection {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Connection::new(Limits::default()).with_tls(tls)
}

/// A server behind TLS, by its port of the loopback. A WebSocket's, or one that lists at `/list`, and
/// streams at `/events` by server-sent events, at `/pods` by lines.
async fn serve(config: ServerConfig, sockets: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust it ends it here.
                match acceptor.accept(socket).await {
                    Ok(stream) if sockets => push(stream).await,
                    Ok(stream) => answer(stream).await,
                    Err(_) => {}
                }
            });
        }
    });
    port
}

async fn push(stream: TlsStream<TcpStream>) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    let _ = socket.send(Message::text(ADDED)).await;
    while let Some(Ok(_)) = socket.next().await {}
}

async fn answer(mut stream: TlsStream<TcpStream>) {
    let mut request = [0; 4096];
    let length = stream.read(&mut request).await.unwrap_or(0);
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (kind, body, ends) = match path.split('?').next() {
        Some("/events") => ("text/event-stream", format!("data: {ADDED}\n\n"), false),
        Some("/pods") if path.contains("watch=true") => {
            ("application/json", format!("{ADDED}\n"), false)
        }
        _ => ("application/json", LIST.to_string(), true),
    };
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {kind}\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.flush().await;
    if !ends {
        let _ = stream.read(&mut [0; 64]).await; // until it is closed
    }
    let _ = stream.shutdown().await;
}

async fn shows(feed: impl Adapter + 'static, config: WatchConfig) {
    let mut stage = Stage::start(quick(config), feed, Schema::kubernetes());
    stage
        .shows("the list and the stream", |stage| stage.ids() == ["a", "b"])
        .await;
    assert_eq!(stage.handle.health().failures, 0);
    stage.end().await;
}

#[tokio::test]
async fn lists_and_streams_come_over_https() {
    let (roots, server) = authority("localhost");
    let port = serve(server, false).await;
    let url = |path: &str| format!("https://localhost:{port}/{path}");
    let sse = Sse::over(trusting(roots.clone()), &url("list"), &url("events")).expect("URLs");
    shows(sse, WatchConfig::feed()).await;
    let pods = Kubernetes::over(trusting(roots), &url("pods")).expect("a URL");
    shows(pods, WatchConfig::kubernetes()).await;
}

#[tokio::test]
async fn messages_come_over_wss() {
    let (roots, server) = authority("127.0.0.1");
    let lists = serve(server.clone(), false).await;
    let sockets = serve(server, true).await;
    let list = format!("https://127.0.0.1:{lists}/list");
    let socket = format!("wss://127.0.0.1:{sockets}/");
    let feed = WebSocket::over(trusting(roots), &list, &socket).expect("URLs");
    shows(feed, WatchConfig::feed()).await;
}

/// What a client that must not trust the server is told; it shows nothing, and tries again.
async fn is_refused(connection: Connection, port: u16, sockets: u16, why: &str) {
    let list = format!("https://127.0.0.1:{port}/list");
    let socket = format!("wss://127.0.0.1:{sockets}/");
    let feeds: [(Box<dyn Adapter>, WatchConfig); 2] = [
        (
            Box::new(Kubernetes::over(connection.clone(), &list).expect("a URL")),
            WatchConfig::kubernetes(),
        ),
        (
            Box::new(WebSocket::over(connection, &list, &socket).expect("URLs")),
            WatchConfig::feed(),
        ),
    ];
    for (feed, config) in feeds {
        let mut stage = Stage::start(quick(config), feed, Schema::kubernetes());
        let health = stage.until("two failures", |h| h.failures >= 2).await;
        let told = health.failure.unwrap_or_default();
        assert!(told.contains(why), "{told}");
        assert_eq!((health.lists, health.streams), (0, 0));
        stage.update().await; // the list as it is
        assert_eq!(stage.ids(), [""; 0]);
        stage.end().await;
    }
}

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let (_, server) = authority("127.0.0.1");
    let (others, _) = authority("127.0.0.1");
    let (port, sockets) = (
        serve(server.clone(), false).await,
        serve(server, true).await,
    );
    // One that goes by the same name: what it would have signed is not what was signed.
    is_refused(trusting(others), port, sockets, "BadSignature").await;
    let nobody = trusting(RootCertStore::empty());
    is_refused(nobody, port, sockets, "UnknownIssuer").await;
    // The platform's authorities do not know it either; where it has none, that is said at once.
    let platforms = Connection::new(Limits::default());
    match Kubernetes::over(platforms.clone(), "https://127.0.0.1/") {
        Ok(_) => is_refused(platforms, port, sockets, "invalid peer certificate").await,
        Err(failure) => assert!(matches!(failure, Failure::Tls(_)), "{failure}"),
    }
}

#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let (roots, server) = authority("elsewhere.example");
    let (port, sockets) = (
        serve(server.clone(), false).await,
        serve(server, true).await,
    );
    is_refused(trusting(roots), port, sockets, "not valid for name").await;
}
