//! The settings of one collection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::HistoryLimits;
use crate::progress_plan::ProgressPlan;
use crate::retry_policy::RetryPolicy;
use crate::state::Kind;

/// How the server's versions compare. Nothing is assumed about an opaque one but equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionOrder {
    /// Equal or not, such as an HTTP `ETag`.
    #[default]
    Opaque,
    /// Decimal integers of any length, such as Kubernetes' `resourceVersion` or etcd's revisions.
    Integer,
    /// RFC 3339 times.
    Timestamp,
}

/// Where resources stand that the server does not list yet (V3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewItems {
    /// Before the list, the newest first.
    Start,
    /// After the list, the newest last.
    #[default]
    End,
}

/// What a final failure leaves on screen (V5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The server's values at once, with the error for a while.
    #[default]
    Revert,
    /// The user's values, marked failed, until the user retries or drops them.
    Keep,
}

/// What a snapshot with items that have no id leads to (S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadItems {
    /// The snapshot is refused whole.
    #[default]
    Reject,
    /// They are skipped with a warning each, unless every item is bad.
    Skip,
}

/// The settings of one collection. Durations are in milliseconds.
///
/// ```
/// use resourcecache::Config;
/// let mut config = Config::default();
/// config.ttl_ms = 30_000;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Config {
    /// How long an operation guards what the user asked for, at least (G1). Default 60,000.
    pub ttl_ms: u64,
    /// After how long an operation that is not heard of is given up (K1). Default 300,000.
    pub stale_after_ms: u64,
    /// How long a completion lingers before it makes way. Default 2,000.
    pub completed_shown_ms: u64,
    /// How long an error is shown. Default 5,000.
    pub error_shown_ms: u64,
    /// The wait before the next attempt, times the number of failed ones, where the caller gives
    /// none. Default 1,000.
    pub retry_backoff_ms: u64,
    /// What the outbox does about attempts that fail.
    pub retry: RetryPolicy,
    /// How many attempts the outbox has under way at most. Default 6, as browsers have connections
    /// to one host.
    pub max_under_way: usize,
    /// How operations of each kind go on, from stage to stage. Default: nothing is declared.
    pub progress: BTreeMap<Kind, ProgressPlan>,
    /// How much of what the user did is kept, to be undone.
    pub history: HistoryLimits,
    /// How versions compare.
    pub version_order: VersionOrder,
    /// Where resources stand that the server does not list yet.
    pub new_items: NewItems,
    /// What a final failure leaves on screen.
    pub on_failure: OnFailure,
    /// What items without id lead to.
    pub bad_items: BadItems,
    /// How many changes of rows `changes_since` remembers at most. Default 100,000. It never
    /// remembers more than a quarter of the list (but 1,024 always): to take the whole view is
    /// then less work.
    pub change_log: usize,
    /// How many outcomes are remembered. Default 1,000.
    pub outcome_log: usize,
    /// Keys the hashing of ids. A random one, chosen by whoever owns the process, keeps a hostile
    /// server from choosing ids that collide. The outbox draws its waits and its idempotency keys
    /// from it: two clients with the same seed would have the same keys. Default 0.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ttl_ms: 60_000,
            stale_after_ms: 300_000,
            completed_shown_ms: 2_000,
            error_shown_ms: 5_000,
            retry_backoff_ms: 1_000,
            retry: RetryPolicy::default(),
            max_under_way: 6,
            progress: BTreeMap::new(),
            history: HistoryLimits::default(),
            version_order: VersionOrder::default(),
            new_items: NewItems::default(),
            on_failure: OnFailure::default(),
            bad_items: BadItems::default(),
            change_log: 100_000,
            outcome_log: 1_000,
            seed: 0,
        }
    }
}
