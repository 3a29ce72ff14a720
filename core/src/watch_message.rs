//! What a server tells a watch session.

use crate::event::{BadItem, Snapshot, WatchEvent};
use crate::watch_failure::WatchFailure;

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchMessage<R> {
    /// What it tells, in order; nothing for a heartbeat.
    pub events: Vec<StreamEvent<R>>,
    /// The version from which the stream goes on behind this message. Without it, that of its last
    /// event.
    pub version: Option<String>,
    /// Its number, where the server counts its messages.
    pub sequence: Option<u64>,
}

impl<R> Default for WatchMessage<R> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            version: None,
            sequence: None,
        }
    }
}

impl<R> From<StreamEvent<R>> for WatchMessage<R> {
    fn from(event: StreamEvent<R>) -> Self {
        Self {
            events: vec![event],
            ..Self::default()
        }
    }
}

impl<R> From<WatchEvent<R>> for WatchMessage<R> {
    fn from(event: WatchEvent<R>) -> Self {
        StreamEvent::Observe(event).into()
    }
}

/// One thing that a stream tells.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent<R> {
    /// An observation.
    Observe(WatchEvent<R>),
    /// The whole collection as it is now.
    Snapshot(Snapshot<R>),
    /// All that is there was told: the initial events end.
    InitialEnd,
    /// Something has changed, and the stream does not tell what: a list tells.
    Touched,
    /// The stream is ready: all that happens from now on is told.
    Ready,
    /// The stream cannot go on.
    Failed(WatchFailure),
}

/// The answer of a list call, or a chunk of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListAnswer<R> {
    /// The resources, in the server's order.
    pub items: Vec<R>,
    /// Items that could not be read as resources.
    pub bad: Vec<BadItem>,
    /// The list's own version.
    pub version: Option<String>,
    /// Where the next chunk begins; `None` for the last one. It must mark a place in the order of
    /// the server's keys: where a number of items is skipped, a list that changes meanwhile lacks
    /// some.
    pub continue_token: Option<String>,
}

impl<R> From<Snapshot<R>> for ListAnswer<R> {
    fn from(snapshot: Snapshot<R>) -> Self {
        Self {
            items: snapshot.items,
            bad: snapshot.bad,
            version: snapshot.list_version,
            continue_token: None,
        }
    }
}
