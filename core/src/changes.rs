//! What the core answers: which rows changed, how operations settled, what was odd.

use serde::{Deserialize, Serialize};

use crate::conflict::Conflict;
use crate::ids::{FetchToken, OperationId, ResourceId, Revision, RowKey, Timestamp};
use crate::state::Kind;

/// What an event changed in the visible list, and what there is to tell.
///
/// A reader that holds the list as it was before takes out every removed and every upserted row,
/// then puts each upserted row, in the order given, behind the row that [`Upsert::after`] names. It
/// then holds the list as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// The collection's revision after the event.
    pub revision: Revision,
    /// Rows that are new, other than before, or elsewhere; in list order.
    pub upserted: Vec<Upsert>,
    /// Rows that are no longer visible.
    pub removed: Vec<Removed>,
    /// How operations settled.
    pub outcomes: Vec<Outcome>,
    /// What was odd in the input, and still taken.
    pub warnings: Vec<Warning>,
}

impl Changes {
    /// Whether there is nothing to tell: no row, no outcome, no warning.
    pub fn is_empty(&self) -> bool {
        self.upserted.is_empty()
            && self.removed.is_empty()
            && self.outcomes.is_empty()
            && self.warnings.is_empty()
    }
}

/// A row that is new, other than before, or elsewhere. Its content is
/// [`row`](crate::ResourceCache::row)`(key)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsert {
    /// The row.
    pub key: RowKey,
    /// The id of its resource now.
    pub id: ResourceId,
    /// The visible row before it; `None` at the head of the list.
    pub after: Option<RowKey>,
}

/// A row that is no longer visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The row.
    pub key: RowKey,
    /// The last id of its resource.
    pub id: ResourceId,
}

/// How an operation settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settlement {
    /// The server shows it.
    Confirmed,
    /// The server did not show it in time; its word shows.
    NotConfirmed,
    /// A newer word of the server replaced it.
    Superseded,
    /// The server refused it.
    Failed,
    /// The user took it back.
    Cancelled,
    /// Nothing was heard of it for too long.
    Stale,
}

impl Settlement {
    /// Every settlement.
    pub const ALL: [Self; 6] = [
        Self::Confirmed,
        Self::NotConfirmed,
        Self::Superseded,
        Self::Failed,
        Self::Cancelled,
        Self::Stale,
    ];

    /// Its word: `confirmed`, `not_confirmed`, `superseded`, `failed`, `cancelled`, `stale`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::NotConfirmed => "not_confirmed",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Stale => "stale",
        }
    }
}

/// The record of how an operation settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The operation.
    pub operation: OperationId,
    /// The id of its resource at that time.
    pub id: ResourceId,
    /// What it was to do.
    pub kind: Kind,
    /// How it ended.
    pub settlement: Settlement,
    /// The error, when it failed.
    pub error: Option<String>,
    /// When, by the caller's clock.
    pub at: Timestamp,
}

/// Something odd in the input that was taken nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The id stands in the list more than once (S2): the last body is taken, at the first place.
    DuplicateId {
        /// The id.
        id: ResourceId,
        /// The place of the repetition, from 0.
        position: usize,
    },
    /// An item that is no resource was left out (S1, `bad_items: skip`).
    SkippedItem {
        /// Its place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A page's bound is not known here, so that its absences say nothing (S3).
    UnknownBound {
        /// The bound.
        id: ResourceId,
    },
}

/// What an accepted event leads to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Applied {
    /// What changed.
    pub changes: Changes,
    /// The operations that the event began or went on with: one per part of a batch that has one.
    pub operations: Vec<OperationId>,
    /// The token of [`Event::BeginFetch`](crate::Event::BeginFetch).
    pub token: Option<FetchToken>,
    /// What an undo or a redo left alone.
    pub conflicts: Vec<Conflict>,
}

impl Applied {
    /// The operation that a single verb began, or went on with.
    pub fn operation(&self) -> Option<OperationId> {
        self.operations.first().copied()
    }
}
