//! A DNS control plane on the loopback whose reads lag its writes.
//!
//! Writes go to a primary at once; reads come from replicas, each with a lag of its own, so that
//! answers go back in time. The primary pushes what it writes, by WebSocket and as server-sent
//! events, while the lists go on lagging. Deletions and registrations take their time, and fail on demand. The
//! folder's README lists the endpoints.

mod http;
mod push;
mod world;

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use world::{Answer, Entry, Failure, Lag, Page, World};

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port of the loopback.
    ///
    /// # Errors
    ///
    /// No port or no thread is to be had.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
                let serving = axum::serve(listener, http::router());
                tokio::select! {
                    ended = serving => ended.expect("the loopback"),
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("lagging-server".into())
            .spawn(serve)?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
