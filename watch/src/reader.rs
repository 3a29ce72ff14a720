//! How the bytes of a server become what a session takes.

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
