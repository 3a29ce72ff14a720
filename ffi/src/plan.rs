//! The stages of an operation, declared once for each kind.

use std::collections::HashMap;

use serde::Serialize;

/// How an operation of one kind goes on, from stage to stage, and when it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct ProgressPlan {
    /// The stages, in order. An operation begins in the first.
    pub stages: Vec<Stage>,
    /// What the server's copies say; the first rule that has their value counts.
    #[uniffi(default = [])]
    pub rules: Vec<ProgressRule>,
    /// After how many milliseconds without news it is marked as stalled; none for never.
    #[uniffi(default = None)]
    pub stalled_after_ms: Option<u64>,
}

/// One stage of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct Stage {
    /// Its name, as metadata has it.
    pub name: String,
    /// Its share of the whole, beside those of the other stages; 0 for one that ends.
    #[uniffi(default = 1)]
    pub weight: u32,
    /// How long it takes, in milliseconds; none when nobody knows.
    #[uniffi(default = None)]
    pub expected_ms: Option<u64>,
    /// What to tell the user when it begins.
    #[uniffi(default = None)]
    pub message: Option<String>,
    /// What it ends.
    #[uniffi(default = None)]
    pub end: Option<StageEnd>,
}

/// How a stage ends its operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, uniffi::Enum)]
#[serde(rename_all = "snake_case")]
pub enum StageEnd {
    /// It is complete.
    Complete,
    /// It has failed; the error is the text that the server's copy has there, or else the stage's
    /// message.
    Fail {
        /// A JSON pointer.
        error_at: Option<String>,
    },
}

/// Which stage a value in the server's copy means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, uniffi::Record)]
pub struct ProgressRule {
    /// Where the value stands: a JSON pointer.
    pub at: String,
    /// The stage by the value. Other values say nothing.
    pub stages: HashMap<String, String>,
}
