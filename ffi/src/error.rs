//! The two errors that cross the border: one of the cache, one of what the host's code answers.

use resourcecache::{Error, Missing};
use resourcecache_storage as storage;
use storage::{StoreError, StoreErrorKind};

/// Why a call was refused. Nothing has changed then, not even the time; but see `Broken`.
///
/// Every variant has a `problem`: the whole story as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum CacheError {
    /// The lifecycle has no such pair of state and trigger.
    #[error("{problem}")]
    Transition {
        /// The resource.
        id: String,
        /// The state that it is in.
        state: String,
        /// What was asked of it.
        trigger: String,
        /// The whole story.
        problem: String,
    },
    /// No such resource, or no such operation.
    #[error("{problem}")]
    NotFound {
        /// The resource that is not here.
        id: Option<String>,
        /// The operation that is not known.
        operation: Option<u64>,
        /// The whole story.
        problem: String,
    },
    /// A resource with this id is already visible: update it, or take another id.
    #[error("{problem}")]
    AlreadyExists {
        /// The resource.
        id: String,
        /// The whole story.
        problem: String,
    },
    /// A value out of range, an empty id, a patch that would change an id, and the like.
    #[error("{problem}")]
    BadInput {
        /// What it was about: an id, a field, a setting.
        subject: String,
        /// The whole story.
        problem: String,
    },
    /// A list that cannot be taken.
    #[error("{problem}")]
    BadSnapshot {
        /// The item's place in the list, from 0; none when it is the list itself.
        position: Option<u64>,
        /// The whole story.
        problem: String,
    },
    /// A batch is refused whole when one of its parts is.
    #[error("{problem}")]
    Batch {
        /// The parts that were refused, in the order of the batch.
        refusals: Vec<Refusal>,
        /// The kind of the first, as `kind` of a refusal.
        kind: String,
        /// The whole story.
        problem: String,
    },
    /// The store in which the collection is kept did not do it.
    #[error("{problem}")]
    Store {
        /// The collection's key; none when it is about the store itself.
        key: Option<String>,
        /// Which kind it is: `conflict`, `fenced`, `busy`, `unavailable`, `closed`, `full`,
        /// `read_only`, `foreign`, `newer`, `damaged` or `other`.
        kind: String,
        /// Whether the same may succeed when tried again later, without anybody's doing.
        retryable: bool,
        /// The whole story.
        problem: String,
    },
    /// A fault of the cache itself while it changed: this object refuses all that follows. Restore
    /// another from what was saved, or from a list. A report is welcome.
    #[error("{problem}")]
    Broken {
        /// The whole story.
        problem: String,
    },
}

/// One part of a batch that was refused.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Refusal {
    /// Its place in the batch, from 0.
    pub position: u64,
    /// The resource.
    pub id: String,
    /// Why, in a word: `transition`, `not_found`, `already_exists`, `bad_input` or `bad_snapshot`.
    pub kind: String,
    /// The whole story.
    pub problem: String,
}

/// What code of the host that the cache calls may answer: an observer, for one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HostError {
    /// It failed.
    #[error("{problem}")]
    Failed {
        /// Why.
        problem: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        let problem = error.reason;
        Self::Failed { problem }
    }
}

impl From<Error> for CacheError {
    fn from(error: Error) -> Self {
        let problem = error.to_string();
        let kind = error.kind().name().to_string();
        match error {
            Error::Transition { id, source } => Self::Transition {
                id: id.to_string(),
                state: source.state.name().into(),
                trigger: source.trigger.to_string(),
                problem,
            },
            Error::NoOperation { id } => Self::Transition {
                id: id.to_string(),
                state: resourcecache::State::Idle.name().into(),
                trigger: "update metadata".into(),
                problem,
            },
            Error::NotFound(Missing::Resource(id)) => Self::NotFound {
                id: Some(id.to_string()),
                operation: None,
                problem,
            },
            Error::NotFound(Missing::Operation(operation)) => Self::NotFound {
                id: None,
                operation: Some(operation.0),
                problem,
            },
            Error::AlreadyExists { id } => Self::AlreadyExists {
                id: id.to_string(),
                problem,
            },
            Error::BadInput { subject, .. } => Self::BadInput { subject, problem },
            Error::BadSnapshot { position, .. } => Self::BadSnapshot {
                position: position.map(|p| p as u64),
                problem,
            },
            Error::Batch { results } => Self::Batch {
                refusals: (0..)
                    .zip(results)
                    .filter_map(|(position, (id, error))| {
                        let error = error?;
                        Some(Refusal {
                            position,
                            id: id.to_string(),
                            kind: error.kind().name().into(),
                            problem: error.to_string(),
                        })
                    })
                    .collect(),
                kind,
                problem,
            },
        }
    }
}

impl From<storage::Error> for CacheError {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Core(error) => error.into(),
            storage::Error::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for CacheError {
    fn from(error: StoreError) -> Self {
        Self::Store {
            problem: error.to_string(),
            kind: kind_name(error.kind).into(),
            retryable: error.is_retryable(),
            key: error.key,
        }
    }
}

fn kind_name(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Conflict => "conflict",
        StoreErrorKind::Fenced => "fenced",
        StoreErrorKind::Busy => "busy",
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::Closed => "closed",
        StoreErrorKind::Full => "full",
        StoreErrorKind::ReadOnly => "read_only",
        StoreErrorKind::Foreign => "foreign",
        StoreErrorKind::Newer => "newer",
        StoreErrorKind::Damaged => "damaged",
        _ => "other",
    }
}

impl CacheError {
    pub(crate) fn bad_input(subject: &str, problem: impl std::fmt::Display) -> Self {
        Error::bad_input(subject, problem.to_string()).into()
    }
}
