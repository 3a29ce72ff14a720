//! How the bytes of a server become what a session takes.

use resourcecache::json::{Feed, JsonResource, Schema};
use resourcecache::{Error, ListAnswer, Resource, WatchMessage};

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

/// Reads what Kubernetes writes, and what the adapter for etcd makes of etcd's answers.
impl Reader<JsonResource> for Schema {
    fn list(&self, answer: &[u8]) -> Result<ListAnswer<JsonResource>, Error> {
        self.list_answer(answer)
    }

    fn message(&self, message: &[u8]) -> Result<WatchMessage<JsonResource>, Error> {
        self.watch_message(message)
    }
}

/// Reads the messages of any feed, and the lists beside it.
impl Reader<JsonResource> for (Schema, Feed) {
    fn list(&self, answer: &[u8]) -> Result<ListAnswer<JsonResource>, Error> {
        self.0.list_answer(answer)
    }

    fn message(&self, message: &[u8]) -> Result<WatchMessage<JsonResource>, Error> {
        self.1.message(&self.0, message)
    }
}
