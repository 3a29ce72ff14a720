//! A watched collection in a test: its driver's task, its handle, and a reader's copy of the list.

use std::time::Duration;

use resourcecache::json::JsonResource;
use resourcecache::{Config, JsonCache, VersionOrder, WatchConfig, WatchPosition, WatchSession};
use resourcecache_watch::{Adapter, Driver, Handle, Health, Reader, Row, Update, View};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A watched collection.
pub struct Stage {
    /// Speaks with the driver.
    pub handle: Handle<JsonResource>,
    updates: mpsc::Receiver<Update<JsonResource>>,
    task: JoinHandle<(JsonCache, Option<WatchPosition>)>,
    /// The list as a reader of the updates holds it.
    shown: View<JsonResource>,
    /// How many updates there were, and how many of them whole.
    pub updates_seen: (usize, usize),
}

/// Settings for tests: short waits.
pub fn quick(mut config: WatchConfig) -> WatchConfig {
    config.backoff = resourcecache::Backoff::Exponential {
        base_ms: 20,
        cap_ms: 200,
    };
    config.list_interval_ms = 20;
    config
}

impl Stage {
    /// Runs a session over an adapter, from nothing.
    pub fn start(
        config: WatchConfig,
        feed: impl Adapter + 'static,
        reader: impl Reader<JsonResource> + 'static,
    ) -> Self {
        let mut settings = Config::default();
        settings.version_order = VersionOrder::Integer;
        let session = WatchSession::new(config, 1);
        let cache = JsonCache::new(settings);
        let (mut driver, handle, updates) = Driver::new(cache, session, feed, reader);
        let task = tokio::spawn(async move {
            driver.run().await;
            driver.into_parts()
        });
        Self {
            handle,
            updates,
            task,
            shown: View::default(),
            updates_seen: (0, 0),
        }
    }

    /// Takes the next update.
    ///
    /// # Panics
    ///
    /// There is none for too long.
    pub async fn update(&mut self) -> Update<JsonResource> {
        let update = self.take().await;
        self.shown.apply(update.clone());
        update
    }

    /// Takes the next update, and leaves the reader's list as it is.
    ///
    /// # Panics
    ///
    /// There is none for too long.
    pub async fn take(&mut self) -> Update<JsonResource> {
        let update = timeout(PATIENCE, self.updates.recv()).await;
        let update = update.unwrap_or_else(|_| panic!("no update: {:?}", self.handle.health()));
        let update = update.expect("a running driver");
        self.updates_seen.0 += 1;
        self.updates_seen.1 += usize::from(update.whole);
        update
    }

    /// The bodies that a reader shows, in order.
    pub fn shown(&self) -> Vec<Value> {
        let body = |row: &Row<JsonResource>| serde_json::from_str(row.body.body());
        self.shown
            .rows()
            .iter()
            .map(|row| body(row).expect("JSON"))
            .collect()
    }

    /// The same in the order of their names: a list may be sorted, and events come as they happen.
    pub fn sorted(&self) -> Vec<Value> {
        let mut all = self.shown();
        let name = |body: &Value| body["metadata"]["name"].as_str().map(String::from);
        all.sort_by_key(name);
        all
    }

    /// The ids that a reader shows, in order.
    pub fn ids(&self) -> Vec<&str> {
        self.shown
            .rows()
            .iter()
            .map(|row| row.id.as_str())
            .collect()
    }

    /// Takes updates until the list is so.
    ///
    /// # Panics
    ///
    /// It is not for too long.
    pub async fn shows(&mut self, what: &str, is: impl Fn(&Self) -> bool) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !is(self) {
            let next = tokio::time::timeout_at(end, self.updates.recv()).await;
            let Ok(Some(update)) = next else {
                panic!("{what}: {:?}, {:?}", self.ids(), self.handle.health());
            };
            self.updates_seen.0 += 1;
            self.updates_seen.1 += usize::from(update.whole);
            self.shown.apply(update);
        }
    }

    /// Waits until the watch is getting on so.
    ///
    /// # Panics
    ///
    /// It does not for too long.
    pub async fn until(&self, what: &str, is: impl FnMut(&Health) -> bool) -> Health {
        let reached = timeout(PATIENCE, self.handle.until(is)).await;
        let reached = reached.unwrap_or_else(|_| panic!("{what}: {:?}", self.handle.health()));
        reached.expect("a running driver")
    }

    /// Shuts it down: what it held, and from where it could go on.
    ///
    /// # Panics
    ///
    /// It does not end.
    pub async fn end(self) -> (JsonCache, Option<WatchPosition>) {
        self.handle.shutdown().await.expect("a running driver");
        let ended = timeout(PATIENCE, self.task).await;
        ended.expect("an end in time").expect("no panic")
    }

    /// Prints what was counted, for `cargo xtask test`.
    pub fn count(&self, what: &str) {
        let health = self.handle.health();
        println!(
            "streams, {what}: {} messages, {} streams, {} lists, {} failures, {} updates",
            health.messages, health.streams, health.lists, health.failures, self.updates_seen.0
        );
    }
}
