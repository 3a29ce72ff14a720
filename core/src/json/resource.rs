//! A resource that is a JSON object of the server, kept as it came.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::ResourceId;
use crate::json::patch::{JsonPatch, validate};
use crate::json::pointer::{Pointer, find};
use crate::metadata::Metadata;
use crate::resource::Resource;

/// A JSON object of the server, kept as it came and given back as it came. Made by a
/// [`Schema`](crate::json::Schema). Two are equal when their texts are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct JsonResource {
    pub(crate) body: Arc<str>,
    pub(crate) id: ResourceId,
    pub(crate) uid: Option<Box<str>>,
    pub(crate) version: Option<Box<str>>,
    pub(crate) token: Option<Box<str>>,
    /// Where id and uid stand: a patch may not change them.
    pub(crate) identity: Arc<Vec<Pointer>>,
}

#[derive(Deserialize)]
struct Parts {
    body: Arc<str>,
    id: ResourceId,
    uid: Option<Box<str>>,
    version: Option<Box<str>>,
    token: Option<Box<str>>,
    identity: Arc<Vec<Pointer>>,
}

impl TryFrom<Parts> for JsonResource {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        validate(&parts.body).map_err(|fault| format!("{}: {fault}", parts.id))?;
        Ok(Self {
            body: parts.body,
            id: parts.id,
            uid: parts.uid,
            version: parts.version,
            token: parts.token,
            identity: parts.identity,
        })
    }
}

impl PartialEq for JsonResource {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body && self.id == other.id
    }
}

impl JsonResource {
    /// The JSON text: the server's bytes, with the fields of pending updates laid over them.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The JSON text with a last member `_meta`, as `ResourceCache` v1.0 reads it (M1).
    pub fn with_meta(&self, meta: Option<&Metadata>) -> String {
        let own = JsonPatch::merge(r#"{"_meta":null}"#).unwrap_or_default();
        let bare = own
            .fields
            .iter()
            .fold(self.body.to_string(), |t, f| f.laid_over(&t));
        let Some(Ok(meta)) = meta.map(serde_json::to_string) else {
            return bare;
        };
        let patch = JsonPatch::top_level(&format!("{{\"_meta\":{meta}}}")).unwrap_or_default();
        patch.fields.iter().fold(bare, |t, f| f.laid_over(&t))
    }
}

impl Resource for JsonResource {
    type Patch = JsonPatch;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn uid(&self) -> Option<&str> {
        self.uid.as_deref()
    }

    fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn apply(&self, patch: &JsonPatch) -> Self {
        let mut text: Option<String> = None;
        for field in &patch.fields {
            text = Some(field.laid_over(text.as_deref().unwrap_or(&self.body)));
        }
        Self {
            body: text.map_or_else(|| self.body.clone(), Arc::from),
            ..self.clone()
        }
    }

    fn fields(patch: &JsonPatch) -> Vec<JsonPatch> {
        let one = |field: &crate::json::patch::Field| JsonPatch {
            fields: vec![field.clone()],
        };
        patch.fields.iter().map(one).collect()
    }

    fn pick(&self, patch: &JsonPatch) -> JsonPatch {
        JsonPatch {
            fields: patch.fields.iter().map(|f| f.picked(&self.body)).collect(),
        }
    }

    fn diff(&self, newer: &Self) -> JsonPatch {
        JsonPatch::between(&self.body, &newer.body)
    }

    fn overlaps(a: &JsonPatch, b: &JsonPatch) -> bool {
        a.fields
            .iter()
            .any(|x| b.fields.iter().any(|y| x.overlaps(y)))
    }

    fn changes_identity(&self, patch: &JsonPatch) -> bool {
        let new = self.apply(patch);
        self.identity.iter().any(|pointer| {
            let value = |r: &Self| find(&r.body, &pointer.path).map(|at| r.body[at].to_string());
            value(self) != value(&new)
        })
    }
}
