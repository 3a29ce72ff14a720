//! The server's socket: routes, and the clock that they read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::push;
use crate::world::{Answer, Failure, Lag, Page, World};

/// The time at the start: seeded objects were there an hour before, in every replica.
const START_MS: u64 = 3_600_000;

/// Milliseconds, by the wall or by hand.
#[derive(Debug)]
enum Clock {
    Wall(Instant),
    Manual(u64),
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) world: World,
    clock: Clock,
    /// Tells pushes that there may be something new; also how often they were cut.
    pub(crate) news: watch::Sender<u64>,
    /// When each entry of the ledger was written, by the wall's clock in microseconds since 1970;
    /// later than true for one that was decided before.
    written_us: Vec<u64>,
}

impl Shared {
    pub(crate) fn now(&self) -> u64 {
        match self.clock {
            Clock::Wall(start) => START_MS
                .saturating_add(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)),
            Clock::Manual(now) => now,
        }
    }

    /// Whether its time passes by itself.
    pub(crate) fn is_wall(&self) -> bool {
        matches!(self.clock, Clock::Wall(_))
    }

    /// Notes when what is true by now was written, and tells the pushes.
    fn tell(&mut self, now: u64) {
        let true_by_now = self.world.ledger(now).len();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall = wall.map_or(0, |d| u64::try_from(d.as_micros()).unwrap_or(u64::MAX));
        self.written_us.resize(true_by_now, wall);
        self.news.send_modify(|_| {});
    }
}

pub(crate) type App = State<Arc<Mutex<Shared>>>;
pub(crate) type Reply = (StatusCode, Json<Value>);
type Fields = Json<Map<String, Value>>;

fn with(app: &Arc<Mutex<Shared>>, act: impl FnOnce(&mut World, u64) -> Answer) -> Reply {
    let mut shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    let now = shared.now();
    let (status, body) = act(&mut shared.world, now);
    shared.tell(now);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body))
}

pub(crate) fn known(kind: &str, act: impl FnOnce() -> Reply) -> Reply {
    if ["zones", "domains", "records"].contains(&kind) {
        return act();
    }
    let body = json!({ "error": 404, "message": "there are zones, domains and records" });
    (StatusCode::NOT_FOUND, Json(body))
}

/// Every route of the server.
pub(crate) fn router() -> Router {
    let shared = Shared {
        world: World::default(),
        clock: Clock::Wall(Instant::now()),
        news: watch::channel(0).0,
        written_us: Vec::new(),
    };
    Router::new()
        .route("/v1/jobs/{id}", get(job))
        .route("/v1/{kind}", get(list).post(create))
        .route("/v1/{kind}/{id}", get(one).patch(update).delete(delete))
        .route("/push/{kind}/events", get(push::events))
        .route("/push/{kind}/socket", get(push::socket))
        .route("/control/cut", post(cut))
        .route("/control/reset", post(reset))
        .route("/control/seed", post(seed))
        .route("/control/lag", post(lag))
        .route("/control/failures", post(failures))
        .route("/control/clock", post(clock))
        .route("/control/advance", post(advance))
        .route("/control/ledger", get(ledger))
        .with_state(Arc::new(Mutex::new(shared)))
}

async fn list(State(app): App, Path(kind): Path<String>, Query(page): Query<Page>) -> Reply {
    known(&kind, || {
        with(&app, |world, now| world.list(&kind, &page, now))
    })
}

async fn create(State(app): App, Path(kind): Path<String>, Json(fields): Fields) -> Reply {
    known(&kind, || {
        with(&app, |world, now| world.create(&kind, &fields, now))
    })
}

async fn one(
    State(app): App,
    Path((kind, id)): Path<(String, String)>,
    Query(page): Query<Page>,
) -> Reply {
    known(&kind, || {
        with(&app, |world, now| world.get(&kind, &id, &page, now))
    })
}

async fn update(
    State(app): App,
    Path((kind, id)): Path<(String, String)>,
    Json(fields): Fields,
) -> Reply {
    known(&kind, || {
        with(&app, |world, now| world.update(&kind, &id, &fields, now))
    })
}

async fn delete(State(app): App, Path((kind, id)): Path<(String, String)>) -> Reply {
    known(&kind, || {
        with(&app, |world, now| world.delete(&kind, &id, now))
    })
}

async fn job(State(app): App, Path(id): Path<String>) -> Reply {
    with(&app, |world, now| world.job(&id, now))
}

/// Reads its body, as every handler must: a connection is closed whose body nobody has read.
async fn reset(State(app): App, _: Bytes) -> Reply {
    let mut shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    shared.world = World::default();
    shared.written_us.clear();
    shared.news.send_modify(|cuts| *cuts += 1);
    shared.clock = match shared.clock {
        Clock::Wall(_) => Clock::Wall(Instant::now()),
        Clock::Manual(_) => Clock::Manual(START_MS),
    };
    (StatusCode::OK, Json(json!({})))
}

type Objects = BTreeMap<String, Vec<Map<String, Value>>>;

async fn seed(State(app): App, Json(objects): Json<Objects>) -> Reply {
    with(&app, |world, _| {
        for (kind, objects) in &objects {
            world.seed(kind, objects);
        }
        (200, json!({}))
    })
}

async fn lag(State(app): App, Json(lag): Json<Lag>) -> Reply {
    with(&app, |world, _| {
        world.lag = lag;
        (200, json!(world.lag))
    })
}

async fn failures(State(app): App, Json(failures): Json<Vec<Failure>>) -> Reply {
    with(&app, |world, _| {
        world.failures = failures;
        (200, json!(world.failures))
    })
}

#[derive(Deserialize)]
struct SetClock {
    manual: bool,
}

async fn clock(State(app): App, Json(set): Json<SetClock>) -> Reply {
    let mut shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    let now = shared.now();
    shared.clock = if set.manual {
        Clock::Manual(now)
    } else {
        Clock::Wall(Instant::now())
    };
    (StatusCode::OK, Json(json!({ "now_ms": now })))
}

#[derive(Deserialize)]
struct Advance {
    ms: u64,
}

async fn advance(State(app): App, Json(by): Json<Advance>) -> Reply {
    let mut shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    let now = shared.now().saturating_add(by.ms);
    if !matches!(shared.clock, Clock::Manual(_)) {
        let body = json!({ "error": 409, "message": "the clock is the wall's; POST /control/clock {\"manual\": true} first" });
        return (StatusCode::CONFLICT, Json(body));
    }
    shared.clock = Clock::Manual(now);
    shared.tell(now);
    (StatusCode::OK, Json(json!({ "now_ms": now })))
}

/// Ends every push, without a goodbye.
async fn cut(State(app): App, _: Bytes) -> Reply {
    let shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    shared.news.send_modify(|cuts| *cuts += 1);
    let cut = shared.news.receiver_count();
    (StatusCode::OK, Json(json!({ "cut": cut })))
}

async fn ledger(State(app): App) -> Reply {
    let shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    let now = shared.now();
    let entries = shared.world.ledger(now);
    let written = &shared.written_us[..shared.written_us.len().min(entries.len())];
    let body = json!({ "now_ms": now, "entries": entries, "written_us": written });
    (StatusCode::OK, Json(body))
}
