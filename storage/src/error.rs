//! What goes wrong with a store: which collection, what happened, and whether trying again helps.

use std::error::Error as StdError;

/// Why a stored collection did not do what was asked. Nothing has changed then, neither in memory nor
/// in the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The event was refused.
    #[error(transparent)]
    Core(#[from] resourcecache::Error),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// Whether the store's error is of this kind.
    pub(crate) fn is(&self, kind: StoreErrorKind) -> bool {
        matches!(self, Self::Store(error) if error.kind == kind)
    }

    /// Whether the same may succeed when tried again later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Core(_) => false,
            Self::Store(error) => error.is_retryable(),
        }
    }
}

/// What went wrong with a store.
#[derive(Debug)]
pub struct StoreError {
    /// Which kind it is.
    pub kind: StoreErrorKind,
    /// The collection; `None` when it is the store itself.
    pub key: Option<String>,
    /// What happened, and what to do about it.
    pub problem: String,
    /// The engine's own error.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another instance committed first: catch up, and apply the event again.
    Conflict,
    /// The commit's lease has passed to another holder.
    Fenced,
    /// There is such a collection already.
    Exists,
    /// Another process or connection holds the store for longer than was waited.
    Busy,
    /// The store cannot be reached. A commit may have been done nevertheless: repeat it with the same
    /// [`CommitId`](crate::CommitId).
    Unavailable,
    /// The store is closed, as by `SqliteStore::close`; open it again.
    Closed,
    /// There is no room.
    Full,
    /// The store cannot be written to.
    ReadOnly,
    /// What is there is no store of this kind.
    Foreign,
    /// Written by a newer version.
    Newer,
    /// What is there cannot be read.
    Damaged,
    /// Something else.
    Other,
}

impl StoreError {
    /// One of a kind.
    pub fn new(kind: StoreErrorKind, key: Option<&str>, problem: impl Into<String>) -> Self {
        Self {
            kind,
            key: key.map(Into::into),
            problem: problem.into(),
            source: None,
        }
    }

    /// The same, with the engine's own error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same may succeed when tried again later, without anybody's doing.
    pub fn is_retryable(&self) -> bool {
        use StoreErrorKind::{Busy, Conflict, Unavailable};
        matches!(self.kind, Conflict | Busy | Unavailable)
    }

    /// What a loaded collection is refused for.
    pub(crate) fn damaged(key: &str, error: resourcecache::Error) -> Self {
        let problem = format!("what is stored cannot be read: {error}");
        Self::new(StoreErrorKind::Damaged, Some(key), problem).with_source(error)
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.problem)?;
        if self.is_retryable() {
            f.write_str(" (trying again may help)")?;
        }
        Ok(())
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

pub(crate) fn conflict(key: &str) -> StoreError {
    let problem = "another instance committed first; catch up, and apply the event again";
    StoreError::new(StoreErrorKind::Conflict, Some(key), problem)
}

pub(crate) fn fenced(key: &str, lease: &str) -> StoreError {
    let problem = format!("the lease {lease:?} has passed to another holder; acquire it again");
    StoreError::new(StoreErrorKind::Fenced, Some(key), problem)
}
