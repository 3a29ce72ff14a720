//! How a SQLite store behaves.

use std::time::Duration;

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// The death of the process, and the loss of power: each commit waits for the disk.
    #[default]
    Full,
    /// The death of the process. The loss of power may take the last commits with it, never a part of
    /// one.
    Normal,
}

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// What a commit survives. Default: [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// How long to wait for another process's commit. Default: 5 s.
    pub busy_timeout: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
        }
    }
}
