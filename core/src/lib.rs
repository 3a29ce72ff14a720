//! Keeps a list right while the server catches up.
//!
//! A client lists resources from a server that accepts a change at once and shows it seconds or
//! minutes later. [`ResourceCache`] keeps the server's last known word and the user's pending
//! operations, and computes what to show, so that a deleted row does not come back, a new one does
//! not vanish and an edit does not jump back; and so that a failure is told.
//!
//! The core is *sans-IO*: no clock, no thread, no socket, no file, no randomness. The caller passes
//! `now`; the cache answers with what changed and when it next wants to be woken.

#![forbid(unsafe_code)]

mod absence;
mod answers;
mod badge;
mod begin;
mod cache;
mod catch_up;
mod changes;
mod config;
mod conflict;
mod deadline;
mod decide_creation;
mod decide_update;
mod delta;
mod diagram;
mod dispatch;
mod dropped;
mod error;
mod event;
mod explain;
mod fail;
mod history;
mod ids;
mod import_v1;
pub mod json;
mod lifecycle;
mod loader;
mod log;
mod merge;
mod merge_policy;
mod metadata;
mod observe;
mod operation;
mod order;
mod outbox;
mod outgoing;
mod patch_metadata;
mod plan;
mod progress;
mod progress_plan;
mod ranks;
mod record;
mod recording;
mod reorder;
mod resource;
mod resource_config;
mod retry_policy;
mod row;
mod rows;
mod saved;
mod snapshot;
mod source;
mod state;
mod stored;
mod take_back;
mod tell;
mod tracking;
mod undo;
mod undo_labels;
mod verbs;
mod view;
mod watch;
mod watch_action;
mod watch_config;
mod watch_failure;
mod watch_initial;
mod watch_lists;
mod watch_message;
mod watch_pace;
mod watch_position;
mod watch_session;
mod watch_streams;
mod watch_time;

pub use badge::{Badge, Icon, Labels, Progress, Variant};
pub use cache::ResourceCache;
pub use changes::{Applied, Changes, Outcome, Removed, Settlement, Upsert, Warning};
pub use config::{BadItems, Config, NewItems, OnFailure, VersionOrder};
pub use conflict::{Conflict, ConflictReason};
pub use deadline::{Deadline, Reason};
pub use delta::Delta;
pub use diagram::lifecycle_mermaid;
pub use error::{Error, ErrorKind, Missing};
pub use event::{BadItem, Coverage, Event, Named, Retry, Snapshot, WatchEvent};
pub use explain::{Explanation, Next};
pub use history::HistoryLimits;
pub use ids::{FetchToken, OperationId, ResourceId, Revision, RowKey, Timestamp};
pub use loader::Loader;
pub use merge_policy::{Governed, MergePolicy};
pub use metadata::{Change, Metadata, MetadataPatch, Status};
pub use outbox::{Attempt, Request};
pub use progress_plan::{ProgressPlan, ProgressRule, Stage, StageEnd};
pub use record::Record;
pub use resource::Resource;
pub use resource_config::{DNS_RECORDS, DNS_ZONES, DOMAINS, PROJECTS, ResourceConfig};
pub use retry_policy::{Backoff, RetryPolicy};
pub use saved::{Saved, SavedKey};
pub use state::{Edge, Kind, State, TransitionError, Trigger};
pub use stored::Stored;
pub use view::{Item, OperationInfo};
pub use watch_action::{CallId, ListCall, WatchAction, WatchCall};
pub use watch_config::{BadMessages, Initial, Resume, WatchConfig};
pub use watch_failure::WatchFailure;
pub use watch_message::{ListAnswer, StreamEvent, WatchMessage};
pub use watch_position::WatchPosition;
pub use watch_session::{WatchSession, WatchState};

/// A collection of JSON resources.
pub type JsonCache = ResourceCache<json::JsonResource>;

/// The examples of the README and the guides, run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/extending.md")]
    mod extending {}
    #[doc = include_str!("../../docs/outbox.md")]
    mod outbox {}
    #[doc = include_str!("../../docs/progress.md")]
    mod progress {}
    #[doc = include_str!("../../docs/undo.md")]
    mod undo {}
    #[doc = include_str!("../../docs/watching.md")]
    mod watching {}
}
