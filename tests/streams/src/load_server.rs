//! The same load over a real WebSocket on the loopback.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket as Socket, WebSocketUpgrade};
use axum::routing::get;
use resourcecache::WatchConfig;
use resourcecache::json::Schema;
use resourcecache_watch::WebSocket;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::load::{RATE, event, list, object};
use crate::stage::Stage;

/// What was measured over the loopback.
#[derive(Clone, Copy, Debug)]
pub struct Paced {
    /// Events that were sent, and shown.
    pub events: usize,
    /// Seconds that it took to send them.
    pub seconds: f64,
    /// Microseconds from the sending of an event to its row in an update: the median and the 99th
    /// percentile.
    pub shown_us: (u64, u64),
    /// How many updates told of them.
    pub updates: usize,
}

struct Plan {
    resources: usize,
    events: usize,
    start: Instant,
}

/// Lists so many resources, and pushes [`RATE`] events a second; waits until all are shown.
///
/// # Panics
///
/// Anything fails.
pub async fn paced(resources: usize, seconds: usize) -> Paced {
    let events = seconds * RATE;
    let start = Instant::now();
    let plan = Arc::new(Plan {
        resources,
        events,
        start,
    });
    let router = Router::new()
        .route(
            "/list",
            get(|State(plan): State<Arc<Plan>>| async move { list(plan.resources) }),
        )
        .route("/socket", get(serve))
        .with_state(plan);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    let feed = WebSocket::new(
        &format!("http://{address}/list"),
        &format!("ws://{address}/socket"),
    );
    let mut config = WatchConfig::kubernetes();
    config.limit = None;
    let mut stage = Stage::start(config, feed.expect("URLs"), Schema::kubernetes());
    stage.update().await; // empty
    stage.update().await;
    let begun = Instant::now();
    let mut waits = Vec::with_capacity(events);
    let (mut shown, mut updates) = (0, 0);
    while shown < events {
        let update = stage.take().await;
        let at = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        updates += 1;
        for row in &update.rows {
            let body: serde_json::Value = serde_json::from_str(row.body.body()).expect("JSON");
            // Each event tells of another resource; its serial is when it was sent.
            if let Some(sent @ 1..) = body["spec"]["serial"].as_u64() {
                waits.push(at.saturating_sub(sent));
                shown += 1;
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(stage.handle.health().messages, events as u64);
    serving.abort();
    waits.sort_unstable();
    Paced {
        events,
        seconds,
        shown_us: (waits[events / 2], waits[events * 99 / 100]),
        updates,
    }
}

async fn serve(
    State(plan): State<Arc<Plan>>,
    upgrade: WebSocketUpgrade,
) -> axum::response::Response {
    upgrade.on_upgrade(move |socket| push(socket, plan))
}

async fn push(mut socket: Socket, plan: Arc<Plan>) {
    const AT_ONCE: usize = RATE / 100;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    for number in 0..plan.events {
        if number % AT_ONCE == 0 {
            tick.tick().await;
        }
        let sent = usize::try_from(plan.start.elapsed().as_micros()).unwrap_or(usize::MAX);
        let version = plan.resources + number + 1;
        let text = event(
            "MODIFIED",
            &object(number % plan.resources, version, sent.max(1), 300),
        );
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
    // Until the client goes.
    while let Some(Ok(_)) = socket.recv().await {}
}
