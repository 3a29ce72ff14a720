//! Hears of commits by other instances: one connection for all collections that are watched.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::RedisResult;

use crate::error::{StoreError, StoreErrorKind};
use crate::redis::keys::Names;
use crate::redis::pool::Pool;
use crate::store::{CommitId, Watch};

/// After how long without a word it is asked whether the connection is still there.
const QUIET: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// Subscribes to the collections that are watched.
pub(super) struct Listener {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
}

struct Shared {
    names: Names,
    /// A channel of its own, by which its thread is woken.
    wake: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    watched: HashMap<String, Vec<(u64, Sender<()>)>>,
    subscribed: HashSet<String>,
    next: u64,
    running: bool,
    closed: bool,
    /// Why there is no connection.
    problem: String,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    pub(super) fn new(pool: Arc<Pool>, names: Names) -> Result<Self, StoreError> {
        let wake = names.own(&format!("wake:{}", CommitId::random()?));
        let shared = Shared {
            names,
            wake,
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        Ok(Self {
            pool,
            shared: Arc::new(shared),
        })
    }

    /// A watch of a collection; hears of what is committed once this has returned.
    pub(super) fn watch(&self, key: &str) -> Result<Box<dyn Watch>, StoreError> {
        let (sender, heard) = channel();
        let mut state = self.shared.state();
        state.next += 1;
        let number = state.next;
        state
            .watched
            .entry(key.into())
            .or_default()
            .push((number, sender));
        let watch = Box::new(Watching {
            shared: Arc::clone(&self.shared),
            key: key.into(),
            number,
            heard,
        });
        if !state.subscribed.contains(key) {
            let start = !std::mem::replace(&mut state.running, true);
            drop(state);
            if start {
                self.start()?;
            } else {
                self.wake()?;
            }
            state = self.shared.state();
        }
        let end = Instant::now() + self.pool.timeout;
        while !state.subscribed.contains(key) {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let problem = format!(
                    "Redis takes no subscription to its changes: {}",
                    state.problem
                );
                return Err(StoreError::new(
                    StoreErrorKind::Unavailable,
                    Some(key),
                    problem,
                ));
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        Ok(watch)
    }

    fn start(&self) -> Result<(), StoreError> {
        let (pool, shared) = (Arc::clone(&self.pool), Arc::clone(&self.shared));
        let thread = std::thread::Builder::new().name("resourcecache-redis".into());
        let started = thread.spawn(move || listen(&pool, &shared));
        started.map(drop).map_err(|error| {
            self.shared.state().running = false;
            let problem = format!("a thread that listens to Redis cannot be started: {error}");
            StoreError::new(StoreErrorKind::Other, None, problem).with_source(error)
        })
    }

    fn wake(&self) -> Result<(), StoreError> {
        self.pool.run(None, |connection, _| {
            let wake = redis::cmd("PUBLISH")
                .arg(&self.shared.wake)
                .arg("")
                .to_owned();
            wake.query::<()>(connection.as_dyn())
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let running = {
            let mut state = self.shared.state();
            state.closed = true;
            state.running
        };
        // Without Redis the thread ends by itself within a while.
        if let (true, Ok(mut connection)) = (running, self.pool.servers.connect_to_one(PAUSE)) {
            let _ = redis::cmd("PUBLISH")
                .arg(&self.shared.wake)
                .arg("")
                .query::<()>(&mut connection);
        }
    }
}

/// Listens until the store is dropped; connects again when the connection is lost.
fn listen(pool: &Pool, shared: &Shared) {
    let mut again = false;
    while !shared.state().closed {
        // What was missed meanwhile is not known: `hear` tells all that something may have happened.
        let ended = hear(pool, shared, again);
        again = true;
        let mut state = shared.state();
        state.problem = ended
            .err()
            .map_or_else(String::new, |error| error.to_string());
        state.subscribed.clear();
        drop(state);
        if !shared.state().closed {
            std::thread::sleep(PAUSE);
        }
    }
}

fn hear(pool: &Pool, shared: &Shared, again: bool) -> RedisResult<()> {
    let mut connection = pool.servers.connect_to_one(pool.timeout)?;
    let mut heard = connection.as_pubsub();
    heard.subscribe(&shared.wake)?;
    subscribe(&mut heard, shared)?;
    if again {
        shared.state().tell_all();
    }
    heard.set_read_timeout(Some(QUIET))?;
    loop {
        let message = match heard.get_message() {
            Ok(message) => message,
            Err(error) if error.is_timeout() => {
                heard.ping::<redis::Value>()?;
                continue;
            }
            Err(error) => return Err(error),
        };
        if shared.state().closed {
            return Ok(());
        }
        if let Some(key) = shared.names.key_of(message.get_channel_name(), "changed") {
            shared.state().tell(&key);
        }
        subscribe(&mut heard, shared)?;
    }
}

/// Subscribes to what is watched by now, and to nothing else.
fn subscribe(heard: &mut redis::PubSub<'_>, shared: &Shared) -> RedisResult<()> {
    loop {
        let (new, old) = {
            let mut state = shared.state();
            let State {
                watched,
                subscribed,
                ..
            } = &mut *state;
            let new = watched
                .keys()
                .find(|key| !subscribed.contains(*key))
                .cloned();
            let old = subscribed
                .iter()
                .find(|key| !watched.contains_key(*key))
                .cloned();
            if let Some(old) = &old {
                subscribed.remove(old);
            }
            (new, old)
        };
        if let Some(old) = &old {
            heard.unsubscribe(shared.names.channel(old))?;
        }
        if let Some(new) = &new {
            heard.subscribe(shared.names.channel(new))?;
            shared.state().subscribed.insert(new.clone());
            shared.changed.notify_all();
        }
        if (new, old) == (None, None) {
            return Ok(());
        }
    }
}

impl State {
    fn tell(&mut self, key: &str) {
        for (_, sender) in self.watched.get(key).into_iter().flatten() {
            // One that is gone takes itself out.
            let _ = sender.send(());
        }
    }

    fn tell_all(&mut self) {
        for (_, sender) in self.watched.values().flatten() {
            let _ = sender.send(());
        }
    }
}

struct Watching {
    shared: Arc<Shared>,
    key: String,
    number: u64,
    heard: Receiver<()>,
}

impl Watch for Watching {
    fn wait(&mut self, timeout: Duration) -> Result<bool, StoreError> {
        match self.heard.recv_timeout(timeout) {
            Ok(()) => {
                while self.heard.try_recv().is_ok() {}
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(false),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if let Some(watching) = state.watched.get_mut(&self.key) {
            watching.retain(|(number, _)| *number != self.number);
            if watching.is_empty() {
                state.watched.remove(&self.key);
            }
        }
    }
}
