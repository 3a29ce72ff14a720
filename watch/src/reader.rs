//! How the bytes of a server become what a session takes.

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Error, ListAnswer, Resource, WatchMessage};
use serde::Deserialize;

/// Reads the answers and messages of a server.
pub trait Reader<R: Resource>: Send {
    /// Reads the answer of a list call.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn list(&self, answer: &[u8]) -> Result<ListAnswer<R>, Error>;

    /// Reads one message of a stream.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn message(&self, message: &[u8]) -> Result<WatchMessage<R>, Error>;
}

/// Reads what Kubernetes writes.
impl Reader<JsonResource> for Schema {
    fn list(&self, answer: &[u8]) -> Result<ListAnswer<JsonResource>, Error> {
        let continues: Continues = serde_json::from_slice(answer).unwrap_or_default();
        let read = ListAnswer::from(self.snapshot(answer)?);
        Ok(ListAnswer {
            continue_token: continues.metadata.token,
            ..read
        })
    }

    fn message(&self, message: &[u8]) -> Result<WatchMessage<JsonResource>, Error> {
        Ok(self.watch_event(message)?.into())
    }
}

#[derive(Default, Deserialize)]
struct Continues {
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "continue")]
    token: Option<String>,
}
