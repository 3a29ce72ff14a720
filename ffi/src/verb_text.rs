//! A verb as one text, for languages in which each argument costs a call of its own.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Error, Event, Kind};
use serde::Deserialize;

use crate::applied::{Applied, SEPARATOR};
use crate::cache::JsonCache;
use crate::error::CacheError;

/// What stands before the body.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Verb {
    AddAsCreating { min_ttl_ms: Option<u64> },
    MarkAsUpdating { id: String, min_ttl_ms: Option<u64> },
    MarkAsDeleting { id: String, min_ttl_ms: Option<u64> },
    MarkAsProcessing { id: String, operation: Kind },
    ReplaceCreated { temp_id: String },
    UpdateInPlace { id: String },
    UpdateMetadata { id: String },
    Complete { id: String },
    Revert { id: String },
    Remove { id: String },
}

impl Verb {
    fn event(self, body: &[u8], schema: &Schema) -> Result<Event<JsonResource>, Error> {
        let begin = |id: String, kind, patch, min_ttl_ms| Event::Begin {
            id: id.into(),
            kind,
            patch,
            min_ttl_ms,
        };
        Ok(match self {
            Self::AddAsCreating { min_ttl_ms } => Event::Create {
                resource: schema.resource(body)?,
                min_ttl_ms,
            },
            Self::MarkAsUpdating { id, min_ttl_ms } => {
                let patch = Some(schema.merge_patch(body)?);
                begin(id, Kind::Update, patch, min_ttl_ms)
            }
            Self::MarkAsDeleting { id, min_ttl_ms } => begin(id, Kind::Delete, None, min_ttl_ms),
            Self::MarkAsProcessing { id, operation } => begin(id, operation, None, None),
            Self::ReplaceCreated { temp_id } => Event::ReplaceCreated {
                temp_id: temp_id.into(),
                resource: schema.resource(body)?,
            },
            Self::UpdateInPlace { id } => Event::UpdateInPlace {
                id: id.into(),
                patch: schema.partial(body)?,
            },
            Self::UpdateMetadata { id } => Event::UpdateMetadata {
                id: id.into(),
                patch: serde_json::from_slice(body)
                    .map_err(|error| Error::bad_input("metadata", error.to_string()))?,
            },
            Self::Complete { id } => Event::Complete { id: id.into() },
            Self::Revert { id } => Event::Revert { id: id.into() },
            Self::Remove { id } => Event::Remove { id: id.into() },
        })
    }
}

#[uniffi::export]
impl JsonCache {
    /// A verb by a JSON text: `{"VERB": {"ARGUMENT": ...}}`, by the names of the methods here, and
    /// what is bytes there behind it, after a U+001E. It is what the method is, and in Kotlin takes
    /// half as long, since an id or an option that is an argument costs a call to make room for it.
    ///
    /// There are `add_as_creating`, `mark_as_updating`, `mark_as_deleting`, `mark_as_processing`,
    /// `replace_created`, `update_in_place`, `update_metadata`, `complete`, `revert` and `remove`.
    pub fn apply_verb(&self, verb: &[u8]) -> Result<Applied, CacheError> {
        // No JSON text has it, and no character of UTF-8 has it as a part.
        let mut parts = verb.splitn(2, |byte| *byte == SEPARATOR as u8);
        let head = parts.next().unwrap_or_default();
        let body = parts.next().unwrap_or_default();
        let verb: Verb =
            serde_json::from_slice(head).map_err(|error| CacheError::bad_input("verb", error))?;
        self.event(|inner| verb.event(body, &inner.schema))
    }
}
