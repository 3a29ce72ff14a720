//! Two clients of one server, refreshed side by side, and a judge before each screen.

use std::time::Duration;

use resourcecache::{JsonCache, Timestamp, json::Schema};
use resourcecache_judge::{Flickers, Judge, Naive};
use resourcecache_lagging_server::Server;
use serde_json::{Value, json};

use crate::api::{Api, Error};
use crate::ours;
use crate::screen::{Screen, Shown};

/// One scenario's stage.
pub(crate) struct Stage {
    pub(crate) api: Api,
    pub(crate) naive: Naive,
    pub(crate) cache: JsonCache,
    pub(crate) schema: Schema,
    pub(crate) screen: Screen,
    /// The server's time in ms, which only [`pass`](Self::pass) moves.
    pub(crate) now: u64,
    pub(crate) kind: &'static str,
    start: u64,
    naive_judge: Judge,
    our_judge: Judge,
    _server: Server,
}

impl Stage {
    /// A server of its own, seeded, and both clients with their first list.
    pub(crate) fn new(
        kind: &'static str,
        setup: &Setup<'_>,
        break_ttl: bool,
        screen: Screen,
    ) -> Result<Self, Error> {
        let server = Server::start()?;
        let api = Api::new(server.url());
        let now = api.control("clock", &json!({ "manual": true }))?["now_ms"].as_u64();
        api.control("seed", &json!({ kind: setup.objects }))?;
        api.control("lag", setup.lag)?;
        api.control("failures", setup.failures)?;
        let mut stage = Self {
            api,
            naive: Naive::default(),
            cache: ours::cache(kind, break_ttl),
            schema: ours::schema()?,
            screen,
            now: now.unwrap_or_default(),
            kind,
            start: now.unwrap_or_default(),
            naive_judge: Judge::default(),
            our_judge: Judge::default(),
            _server: server,
        };
        stage.refresh()?;
        Ok(stage)
    }

    /// The time as the cache takes it.
    pub(crate) fn time(&self) -> Timestamp {
        ours::time(self.now)
    }

    /// Lets the server's time pass.
    pub(crate) fn pass(&mut self, ms: u64) -> Result<(), Error> {
        let answer = self.api.control("advance", &json!({ "ms": ms }))?;
        self.now = answer["now_ms"].as_u64().unwrap_or(self.now);
        self.cache.handle_timeout(self.time())?;
        std::thread::sleep(Duration::from_millis(self.screen.pause_ms));
        Ok(())
    }

    /// Both clients list again, from the same answer, and show what they make of it.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let (token, _) = self.cache.begin_fetch(self.time());
        let (_, bytes) = self.api.call("GET", &format!("/v1/{}", self.kind), None)?;
        let list: Value = serde_json::from_slice(&bytes)?;
        self.naive
            .refresh(list["items"].as_array().map_or(&[][..], Vec::as_slice));
        let snapshot = self.schema.snapshot(&bytes)?.with_token(token);
        self.cache.merge(snapshot, self.time())?;
        self.show("refresh")
    }

    /// Shows both screens to the judges, and to the user.
    pub(crate) fn show(&mut self, what: &str) -> Result<(), Error> {
        let (_, ledger) = self.api.ledger()?;
        let plain = |body: &Value| Shown {
            body: body.clone(),
            badge: None,
        };
        let left: Vec<Shown> = self.naive.rows().iter().map(plain).collect();
        let right = ours::screen(&self.cache, self.time())?;
        let bad_left = self.naive_judge.look(self.naive.rows(), &ledger);
        let bad_right = self
            .our_judge
            .look(right.iter().map(|row| &row.body), &ledger);
        self.screen.frame(
            self.now - self.start,
            what,
            (&left, &bad_left),
            (&right, &bad_right),
        )
    }

    /// The user asks both for these to be deleted.
    pub(crate) fn user_deletes(&mut self, ids: &[&str]) {
        self.naive.delete(ids);
        self.naive_judge.user_deletes(ids);
        self.our_judge.user_deletes(ids);
    }

    /// What was counted: the naive client's, and ours.
    pub(crate) fn flickers(&self) -> (Flickers, Flickers) {
        (self.naive_judge.flickers, self.our_judge.flickers)
    }
}

/// What a scenario starts from.
pub(crate) struct Setup<'a> {
    /// The objects that are there.
    pub(crate) objects: &'a Value,
    /// How the server lags.
    pub(crate) lag: &'a Value,
    /// What is going to fail.
    pub(crate) failures: &'a Value,
}
