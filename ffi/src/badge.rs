//! The status badge and the progress bar of a row.

use serde::Serialize;

use crate::cache::JsonCache;
use crate::error::CacheError;
use crate::names::{Icon, Variant};
use crate::settings::by_json;

/// What a row's status badge shows.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Badge {
    /// The text.
    pub label: String,
    /// The colour.
    pub variant: Variant,
    /// The icon.
    pub icon: Icon,
    /// Whether the icon spins.
    pub animate: bool,
    /// How far it is, 0 to 100; 0 is shown.
    pub progress: Option<f64>,
    /// Failed attempts; when their number and the limit are known.
    pub retry: Option<RetryCount>,
}

/// How many attempts failed, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RetryCount {
    /// How many failed.
    pub failed: u32,
    /// How many there are to be.
    pub limit: u32,
}

/// What a row's progress bar shows.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ProgressBar {
    /// The message, or else the status.
    pub label: String,
    /// 0 to 100.
    pub percent: f64,
    /// When it will be done, if its stages take as long as they are said to, in milliseconds after
    /// 1970-01-01T00:00:00Z; none when nobody knows.
    pub expected_at_ms: Option<i64>,
    /// Whether nothing was heard of it for as long as its plan says.
    pub stalled: bool,
}

/// The words of badges, in the user's language. What is left out stays English.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, uniffi::Record)]
pub struct Labels {
    /// Being deleted.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleting: Option<String>,
    /// Being created.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creating: Option<String>,
    /// Being updated.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updating: Option<String>,
    /// Something else goes on, and says nothing of itself.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing: Option<String>,
    /// The next attempt is to come, and nothing says more.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrying: Option<String>,
    /// Completed, without a message.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed: Option<String>,
    /// Failed, without an error's text.
    #[uniffi(default = None)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

#[uniffi::export]
impl JsonCache {
    /// The words of all badges from now on.
    pub fn set_labels(&self, labels: Labels) -> Result<(), CacheError> {
        let labels = by_json(&labels, "labels")?;
        self.change(|inner, _| {
            inner.labels = labels;
            Ok(())
        })
    }

    /// The badge of a resource; none when nothing goes on that a user need know of, or there is no
    /// such resource.
    pub fn badge(&self, id: String) -> Result<Option<Badge>, CacheError> {
        self.read(|inner| {
            let item = inner.cache.get_one(&id)?;
            let badge = resourcecache::Badge::of(&item, &inner.labels)?;
            Some(Badge {
                label: badge.label,
                variant: badge.variant.into(),
                icon: badge.icon.into(),
                animate: badge.animate,
                progress: badge.progress,
                retry: badge
                    .retry
                    .map(|(failed, limit)| RetryCount { failed, limit }),
            })
        })
    }

    /// The progress bar of a resource; none when no progress was reported, or there is no such
    /// resource. 0 is progress.
    pub fn progress(&self, id: String) -> Result<Option<ProgressBar>, CacheError> {
        self.read(|inner| {
            let item = inner.cache.get_one(&id)?;
            let progress = resourcecache::Progress::of(&item)?;
            Some(ProgressBar {
                label: progress.label,
                percent: progress.percent,
                expected_at_ms: progress.expected_at.map(|at| at.0),
                stalled: progress.stalled,
            })
        })
    }
}
