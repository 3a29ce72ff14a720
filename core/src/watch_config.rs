//! How a watch session behaves.

use serde::{Deserialize, Serialize};

use crate::retry_policy::Backoff;

/// From where a stream that broke goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// From the last version that was told, as Kubernetes and etcd do. A list names the version from
    /// which to watch, so the list comes first.
    #[default]
    Version,
    /// From the last sequence number. The stream comes first, and the list while it runs.
    Sequence,
    /// From nowhere: each new stream needs another list, while it runs.
    Nowhere,
}

/// How the session learns of all that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// By a list call.
    #[default]
    List,
    /// By the stream, which begins with all there is: a snapshot, or events up to the one that ends
    /// them (Kubernetes' `sendInitialEvents`). A server that refuses is asked for a list.
    Stream,
}

/// What a message that cannot be read leads to. It is told in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadMessages {
    /// A list: what the message was to tell may matter.
    #[default]
    Relist,
    /// It is passed over.
    Skip,
}

/// The settings of a [`WatchSession`](crate::WatchSession). Durations are in milliseconds.
///
/// ```
/// use resourcecache::{Initial, WatchConfig};
/// let mut config = WatchConfig::kubernetes();
/// config.initial = Initial::Stream;
/// config.idle_after_ms = Some(90_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WatchConfig {
    /// From where a stream goes on.
    pub resume: Resume,
    /// How the session learns of all that is there.
    pub initial: Initial,
    /// How many items one list call asks for; `None` all. Default 500.
    pub limit: Option<u32>,
    /// Whether the first list may be an old one, for which Kubernetes asks no quorum
    /// (`resourceVersion=0`). Default false.
    pub first_list_may_be_old: bool,
    /// Whether bookmarks are asked for. Default true.
    pub bookmarks: bool,
    /// Whether a stream counts as open only when it says that it is ready
    /// ([`StreamEvent::Ready`](crate::StreamEvent::Ready)), as where a subscription is answered.
    /// Default false.
    pub awaits_ready: bool,
    /// What a message that cannot be read leads to.
    pub bad_messages: BadMessages,
    /// How long to wait after failures. Default: exponential, from 1,000 to 30,000.
    pub backoff: Backoff,
    /// After how long without a failure the next one counts as the first again. Default 10,000.
    pub healthy_after_ms: u64,
    /// A stream of which nothing was heard for so long counts as broken; `None` never. Default
    /// `None`: a stream without heartbeats or bookmarks may well be silent.
    pub idle_after_ms: Option<u64>,
    /// A list call that was not answered for so long counts as failed, and a stream that is to begin
    /// with all there is and has not come to its end counts as refused. Default 60,000.
    pub list_timeout_ms: u64,
    /// How long after the beginning of a list the next one begins at the earliest. Default 1,000.
    pub list_interval_ms: u64,
    /// How many events may wait to be applied. A reader that is slower is given a list instead.
    /// Default 10,000.
    pub max_waiting: usize,
}

impl Default for WatchConfig {
    fn default() -> Self {
        Self {
            resume: Resume::default(),
            initial: Initial::default(),
            limit: Some(500),
            first_list_may_be_old: false,
            bookmarks: true,
            awaits_ready: false,
            bad_messages: BadMessages::default(),
            backoff: Backoff::Exponential {
                base_ms: 1_000,
                cap_ms: 30_000,
            },
            healthy_after_ms: 10_000,
            idle_after_ms: None,
            list_timeout_ms: 60_000,
            list_interval_ms: 1_000,
            max_waiting: 10_000,
        }
    }
}

impl WatchConfig {
    /// For the API of Kubernetes: the default.
    pub fn kubernetes() -> Self {
        Self::default()
    }

    /// For a WebSocket, or server-sent events, of which a new stream tells only what is new: whole
    /// lists, and no versions to go on from.
    pub fn feed() -> Self {
        Self {
            resume: Resume::Nowhere,
            limit: None,
            bookmarks: false,
            ..Self::default()
        }
    }
}
