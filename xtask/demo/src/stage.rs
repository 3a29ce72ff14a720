//! Two clients of one server, refreshed side by side, and a judge before each screen.

use std::time::Duration;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Event, JsonCache, Timestamp};
use resourcecache_judge::{Flickers, Naive};
use resourcecache_lagging_server::Server;
use resourcecache_storage::StoredCache;
use serde_json::{Value, json};

use crate::api::{Api, Error};
use crate::audience::{Audience, Frame, Judges};
use crate::ours;
use crate::screen::Screen;
use crate::storage::Storage;

/// One scenario's stage.
pub(crate) struct Stage {
    pub(crate) api: Api,
    pub(crate) naive: Naive,
    pub(crate) cache: StoredCache<JsonResource>,
    pub(crate) schema: Schema,
    pub(crate) audience: Audience,
    /// The server's time in ms, which only [`pass`](Self::pass) moves.
    pub(crate) now: u64,
    pub(crate) kind: &'static str,
    pub(crate) pause_ms: u64,
    /// Whether the naive client has a list to show.
    pub(crate) naive_listed: bool,
    _server: Option<Server>,
}

impl Stage {
    /// A server of its own, seeded, and both clients with their first list.
    pub(crate) fn new(
        kind: &'static str,
        setup: &Setup,
        storage: &Storage,
        break_ttl: bool,
        screen: Screen,
    ) -> Result<Self, Error> {
        let server = Server::start()?;
        let api = Api::new(server.url());
        let now = setup.set_up(&api, kind)?;
        // The collection of an earlier scenario of this run.
        storage.forget(kind)?;
        let audience = Audience::Judges(Box::new(Judges::new(screen, now)));
        let config = ours::config(kind, break_ttl);
        let key = storage.key(kind);
        let mut stage = Self {
            api,
            naive: Naive::default(),
            cache: StoredCache::open(storage.store.clone(), key, config, ours::time(now))?,
            schema: ours::schema()?,
            audience,
            now,
            kind,
            pause_ms: screen.pause_ms,
            naive_listed: false,
            _server: Some(server),
        };
        stage.refresh()?;
        Ok(stage)
    }

    /// Both clients in a program of their own, which another has started; nothing is listed yet.
    pub(crate) fn join(
        kind: &'static str,
        url: &str,
        cache: StoredCache<JsonResource>,
        now: u64,
        pause_ms: u64,
    ) -> Result<Self, Error> {
        Ok(Self {
            api: Api::new(url),
            naive: Naive::default(),
            cache,
            schema: ours::schema()?,
            audience: Audience::Parent,
            now,
            kind,
            pause_ms,
            naive_listed: false,
            _server: None,
        })
    }

    /// The time as the cache takes it.
    pub(crate) fn time(&self) -> Timestamp {
        ours::time(self.now)
    }

    /// Does something with our collection, and commits it.
    pub(crate) fn update<T>(
        &mut self,
        mut change: impl FnMut(&mut JsonCache, Timestamp) -> Result<T, resourcecache::Error>,
    ) -> Result<T, Error> {
        let now = self.time();
        Ok(self.cache.update(|cache| change(cache, now))?.value)
    }

    /// Lets the server's time pass.
    pub(crate) fn pass(&mut self, ms: u64) -> Result<(), Error> {
        let answer = self.api.control("advance", &json!({ "ms": ms }))?;
        self.now = answer["now_ms"].as_u64().unwrap_or(self.now);
        self.cache.apply(Event::HandleTimeout, self.time())?;
        std::thread::sleep(Duration::from_millis(self.pause_ms));
        Ok(())
    }

    /// Both clients list again, from the same answer, and show what they make of it.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        let (token, _) = self.update(|cache, now| Ok(cache.begin_fetch(now)))?;
        let (_, bytes) = self.api.call("GET", &format!("/v1/{}", self.kind), None)?;
        let list: Value = serde_json::from_slice(&bytes)?;
        self.naive
            .refresh(list["items"].as_array().map_or(&[][..], Vec::as_slice));
        self.naive_listed = true;
        let snapshot = self.schema.snapshot(&bytes)?.with_token(token);
        self.cache.apply(Event::Merge(snapshot), self.time())?;
        self.show("refresh")
    }

    /// Shows both screens to the judges, and to the user.
    pub(crate) fn show(&mut self, what: &str) -> Result<(), Error> {
        let frame = Frame {
            now: self.now,
            what: what.into(),
            naive: self.naive_listed.then(|| self.naive.rows().to_vec()),
            ours: ours::screen(self.cache.cache(), self.time())?,
        };
        self.audience.look(&self.api, frame)
    }

    /// The user asks both for these to be deleted.
    pub(crate) fn user_deletes(&mut self, ids: &[&str]) -> Result<(), Error> {
        self.naive.delete(ids);
        self.audience.user_deletes(ids)
    }

    /// What was counted: the naive client's, and ours; elsewhere, where others judge.
    pub(crate) fn flickers(&self) -> (Flickers, Flickers) {
        match &self.audience {
            Audience::Judges(judges) => judges.flickers(),
            Audience::Parent => Default::default(),
        }
    }
}

/// What a scenario starts from.
pub(crate) struct Setup {
    /// The objects that are there.
    pub(crate) objects: Value,
    /// How the server lags.
    pub(crate) lag: Value,
    /// What is going to fail.
    pub(crate) failures: Value,
}

impl Setup {
    /// Sets a server up; answers its time, which stands still from now on.
    pub(crate) fn set_up(&self, api: &Api, kind: &str) -> Result<u64, Error> {
        let now = api.control("clock", &json!({ "manual": true }))?["now_ms"].as_u64();
        api.control("seed", &json!({ kind: self.objects }))?;
        api.control("lag", &self.lag)?;
        api.control("failures", &self.failures)?;
        Ok(now.unwrap_or_default())
    }
}
