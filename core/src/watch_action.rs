//! What a watch session asks of its driver.

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::resource::Resource;

/// Names one list call, or one stream, of a session. What comes of it is handed in under this name;
/// what comes of one that is closed is passed over.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchAction<R: Resource> {
    /// Apply this to the collection, and report what came of it by
    /// [`handle_applied`](crate::WatchSession::handle_applied): nothing else is asked before that.
    Apply(Box<Event<R>>),
    /// Make this list call.
    List(ListCall),
    /// Open this stream.
    Watch(WatchCall),
    /// End this call: nothing of it is wanted any more.
    Close(CallId),
}

/// A list call to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListCall {
    /// Under which its answer is handed in.
    pub call: CallId,
    /// How many items at most; `None` all.
    pub limit: Option<u32>,
    /// Where the chunk before ended.
    pub continue_token: Option<String>,
    /// The answer must not be older than this version; `0` takes any. `None` asks for the newest.
    pub not_older_than: Option<String>,
}

impl ListCall {
    /// The query by which Kubernetes is asked for it, in its words and not yet percent-encoded.
    ///
    /// A continued list names no version: its token does.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if let Some(limit) = self.limit {
            query.push(("limit", limit.to_string()));
        }
        if let Some(token) = &self.continue_token {
            query.push(("continue", token.clone()));
        } else if let Some(version) = &self.not_older_than {
            query.push(("resourceVersion", version.clone()));
            // Without this, a limited list is of exactly that version.
            query.push(("resourceVersionMatch", "NotOlderThan".into()));
        }
        query
    }
}

/// A stream to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchCall {
    /// Under which what it tells is handed in.
    pub call: CallId,
    /// Tell what came after this version.
    pub version: Option<String>,
    /// Tell what came after this sequence number.
    pub sequence: Option<u64>,
    /// Whether bookmarks are asked for.
    pub bookmarks: bool,
    /// Whether it is to begin with all there is, not older than `version`.
    pub initial_events: bool,
}

impl WatchCall {
    /// The query by which Kubernetes is asked for it, in its words and not yet percent-encoded.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("watch", "true".to_string())];
        if let Some(version) = &self.version {
            query.push(("resourceVersion", version.clone()));
        }
        // The end of the initial events is a bookmark.
        if self.bookmarks || self.initial_events {
            query.push(("allowWatchBookmarks", "true".into()));
        }
        if self.initial_events {
            query.push(("sendInitialEvents", "true".into()));
            query.push(("resourceVersionMatch", "NotOlderThan".into()));
        }
        query
    }
}
