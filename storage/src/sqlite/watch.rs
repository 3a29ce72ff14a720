//! SQLite tells nobody of a commit: a watch asks, by a connection of its own.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::collection::find;
use super::error::failed;
use crate::error::StoreError;
use crate::store::{StoreRevision, Watch};

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(25);

pub(super) struct Polling {
    connection: Connection,
    key: String,
    seen: Option<StoreRevision>,
}

impl Polling {
    pub(super) fn new(connection: Connection, key: &str) -> Result<Self, StoreError> {
        let mut polling = Self {
            connection,
            key: key.into(),
            seen: None,
        };
        polling.seen = polling.revision()?;
        Ok(polling)
    }

    fn revision(&self) -> Result<Option<StoreRevision>, StoreError> {
        let found = find(&self.connection, &self.key);
        let found = found.map_err(|error| failed(Some(&self.key), error))?;
        Ok(found.map(|(_, revision)| revision))
    }
}

impl Watch for Polling {
    fn wait(&mut self, timeout: Duration) -> Result<bool, StoreError> {
        let until = Instant::now().checked_add(timeout);
        loop {
            let now = self.revision()?;
            if now != self.seen {
                self.seen = now;
                return Ok(true);
            }
            let left = until.map_or(EVERY, |until| {
                until.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Ok(false);
            }
            std::thread::sleep(left.min(EVERY));
        }
    }
}
