//! `resourcecache` for other languages, by [uniffi](https://mozilla.github.io/uniffi-rs/): the JSON
//! collection behind one lock, with a clock.
//!
//! [`JsonCache`] has every verb and every question of the core. Bodies come in as bytes, which are
//! not copied; what is large goes out as one text, which the other language takes apart when it is
//! looked at (see [`Applied::text`]). Nothing here decides anything: see the core's model.
//!
//! What a user of a language sees is a thin layer over the generated code, written for that language.

mod applied;
mod badge;
mod build_of;
mod cache;
mod clock;
mod error;
mod host_store;
mod journal;
mod kept;
mod keys;
mod names;
mod observer;
mod outbox;
mod plan;
mod settings;
mod sharing;
mod steps;
mod store;
mod verb_text;
mod verbs;
mod view;
mod watch_call;
mod watch_session;
mod watch_settings;

pub use applied::Applied;
pub use badge::{Badge, Labels, ProgressBar, RetryCount};
pub use build_of::{GeneratedBuild, library_build};
pub use cache::JsonCache;
pub use clock::ManualClock;
pub use error::{CacheError, HostError, Refusal};
pub use host_store::{HostStore, StoredCollection, StoredPart};
pub use keys::{cache_key, lifecycle_diagram};
pub use names::{BadItems, Icon, Kind, NewItems, OnFailure, Status, Variant, VersionOrder};
pub use observer::ChangeObserver;
pub use outbox::{Attempt, PolledAttempt, Request, Retry};
pub use plan::{ProgressPlan, ProgressRule, Stage, StageEnd};
pub use settings::{Backoff, Config, HistoryLimits, RetryPolicy, Schema};
pub use sharing::CommitWatch;
pub use steps::{Begin, Step};
pub use store::Store;
pub use verbs::{Coverage, FetchStarted, FetchToken, NamedOperation};
pub use view::OperationInfo;
pub use watch_call::{QueryParameter, WatchAction, WatchFailure};
pub use watch_session::WatchSession;
pub use watch_settings::{
    BadMessages, Feed, FeedWords, Initial, Resume, WatchPosition, WatchSettings, WatchState,
    kubernetes_schema,
};

uniffi::setup_scaffolding!("resourcecache");
