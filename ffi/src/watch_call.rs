//! What a watch session asks for, and why a call came to nothing.

use crate::applied::Applied;

/// What to do next.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum WatchAction {
    /// Nothing: this was applied to the cache.
    Applied {
        /// What has changed.
        applied: Applied,
    },
    /// Nothing: something was refused by the cache, and the session goes on as after a list that
    /// failed, or a message that cannot be read. To be logged.
    Refused {
        /// The whole story.
        problem: String,
    },
    /// Make this list call.
    ListCall {
        /// Under which its answer is handed in.
        call: u64,
        /// How many items at most; none for all.
        limit: Option<u32>,
        /// Where the chunk before ended.
        continue_token: Option<String>,
        /// The answer must not be older than this version; `0` takes any. None asks for the newest.
        not_older_than: Option<String>,
        /// The query by which Kubernetes is asked for it, not yet percent-encoded.
        query: Vec<QueryParameter>,
    },
    /// Open this stream.
    WatchCall {
        /// Under which what it tells is handed in.
        call: u64,
        /// Tell what came after this version.
        version: Option<String>,
        /// Tell what came after this sequence number.
        sequence: Option<u64>,
        /// Whether bookmarks are asked for.
        bookmarks: bool,
        /// Whether it is to begin with all there is, not older than the version.
        initial_events: bool,
        /// The query by which Kubernetes is asked for it, not yet percent-encoded.
        query: Vec<QueryParameter>,
    },
    /// End this call: nothing of it is wanted any more.
    Close {
        /// Which.
        call: u64,
    },
}

/// One parameter of a query.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct QueryParameter {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

fn parameters(query: Vec<(&'static str, String)>) -> Vec<QueryParameter> {
    let parameter = |(name, value): (&str, String)| QueryParameter {
        name: name.into(),
        value,
    };
    query.into_iter().map(parameter).collect()
}

impl From<resourcecache::ListCall> for WatchAction {
    fn from(call: resourcecache::ListCall) -> Self {
        let query = parameters(call.query());
        Self::ListCall {
            call: call.call.0,
            limit: call.limit,
            continue_token: call.continue_token,
            not_older_than: call.not_older_than,
            query,
        }
    }
}

impl From<resourcecache::WatchCall> for WatchAction {
    fn from(call: resourcecache::WatchCall) -> Self {
        let query = parameters(call.query());
        Self::WatchCall {
            call: call.call.0,
            version: call.version,
            sequence: call.sequence,
            bookmarks: call.bookmarks,
            initial_events: call.initial_events,
            query,
        }
    }
}

/// Why a list call failed, or a stream broke.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WatchFailure {
    /// The HTTP status, if there was an answer.
    #[uniffi(default = None)]
    pub status: Option<u16>,
    /// The server's word for it, such as Kubernetes' `Expired`.
    #[uniffi(default = None)]
    pub reason: Option<String>,
    /// What to tell the user.
    pub problem: String,
    /// How long the server asks to wait, in milliseconds.
    #[uniffi(default = None)]
    pub retry_after_ms: Option<u64>,
}

impl From<WatchFailure> for resourcecache::WatchFailure {
    fn from(failure: WatchFailure) -> Self {
        Self {
            status: failure.status,
            reason: failure.reason,
            message: failure.problem,
            retry_after_ms: failure.retry_after_ms,
        }
    }
}

impl From<&resourcecache::WatchFailure> for WatchFailure {
    fn from(failure: &resourcecache::WatchFailure) -> Self {
        Self {
            status: failure.status,
            reason: failure.reason.clone(),
            problem: failure.message.clone(),
            retry_after_ms: failure.retry_after_ms,
        }
    }
}
