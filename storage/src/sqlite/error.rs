//! What SQLite's errors mean to the caller.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{StoreError, StoreErrorKind};

/// Why a transaction is not done.
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) fn damaged(key: &str, problem: &str) -> StoreError {
    let problem = format!("{problem}; the database is damaged");
    StoreError::new(StoreErrorKind::Damaged, Some(key), problem)
}

/// What SQLite says, in our words.
pub(super) fn failed(key: Option<&str>, error: rusqlite::Error) -> StoreError {
    use StoreErrorKind::{Busy, Damaged, Full, Other, ReadOnly};
    let (kind, what) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (Busy, "another process holds the database")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Damaged,
            "the database is damaged; restore it from a backup, or name another file",
        ),
        Some(ErrorCode::DiskFull) => (Full, "there is no room on the disk; make some"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            (ReadOnly, "the file or its folder cannot be written to")
        }
        Some(ErrorCode::SystemIoFailure) => (Other, "the file cannot be read or written"),
        _ => (Other, "SQLite refused"),
    };
    StoreError::new(kind, key, format!("{what}: {error}")).with_source(error)
}

impl StoreError {
    /// The same, naming the file.
    pub(super) fn at(mut self, path: &Path) -> Self {
        self.problem = format!("{}: {}", path.display(), self.problem);
        self
    }
}
