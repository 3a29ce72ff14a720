//! Connections that are kept and shared by threads, and what is done when one fails.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use redis::{ErrorKind, RedisError, RedisResult};

use crate::error::{StoreError, StoreErrorKind};
use crate::redis::error::{is_transient, keeps_connection, told};
use crate::redis::options::RedisOptions;
use crate::redis::servers::{Connection, Servers};

/// How many connections are kept for later; more are made when more threads want one at once.
const KEPT: usize = 16;

pub(super) struct Pool {
    pub(super) servers: Servers,
    pub(super) timeout: Duration,
    patience: Duration,
    kept: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) fn new(url: &str, options: &RedisOptions) -> Result<Self, StoreError> {
        Ok(Self {
            servers: Servers::parse(url, options).map_err(|error| told(None, error))?,
            timeout: options.timeout,
            patience: options.patience,
            kept: Mutex::default(),
        })
    }

    /// Does something with a connection; again, on a new one, when that may help. `act` must do no harm
    /// when it is done twice; it is told whether an earlier time may have been done.
    pub(super) fn run<T>(
        &self,
        key: Option<&str>,
        act: impl Fn(&mut Connection, bool) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let failed = AtomicU32::new(0);
        let once = || {
            let again = failed.fetch_add(1, Ordering::Relaxed) > 0;
            let mut connection = self.take()?;
            let done = act(&mut connection, again);
            match &done {
                Err(error) if !keeps_connection(error) => {
                    // The others are most likely broken, too, or lead to who is no master any more.
                    drop(connection);
                    self.kept().clear();
                }
                _ => self.put(connection),
            }
            done
        };
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(5))
            .with_max_delay(Duration::from_millis(500))
            .with_total_delay(Some(self.patience))
            .without_max_times()
            .with_jitter();
        let done = once
            .retry(pauses)
            .sleep(std::thread::sleep)
            .when(is_transient)
            .call();
        done.map_err(|error| told(key, error))
    }

    fn take(&self) -> RedisResult<Connection> {
        let kept = self.kept().pop();
        kept.map_or_else(|| self.servers.connect(self.timeout), Ok)
    }

    fn put(&self, connection: Connection) {
        let mut kept = self.kept();
        if kept.len() < KEPT {
            kept.push(connection);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses servers that may drop what they keep to make room.
    pub(super) fn check_eviction(&self) -> Result<(), StoreError> {
        let policies = self.run(None, |connection, _| {
            let mut policies = Vec::new();
            for node in connection.masters()? {
                let info: String = connection.query_on(&node, redis::cmd("INFO").arg("memory"))?;
                let policy = info
                    .lines()
                    .find_map(|line| line.strip_prefix("maxmemory_policy:"));
                let silent = (
                    ErrorKind::UnexpectedReturnType,
                    "INFO memory does not say the maxmemory_policy",
                );
                let policy = policy.ok_or_else(|| RedisError::from(silent))?;
                policies.push(policy.trim().to_string());
            }
            Ok(policies)
        })?;
        match policies.iter().find(|policy| *policy != "noeviction") {
            None => Ok(()),
            Some(policy) => {
                let problem = format!(
                    "Redis' maxmemory-policy is {policy}: it would drop what was committed when memory \
                     is short; set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in its \
                     configuration), or use a server of its own"
                );
                Err(StoreError::new(StoreErrorKind::Other, None, problem))
            }
        }
    }
}
