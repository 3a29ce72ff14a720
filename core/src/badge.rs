//! The document's two components, a status badge and a progress bar, as plain data.

use serde::{Deserialize, Serialize};

use crate::ids::Timestamp;
use crate::metadata::Status;
use crate::resource::Resource;
use crate::state::State;
use crate::view::Item;

/// How a badge is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// As usual.
    Default,
    /// Less prominent.
    Secondary,
    /// A deletion, or a failure.
    Destructive,
}

/// A badge's icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Icon {
    /// Something goes on.
    Spinner,
    /// It is done.
    Check,
    /// It failed.
    Cross,
}

/// The words of badges, in the user's language. The defaults are the document's.
///
/// ```
/// use resourcecache::Labels;
/// let german = Labels { deleting: "Wird gelöscht …".into(), ..Labels::default() };
/// assert_eq!(german.creating, "Creating...");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Labels {
    /// Being deleted.
    pub deleting: String,
    /// Being created.
    pub creating: String,
    /// Being updated.
    pub updating: String,
    /// Something else goes on, and says nothing of itself.
    pub processing: String,
    /// The next attempt is to come, and nothing says more.
    pub retrying: String,
    /// Completed, without a message.
    pub processed: String,
    /// Failed, without an error's text.
    pub failed: String,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            deleting: "Deleting...".into(),
            creating: "Creating...".into(),
            updating: "Saving...".into(),
            processing: "Processing...".into(),
            retrying: "Retrying...".into(),
            processed: "Done".into(),
            failed: "Failed".into(),
        }
    }
}

/// What a row's status badge shows.
///
/// ```
/// use resourcecache::{Badge, Config, Icon, JsonCache, Labels, Timestamp, Variant, json::Schema};
/// let mut cache = JsonCache::new(Config::default());
/// cache.merge(Schema::default().snapshot(br#"[{"id":"a"}]"#)?, Timestamp(0))?;
/// cache.mark_as_deleting("a", None, Timestamp(0))?;
/// let badge = Badge::of(&cache.get_one("a").unwrap(), &Labels::default()).unwrap();
/// assert_eq!(badge.label, "Deleting...");
/// assert_eq!((badge.variant, badge.icon, badge.animate), (Variant::Destructive, Icon::Spinner, true));
/// # Ok::<(), resourcecache::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// How many attempts failed, and how many there are to be; when both are known.
    pub retry: Option<(u32, u32)>,
}

impl Badge {
    /// The badge of a row; `None` when nothing goes on that a user need know of.
    pub fn of<R: Resource>(item: &Item<'_, R>, labels: &Labels) -> Option<Self> {
        let meta = item.meta()?;
        let message = |fallback: &str| meta.message.clone().unwrap_or_else(|| fallback.into());
        let (label, variant, icon) = match (item.state(), meta.status) {
            (State::Failed(_), _) => {
                let error = meta.error.clone().unwrap_or_else(|| labels.failed.clone());
                (error, Variant::Destructive, Icon::Cross)
            }
            _ if item.lingers() => (message(&labels.processed), Variant::Default, Icon::Check),
            (_, None) => return None,
            (_, Some(Status::Deleting)) => {
                (labels.deleting.clone(), Variant::Destructive, Icon::Spinner)
            }
            (_, Some(Status::Creating)) => {
                (labels.creating.clone(), Variant::Default, Icon::Spinner)
            }
            (_, Some(Status::Updating)) => {
                (labels.updating.clone(), Variant::Secondary, Icon::Spinner)
            }
            (_, Some(Status::Processing)) => {
                (message(&labels.processing), Variant::Default, Icon::Spinner)
            }
            (_, Some(Status::Retrying)) => {
                (message(&labels.retrying), Variant::Secondary, Icon::Spinner)
            }
        };
        Some(Self {
            label,
            variant,
            icon,
            animate: icon == Icon::Spinner,
            progress: meta.progress,
            retry: meta.retry_count.filter(|n| *n > 0).zip(meta.max_retries),
        })
    }
}

/// What a row's progress bar shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The message, or else the status.
    pub label: String,
    /// 0 to 100.
    pub percent: f64,
    /// When it will be done, if its stages take as long as they are said to; `None` when nobody
    /// knows.
    pub expected_at: Option<Timestamp>,
    /// Whether nothing was heard of it for as long as its plan says.
    pub stalled: bool,
}

impl Progress {
    /// The progress bar of a row; `None` when no progress was reported. 0 is progress.
    pub fn of<R: Resource>(item: &Item<'_, R>) -> Option<Self> {
        let meta = item.meta()?;
        let word = || {
            meta.status
                .map_or(item.state().name(), Status::name)
                .to_string()
        };
        Some(Self {
            percent: meta.progress?,
            label: meta.message.clone().unwrap_or_else(word),
            expected_at: meta.expected_at,
            stalled: meta.stalled == Some(true),
        })
    }

    /// How many milliseconds are left; 0 when it takes longer than expected, `None` when nobody
    /// knows.
    pub fn left_ms(&self, now: Timestamp) -> Option<u64> {
        self.expected_at.map(|at| at.ms_since(now))
    }
}
