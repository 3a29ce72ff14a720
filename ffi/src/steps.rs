//! What a user begins: by itself, queued, or as a step that can be undone.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Error, Event};

use crate::applied::Applied;
use crate::cache::JsonCache;
use crate::error::CacheError;
use crate::names::Kind;

/// An operation to begin.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Begin {
    /// Shows a new resource before the server has it.
    Create {
        /// The resource as JSON, under a temporary or its final id.
        resource: String,
    },
    /// Shows a resource with a patch laid over it until the server has it.
    Update {
        /// The resource.
        id: String,
        /// A JSON merge patch (RFC 7396).
        patch: String,
    },
    /// Hides a resource that is about to be deleted.
    Delete {
        /// The resource.
        id: String,
    },
    /// Marks a resource as undergoing an operation.
    Process {
        /// The resource.
        id: String,
        /// Which.
        kind: Kind,
    },
}

/// An operation to begin, and how.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Step {
    /// What.
    pub begin: Begin,
    /// How many milliseconds it guards at least; the config's otherwise.
    #[uniffi(default = None)]
    pub min_ttl_ms: Option<u64>,
    /// Leaves its sending to the outbox, this many milliseconds later at the earliest.
    #[uniffi(default = None)]
    pub send_after_ms: Option<u64>,
}

impl Step {
    fn event(self, schema: &Schema) -> Result<Event<JsonResource>, Error> {
        let min_ttl_ms = self.min_ttl_ms;
        let of = |id: String, kind: Kind, patch| Event::Begin {
            id: id.into(),
            kind: kind.into(),
            patch,
            min_ttl_ms,
        };
        let begin = match self.begin {
            Begin::Create { resource } => Event::Create {
                resource: schema.resource(resource.as_bytes())?,
                min_ttl_ms,
            },
            Begin::Update { id, patch } => {
                let patch = schema.merge_patch(patch.as_bytes())?;
                of(id, Kind::Update, Some(patch))
            }
            Begin::Delete { id } => of(id, Kind::Delete, None),
            Begin::Process { id, kind } => of(id, kind, None),
        };
        Ok(match self.send_after_ms {
            Some(send_after_ms) => Event::Queue {
                begin: Box::new(begin),
                send_after_ms,
            },
            None => begin,
        })
    }
}

#[uniffi::export]
impl JsonCache {
    /// Begins one operation, and leaves its sending to the outbox, not before this many milliseconds
    /// have passed. See `poll_attempt`.
    pub fn queue(&self, step: Step, send_after_ms: u64) -> Result<Applied, CacheError> {
        self.event(|inner| {
            Step {
                send_after_ms: Some(send_after_ms),
                ..step
            }
            .event(&inner.schema)
        })
    }

    /// Does what the user did, one thing or several, whole or not at all, and keeps it as a step that
    /// `undo` undoes. The label names it, such as `Delete 5 zones`.
    pub fn perform(&self, label: String, steps: Vec<Step>) -> Result<Applied, CacheError> {
        self.event(|inner| {
            let events: Result<Vec<_>, _> =
                steps.into_iter().map(|s| s.event(&inner.schema)).collect();
            let mut events = events?;
            let event = match events.len() {
                1 => events.remove(0),
                _ => Event::Batch(events),
            };
            let event = Box::new(event);
            Ok(Event::Perform { label, event })
        })
    }

    /// Undoes the last step: what was not sent is taken back, and costs nothing; what was sent gets
    /// its inverse, queued if the step was, else among the answer's operations for the caller to
    /// send (`request_of`). What is not any more what the step made of it is left alone, and told
    /// among the conflicts. Without a step it does nothing.
    pub fn undo(&self) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::Undo))
    }

    /// Redoes the step that was undone last, in the same way.
    pub fn redo(&self) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::Redo))
    }

    /// Forgets all steps.
    pub fn clear_history(&self) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::ClearHistory))
    }

    /// The label of the step that `undo` would undo.
    pub fn undo_label(&self) -> Result<Option<String>, CacheError> {
        self.read(|inner| inner.cache.undo_label().map(Into::into))
    }

    /// The label of the step that `redo` would redo.
    pub fn redo_label(&self) -> Result<Option<String>, CacheError> {
        self.read(|inner| inner.cache.redo_label().map(Into::into))
    }

    /// The labels of the steps that can be undone, the next first.
    pub fn undo_labels(&self) -> Result<Vec<String>, CacheError> {
        self.read(|inner| inner.cache.undo_labels().map(Into::into).collect())
    }

    /// The labels of the steps that can be redone, the next first.
    pub fn redo_labels(&self) -> Result<Vec<String>, CacheError> {
        self.read(|inner| inner.cache.redo_labels().map(Into::into).collect())
    }
}
