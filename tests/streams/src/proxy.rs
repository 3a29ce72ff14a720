//! A network in the test's hand: a TCP proxy that cuts, holds, delays and throttles.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the network is now.
#[derive(Clone, Debug, Default)]
struct Weather {
    /// Connections of an earlier epoch are cut.
    epoch: u64,
    /// Nothing passes, and nothing is told of it.
    held: bool,
    /// New connections are closed at once.
    refusing: bool,
    /// Each piece takes so long.
    delay: Duration,
    /// So many bytes a second at most, from the server to us.
    rate: Option<u64>,
}

/// A proxy before a server. It ends with the test's runtime.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    connections: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free port of the loopback, before this address.
    ///
    /// # Panics
    ///
    /// No port is to be had.
    pub async fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let upstream = upstream.trim_start_matches("http://").to_string();
        let (weather, seen) = watch::channel(Weather::default());
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if seen.borrow().refusing {
                    continue;
                }
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(client, upstream.clone(), seen.clone()));
            }
        });
        Self {
            address,
            weather,
            connections,
            accepting,
        }
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same for WebSockets.
    pub fn socket_url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// How many connections there have been.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Cuts every connection that is open.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| weather.epoch += 1);
    }

    /// Lets nothing pass, as a cable that was pulled; or lets it pass again.
    pub fn hold(&self, held: bool) {
        self.weather.send_modify(|weather| weather.held = held);
    }

    /// Closes new connections at once, or not any more.
    pub fn refuse(&self, refusing: bool) {
        self.weather
            .send_modify(|weather| weather.refusing = refusing);
    }

    /// Lets each piece take so long.
    pub fn delay(&self, delay: Duration) {
        self.weather.send_modify(|weather| weather.delay = delay);
    }

    /// Lets so many bytes a second pass from the server.
    pub fn throttle(&self, bytes_a_second: Option<u64>) {
        self.weather
            .send_modify(|weather| weather.rate = bytes_a_second);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn serve(client: TcpStream, upstream: String, mut seen: watch::Receiver<Weather>) {
    let epoch = seen.borrow().epoch;
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pass(from_client, to_server, seen.clone(), false) => {}
        () = pass(from_server, to_client, seen.clone(), true) => {}
        _ = seen.wait_for(|weather| weather.epoch != epoch) => {}
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut seen: watch::Receiver<Weather>,
    throttled: bool,
) {
    const TICK: Duration = Duration::from_millis(20);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let rate = seen.borrow().rate.filter(|_| throttled);
        let most = rate.map_or(buffer.len(), |rate| usize::try_from(rate / 50).unwrap_or(1));
        let most = most.clamp(1, buffer.len());
        let Ok(length @ 1..) = from.read(&mut buffer[..most]).await else {
            return;
        };
        let delay = seen.borrow().delay;
        let pause = delay.max(rate.map_or(Duration::ZERO, |_| TICK));
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if seen.wait_for(|weather| !weather.held).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
