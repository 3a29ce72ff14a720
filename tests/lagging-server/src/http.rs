//! The server's socket: routes, and the clock that they read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

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
struct Shared {
    world: World,
    clock: Clock,
}

impl Shared {
    fn now(&self) -> u64 {
        match self.clock {
            Clock::Wall(start) => START_MS
                .saturating_add(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)),
            Clock::Manual(now) => now,
        }
    }
}

type App = State<Arc<Mutex<Shared>>>;
type Reply = (StatusCode, Json<Value>);
type Fields = Json<Map<String, Value>>;

fn with(app: &Arc<Mutex<Shared>>, act: impl FnOnce(&mut World, u64) -> Answer) -> Reply {
    let mut shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    let now = shared.now();
    let (status, body) = act(&mut shared.world, now);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body))
}

fn known(kind: &str, act: impl FnOnce() -> Reply) -> Reply {
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
    };
    Router::new()
        .route("/v1/jobs/{id}", get(job))
        .route("/v1/{kind}", get(list).post(create))
        .route("/v1/{kind}/{id}", get(one).patch(update).delete(delete))
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

async fn reset(State(app): App) -> Reply {
    let mut shared = app.lock().unwrap_or_else(PoisonError::into_inner);
    shared.world = World::default();
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
    (StatusCode::OK, Json(json!({ "now_ms": now })))
}

async fn ledger(State(app): App) -> Reply {
    with(&app, |world, now| {
        (200, json!({ "now_ms": now, "entries": world.ledger(now) }))
    })
}
