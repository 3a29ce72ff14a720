//! What the cache refuses, and why. A refused event changes nothing at all.

use crate::ids::{OperationId, ResourceId};
use crate::state::{State, TransitionError, Trigger};

/// Why an event was refused. Nothing has changed, not even the time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The lifecycle has no such pair of state and trigger.
    #[error("{id}: {source}")]
    Transition {
        /// The resource.
        id: ResourceId,
        /// The pair.
        source: TransitionError,
    },
    /// Metadata for a resource on which no operation runs (M5).
    #[error("{id}: no operation runs whose metadata could change; begin one, or name a status")]
    NoOperation {
        /// The resource.
        id: ResourceId,
    },
    /// No such resource, or no such operation.
    #[error("{0}")]
    NotFound(Missing),
    /// A resource with this id is already visible (L6): update it, or take another id.
    #[error("{id}: exists already; update it, or create under another id")]
    AlreadyExists {
        /// The resource.
        id: ResourceId,
    },
    /// A value out of range, an empty id, a patch that would change an id, and the like.
    #[error("{subject}: {problem}")]
    BadInput {
        /// What it was about: an id, a field, a setting.
        subject: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A list that cannot be taken (S1).
    #[error("{}{problem}", position.map(|p| format!("item {p}: ")).unwrap_or_default())]
    BadSnapshot {
        /// The item's place in the list, from 0; `None` when it is the list itself.
        position: Option<usize>,
        /// What is wrong with it.
        problem: String,
    },
    /// A batch is refused whole when one of its parts is (DESIGN 8).
    #[error("{} of {} in the batch refused; first: {}", refused(results), results.len(), first(results))]
    Batch {
        /// One per part, in the order of the batch: its id, and why it was refused.
        results: Vec<(ResourceId, Option<Error>)>,
    },
}

/// What was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The cache holds no resource of this id.
    #[error("{0}: no such resource here; merge a list that has it first")]
    Resource(ResourceId),
    /// The cache knows no operation of this number: never begun here, or settled long ago.
    #[error("operation {0}: not known; it was never begun here, or settled long ago")]
    Operation(OperationId),
}

/// What kind of error it is, for those who only want to branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// See [`Error::Transition`] and [`Error::NoOperation`].
    Transition,
    /// See [`Error::NotFound`].
    NotFound,
    /// See [`Error::AlreadyExists`].
    AlreadyExists,
    /// See [`Error::BadInput`].
    BadInput,
    /// See [`Error::BadSnapshot`].
    BadSnapshot,
}

impl ErrorKind {
    /// Its word: `transition`, `not_found`, `already_exists`, `bad_input`, `bad_snapshot`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transition => "transition",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::BadInput => "bad_input",
            Self::BadSnapshot => "bad_snapshot",
        }
    }
}

impl Error {
    /// The error's kind; a batch's is that of its first refusal.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Transition { .. } | Self::NoOperation { .. } => ErrorKind::Transition,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::BadInput { .. } => ErrorKind::BadInput,
            Self::BadSnapshot { .. } => ErrorKind::BadSnapshot,
            Self::Batch { results } => results
                .iter()
                .find_map(|(_, error)| error.as_ref())
                .map_or(ErrorKind::BadInput, Self::kind),
        }
    }

    pub(crate) fn transition(id: &ResourceId, state: State, trigger: Trigger) -> Self {
        Self::Transition {
            id: id.clone(),
            source: TransitionError { state, trigger },
        }
    }

    pub(crate) fn no_resource(id: &ResourceId) -> Self {
        Self::NotFound(Missing::Resource(id.clone()))
    }

    /// For bad input found by a layer above the core.
    pub fn bad_input(subject: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::BadInput {
            subject: subject.into(),
            problem: problem.into(),
        }
    }
}

fn refused(results: &[(ResourceId, Option<Error>)]) -> usize {
    results.iter().filter(|(_, e)| e.is_some()).count()
}

fn first(results: &[(ResourceId, Option<Error>)]) -> String {
    results
        .iter()
        .find_map(|(_, e)| e.as_ref())
        .map(ToString::to_string)
        .unwrap_or_default()
}
