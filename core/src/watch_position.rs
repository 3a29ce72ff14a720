//! Where a watch stands, to be kept over a restart.

use serde::{Deserialize, Serialize};

/// Where a watch stands: saved beside the collection's state, it lets the next session go on without
/// a list.
///
/// ```
/// use resourcecache::WatchPosition;
/// let position: WatchPosition = serde_json::from_str(r#"{"version":"41"}"#)?;
/// assert_eq!(position.version.as_deref(), Some("41"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchPosition {
    /// The last version of which all is applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The same by the server's count of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}
