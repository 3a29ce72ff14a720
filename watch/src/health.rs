//! How a watch is getting on, for a status line and for tests.

use resourcecache::WatchState;

/// How a watch is getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What the session is about.
    pub state: WatchState,
    /// Whether the collection holds all that the server has told, and nothing was missed.
    pub synced: bool,
    /// What went wrong last, until something goes well again.
    pub failure: Option<String>,
    /// List calls that were answered, each chunk counted.
    pub lists: u64,
    /// Streams that were opened; each after the first is a reconnection.
    pub streams: u64,
    /// Messages of all streams.
    pub messages: u64,
    /// List calls and streams that failed, messages that could not be read, answers that the
    /// collection refused.
    pub failures: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            state: WatchState::Listing,
            synced: false,
            failure: None,
            lists: 0,
            streams: 0,
            messages: 0,
            failures: 0,
        }
    }
}
