//! What an undo or a redo leaves alone, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::ResourceId;

/// Something that [`undo`](crate::ResourceCache::undo) or [`redo`](crate::ResourceCache::redo) left
/// as it is, since it is not any more what the step made of it. `Display` tells the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The resource.
    pub id: ResourceId,
    /// Why it was left alone.
    pub reason: ConflictReason,
}

/// Why an undo or a redo left something alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictReason {
    /// These fields, as [`Resource::field_name`](crate::Resource::field_name) writes them, have been
    /// changed since.
    Changed {
        /// The fields that were left as they are; the others were not.
        fields: Vec<String>,
    },
    /// It is not there any more.
    Gone,
    /// It is there again, or still.
    Exists,
    /// What it was is not known.
    Unknown,
    /// The cache refused it, with these words.
    Refused(String),
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match &self.reason {
            ConflictReason::Changed { fields } => {
                write!(
                    f,
                    "{id}: changed since, and left as it is: {}",
                    fields.join(", ")
                )
            }
            ConflictReason::Gone => write!(f, "{id}: is not there any more"),
            ConflictReason::Exists => write!(f, "{id}: is there, and left as it is"),
            ConflictReason::Unknown => write!(f, "{id}: nobody knows what it was"),
            ConflictReason::Refused(problem) => f.write_str(problem),
        }
    }
}
