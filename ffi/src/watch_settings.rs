//! How a watch session behaves, and how it reads what a stream tells.

use serde::Serialize;

use crate::error::CacheError;
use crate::settings::{Backoff, Schema, by_json};

/// From where a stream that broke goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Resume {
    /// From the last version that was told, as Kubernetes and etcd do.
    Version,
    /// From the last sequence number. The stream comes first, and the list while it runs.
    Sequence,
    /// From nowhere: each new stream needs another list, while it runs.
    Nowhere,
}

/// How the session learns of all that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Initial {
    /// By a list call.
    List,
    /// By the stream, which begins with all there is. A server that refuses is asked for a list.
    Stream,
}

/// What a message that cannot be read leads to. It is told in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum BadMessages {
    /// A list: what the message was to tell may matter.
    Relist,
    /// It is passed over.
    Skip,
}

/// The settings of a watch session. What is left out is as said. Durations are in milliseconds.
#[derive(Clone, Debug, PartialEq, Default, Serialize, uniffi::Record)]
pub struct WatchSettings {
    /// How the messages of a feed are read: a WebSocket's, or server-sent events. Default: they are
    /// those of Kubernetes.
    #[uniffi(default = None)]
    #[serde(skip)]
    pub feed: Option<Feed>,
    /// From where a stream goes on. Default: the last version; for a feed nowhere.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// How the session learns of all that is there. Default: by a list.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial: Option<Initial>,
    /// How many items one list call asks for; 0 all. Default 500; for a feed all.
    #[uniffi(default = None)]
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "crate::settings::zero_is_none"
    )]
    pub limit: Option<u32>,
    /// Whether the first list may be an old one, for which Kubernetes asks no quorum. Default false.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_list_may_be_old: Option<bool>,
    /// Whether bookmarks are asked for. Default true; for a feed false.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookmarks: Option<bool>,
    /// Whether a stream counts as open only when it says that it is ready. Default false.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaits_ready: Option<bool>,
    /// What a message that cannot be read leads to. Default a list.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_messages: Option<BadMessages>,
    /// How long to wait after failures. Default: exponential, from 1,000 to 30,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// After how long without a failure the next one counts as the first again. Default 10,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthy_after_ms: Option<u64>,
    /// A stream of which nothing was heard for so long counts as broken. Default never.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_after_ms: Option<u64>,
    /// A list call that was not answered for so long counts as failed. Default 60,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_timeout_ms: Option<u64>,
    /// How long after the beginning of a list the next one begins at the earliest. Default 1,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_interval_ms: Option<u64>,
    /// How many events may wait to be applied; a list comes instead of more. Default 10,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_waiting: Option<u64>,
    /// Keys the waits. Default a random one, which is right but for tests.
    #[uniffi(default = None)]
    #[serde(skip)]
    pub seed: Option<u64>,
}

impl WatchSettings {
    /// The core's: those that are set, over the defaults of the kind of stream.
    pub(crate) fn read(&self) -> Result<resourcecache::WatchConfig, CacheError> {
        let bad = |error| CacheError::bad_input("watch settings", error);
        let base = match self.feed {
            Some(_) => resourcecache::WatchConfig::feed(),
            None => resourcecache::WatchConfig::kubernetes(),
        };
        let mut all = serde_json::to_value(base).map_err(bad)?;
        let set = serde_json::to_value(self).map_err(bad)?;
        if let (Some(all), serde_json::Value::Object(set)) = (all.as_object_mut(), set) {
            all.extend(set);
        }
        serde_json::from_value(all).map_err(bad)
    }
}

/// Where a feed's messages keep what they tell, by JSON pointers (RFC 6901), and which words they use.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, uniffi::Record)]
pub struct Feed {
    /// The array of events within a message that may have several. The pointers down to `error` lead
    /// on from each of them; without it, from the message.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<String>,
    /// The word that says what an event tells. Without it, every event tells a resource as it is now.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub word: Option<String>,
    /// The resource; an array of them in a snapshot. The whole event by default.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The id of the resource, for events that do not tell its body. By default, where the schema has
    /// it within the resource.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The version at which it went, for deletions that do not tell the body.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_version: Option<String>,
    /// The idempotency key, or the client's token, of an operation that has failed. By default, the
    /// newest operation on the resource is meant.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Why it has failed.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The version from which the stream goes on behind the message.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The message's number, one more than that of the message before.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// What the words mean.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<FeedWords>,
}

impl Feed {
    /// The core's.
    pub(crate) fn read(&self) -> Result<resourcecache::json::Feed, CacheError> {
        by_json(self, "feed")
    }
}

/// What the words of a feed mean. A word that stands nowhere is an error, unless `ignored` has `*`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, uniffi::Record)]
pub struct FeedWords {
    /// A resource came into being. Default `added`, `created`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<Vec<String>>,
    /// A resource changed, or is as told. Default `modified`, `updated`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<Vec<String>>,
    /// A resource is gone. Default `deleted`, `removed`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Vec<String>>,
    /// Everything else is as it was. Default `bookmark`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bookmark: Option<Vec<String>>,
    /// The stream cannot go on: list again. Default `expired`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<Vec<String>>,
    /// All there is. Default `snapshot`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Vec<String>>,
    /// All there is was told. Default none.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_end: Option<Vec<String>>,
    /// Something changed, and the message does not tell what. Default none.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touched: Option<Vec<String>>,
    /// The subscription holds. Default none.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<Vec<String>>,
    /// An operation has failed. Default `failed`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<Vec<String>>,
    /// Passed over. `*` is every other word. Default `heartbeat`, `ping`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Vec<String>>,
}

/// Where a watch stands: saved beside the collection's state, it lets the next session go on without
/// a list.
#[derive(Clone, Debug, PartialEq, Eq, Default, uniffi::Record)]
pub struct WatchPosition {
    /// The last version of which all is applied.
    #[uniffi(default = None)]
    pub version: Option<String>,
    /// The same by the server's count of messages.
    #[uniffi(default = None)]
    pub sequence: Option<u64>,
}

impl From<WatchPosition> for resourcecache::WatchPosition {
    fn from(WatchPosition { version, sequence }: WatchPosition) -> Self {
        Self { version, sequence }
    }
}

/// What a watch session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum WatchState {
    /// It learns all that is there.
    Listing,
    /// A stream tells what changes, or is being opened.
    Watching,
    /// It waits after a failure.
    BackingOff,
    /// There is no network.
    Offline,
}

impl From<resourcecache::WatchState> for WatchState {
    fn from(state: resourcecache::WatchState) -> Self {
        match state {
            resourcecache::WatchState::Listing => Self::Listing,
            resourcecache::WatchState::Watching => Self::Watching,
            resourcecache::WatchState::BackingOff => Self::BackingOff,
            resourcecache::WatchState::Offline => Self::Offline,
        }
    }
}

/// Where Kubernetes keeps things, in resources of one namespace, or of none. Its versions are
/// integers: set the config's version order so.
#[uniffi::export]
pub fn kubernetes_schema() -> Result<Schema, CacheError> {
    by_json(&resourcecache::json::Schema::kubernetes(), "schema")
}
