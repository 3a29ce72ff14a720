//! The settings of a collection. What is not set is the core's default, so that no default stands
//! here a second time.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::error::CacheError;
use crate::names::{BadItems, Kind, NewItems, OnFailure, VersionOrder};
use crate::plan::ProgressPlan;

/// The settings of one collection. What is left out is as said. Durations are in milliseconds.
#[derive(Clone, Debug, PartialEq, Default, Serialize, uniffi::Record)]
pub struct Config {
    /// How long an operation guards what the user asked for, at least. Default 60,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// After how long an operation that is not heard of is given up. Default 300,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_after_ms: Option<u64>,
    /// How long a completion lingers before it makes way. Default 2,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_shown_ms: Option<u64>,
    /// How long an error is shown. Default 5,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_shown_ms: Option<u64>,
    /// The wait before the next attempt, times the number of failed ones, where the caller gives
    /// none. Default 1,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_backoff_ms: Option<u64>,
    /// What the outbox does about attempts that fail.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// How many attempts the outbox has under way at most. Default 6.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_under_way: Option<u64>,
    /// How operations of each kind go on, from stage to stage. Default: nothing is declared.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<HashMap<Kind, ProgressPlan>>,
    /// How much of what the user did is kept, to be undone.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryLimits>,
    /// How versions compare. Default opaque.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_order: Option<VersionOrder>,
    /// Where resources stand that the server does not list yet. Default at the end.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_items: Option<NewItems>,
    /// What a final failure leaves on screen. Default the server's values.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
    /// What items without id lead to. Default a refusal.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bad_items: Option<BadItems>,
    /// How many changes of rows `changes_since` remembers at most. Default 100,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_log: Option<u64>,
    /// How many outcomes are remembered. Default 1,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_log: Option<u64>,
    /// Keys the hashing of ids, the outbox's waits and its idempotency keys. Default a random one,
    /// which is right but for tests.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// What the outbox does about attempts that fail. Durations are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, uniffi::Record)]
pub struct RetryPolicy {
    /// The wait before the next attempt, where the server named none. Default: 1,000 ms times the
    /// number of failed attempts.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// After so many attempts it gives up; 0 for never. Default 3.
    #[uniffi(default = None)]
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "zero_is_none"
    )]
    pub max_attempts: Option<u32>,
    /// When the next attempt would start later than this after the first one, or after coming online
    /// since, it gives up. Default never.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_ms: Option<u64>,
    /// After how long an attempt that was not answered, nor reported progress, counts as lost.
    /// Default 30,000.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt_timeout_ms: Option<u64>,
    /// The HTTP statuses after which another attempt is of use. Default 408, 425, 429, 500, 502,
    /// 503, 504.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable: Option<Vec<u16>>,
}

pub(crate) fn zero_is_none<S: Serializer>(
    value: &Option<u32>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.filter(|n| *n > 0).serialize(serializer)
}

/// How long to wait before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// `step_ms` times the number of failed attempts.
    Linear {
        /// Milliseconds.
        step_ms: u64,
    },
    /// Any time up to a limit that doubles with each failed attempt.
    Exponential {
        /// The first limit, in milliseconds.
        base_ms: u64,
        /// The last, in milliseconds.
        cap_ms: u64,
    },
}

/// How much of what the user did is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, uniffi::Record)]
pub struct HistoryLimits {
    /// How many steps at most. Default 100.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// How many bytes of bodies and values at most. Default 1,048,576.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Where a server's answers keep their list, and its resources their id and the rest: JSON pointers
/// (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize, uniffi::Record)]
pub struct Schema {
    /// A resource's id: a string, or an integer. Default `/id`.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// An identity that is never given out twice.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// A resource's version.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// A token that the client chose and the server echoes.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The list within a list call's answer; the whole answer by default.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// The list's own version within the answer.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_version: Option<String>,
    /// Where the next chunk begins, within the answer of a list call that may come in chunks.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
}

impl Config {
    /// The core's.
    pub(crate) fn read(&self) -> Result<resourcecache::Config, CacheError> {
        let config: resourcecache::Config = by_json(self, "config")?;
        for plan in config.progress.values() {
            plan.check()?;
        }
        Ok(config)
    }
}

impl Schema {
    /// The core's.
    pub(crate) fn read(&self) -> Result<resourcecache::json::Schema, CacheError> {
        by_json(self, "schema")
    }
}

/// The core's form of a value that has the same fields by the same names.
pub(crate) fn by_json<T: serde::de::DeserializeOwned>(
    value: &impl Serialize,
    what: &str,
) -> Result<T, CacheError> {
    let value = serde_json::to_value(value).map_err(|e| CacheError::bad_input(what, e))?;
    serde_json::from_value(value).map_err(|e| CacheError::bad_input(what, e))
}
