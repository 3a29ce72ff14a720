//! What the primary pushes: every write of a kind when it becomes true, by WebSocket and as
//! server-sent events, while the lists go on lagging.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::http::{App, Reply, Shared, known};
use crate::world::World;

/// Where to begin.
#[derive(Deserialize)]
pub(crate) struct From {
    /// What follows this version of the ledger; only what happens from now on without.
    after: Option<usize>,
}

/// One pushed event.
#[derive(Clone, Debug, PartialEq)]
struct Pushed {
    /// The ledger's length with it; lists tell theirs as `version`.
    version: usize,
    change: String,
    body: Value,
}

impl World {
    /// The events of a kind behind `after`, what is lost left out; up to where it has looked.
    fn pushed(&self, kind: &str, after: usize, now: u64) -> (Vec<Pushed>, usize) {
        let entries = self.ledger(now.saturating_sub(self.lag.push_ms));
        let mut seq = 0;
        let mut found = Vec::new();
        for (index, entry) in entries.iter().enumerate().filter(|(_, e)| e.kind == kind) {
            seq += 1;
            let lost = self.lag.lose_push > 0 && seq % self.lag.lose_push == 0;
            if index < after || lost {
                continue;
            }
            let before = entries[..index].iter().rev().filter(|e| e.id == entry.id);
            let mut bodies = before.filter_map(|e| e.body.as_ref());
            let object = entry.body.as_ref().or_else(|| bodies.next());
            let version = index + 1;
            let body = json!({
                "version": version, "seq": seq, "type": entry.change, "object": object,
            });
            found.push(Pushed {
                version,
                change: entry.change.clone(),
                body,
            });
        }
        (found, entries.len())
    }
}

/// One listener's place in the ledger.
struct Cursor {
    app: Arc<Mutex<Shared>>,
    kind: String,
    after: usize,
    waiting: VecDeque<Pushed>,
    news: watch::Receiver<u64>,
    cuts: u64,
}

impl Cursor {
    /// A listener that begins there; 410 when that far back is not kept.
    fn new(app: Arc<Mutex<Shared>>, kind: String, after: Option<usize>) -> Result<Self, Reply> {
        let shared = app.lock().unwrap_or_else(PoisonError::into_inner);
        let now = shared.now();
        let length = shared.world.ledger(now).len();
        let kept = length.saturating_sub(shared.world.lag.keep_pushes);
        if after.is_some_and(|after| after < kept) {
            let body = json!({ "error": 410, "message": format!("kept from version {kept} on") });
            return Err((StatusCode::GONE, Json(body)));
        }
        let news = shared.news.subscribe();
        let cuts = *news.borrow();
        drop(shared);
        Ok(Self {
            app,
            kind,
            after: after.unwrap_or(length),
            waiting: VecDeque::new(),
            news,
            cuts,
        })
    }

    /// The next event; `None` when the pushes are cut.
    async fn next(&mut self) -> Option<Pushed> {
        loop {
            if *self.news.borrow_and_update() != self.cuts {
                return None;
            }
            if let Some(pushed) = self.waiting.pop_front() {
                return Some(pushed);
            }
            let due = self.look();
            if self.waiting.is_empty() {
                let changed = tokio::time::timeout(due, self.news.changed()).await;
                if matches!(changed, Ok(Err(_))) {
                    return None;
                }
            }
        }
    }

    /// Takes what is new; how long until there may be more by itself.
    fn look(&mut self) -> Duration {
        let shared = self.app.lock().unwrap_or_else(PoisonError::into_inner);
        let now = shared.now();
        let (found, until) = shared.world.pushed(&self.kind, self.after, now);
        self.waiting.extend(found);
        self.after = self.after.max(until);
        let lag = shared.world.lag.push_ms;
        let due = shared.world.next_due(now.saturating_sub(lag));
        let wait = due.map(|at| (at + lag).saturating_sub(now).max(1));
        let wait = wait.filter(|_| shared.is_wall());
        Duration::from_millis(wait.unwrap_or(60_000))
    }
}

/// Server-sent events: the version as id, the change as name.
pub(crate) async fn events(
    State(app): App,
    Path(kind): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    let last = headers.get("last-event-id");
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let cursor = match cursor(app, kind, from.after.or(last)) {
        Ok(cursor) => cursor,
        Err(refused) => return refused.into_response(),
    };
    let events = stream::unfold(cursor, |mut cursor| async {
        let pushed = cursor.next().await?;
        let event = Event::default()
            .id(pushed.version.to_string())
            .event(pushed.change)
            .data(pushed.body.to_string());
        Some((Ok::<_, std::convert::Infallible>(event), cursor))
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(5));
    Sse::new(events).keep_alive(alive).into_response()
}

/// A WebSocket: one event a message.
pub(crate) async fn socket(
    State(app): App,
    Path(kind): Path<String>,
    Query(from): Query<From>,
    upgrade: WebSocketUpgrade,
) -> Response {
    match cursor(app, kind, from.after) {
        Ok(cursor) => upgrade.on_upgrade(|socket| push(socket, cursor)),
        Err(refused) => refused.into_response(),
    }
}

fn cursor(app: Arc<Mutex<Shared>>, kind: String, after: Option<usize>) -> Result<Cursor, Reply> {
    match known(&kind, || (StatusCode::OK, Json(Value::Null))) {
        (StatusCode::OK, _) => Cursor::new(app, kind, after),
        unknown => Err(unknown),
    }
}

async fn push(mut socket: WebSocket, mut cursor: Cursor) {
    loop {
        let pushed = tokio::select! {
            pushed = cursor.next() => pushed,
            // Pings are answered by reading; a listener has nothing else to say.
            heard = socket.recv() => match heard {
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        let Some(pushed) = pushed else { return };
        let text = Message::Text(pushed.body.to_string().into());
        if socket.send(text).await.is_err() {
            return;
        }
    }
}
