//! Why a list call or a stream came to nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a list call failed, or a stream broke.
///
/// ```
/// use resourcecache::WatchFailure;
/// assert!(WatchFailure::status(410, "too old resource version").is_expired());
/// assert!(WatchFailure::status(422, "sendInitialEvents is forbidden").is_refused());
/// assert!(!WatchFailure::network("connection reset").is_refused());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFailure {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// The server's word for it, such as Kubernetes' `Expired`.
    pub reason: Option<String>,
    /// What to tell the user.
    pub message: String,
    /// How long the server asks to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl WatchFailure {
    /// There was no answer, or it broke off.
    pub fn network(message: impl Into<String>) -> Self {
        Self {
            status: None,
            reason: None,
            message: message.into(),
            retry_after_ms: None,
        }
    }

    /// The server answered with an HTTP status.
    pub fn status(status: u16, message: impl Into<String>) -> Self {
        Self {
            status: Some(status),
            ..Self::network(message)
        }
    }

    /// The same, with the server's word for it.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same, with the milliseconds that the server asks to wait.
    #[must_use]
    pub fn with_retry_after(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// What was asked for is no longer known: HTTP 410, or the reason `Expired` or `Gone`.
    pub fn is_expired(&self) -> bool {
        let reason = self.reason.as_deref();
        self.status == Some(410) || matches!(reason, Some("Expired" | "Gone"))
    }

    /// The version that was asked for lies ahead of the server's: another replica, or a backup that
    /// was restored. Kubernetes says so with HTTP 504 and this text, for want of a code.
    pub fn is_ahead(&self) -> bool {
        let told = |text: &str| {
            let text = text.to_ascii_lowercase();
            text.contains("too large resource version") || text == "resourceversiontoolarge"
        };
        told(&self.message) || self.reason.as_deref().is_some_and(told)
    }

    /// The same call again will not do: a status of the client's own doing (4xx) that neither
    /// credentials nor patience mend.
    pub fn is_refused(&self) -> bool {
        let mended = matches!(self.status, Some(401 | 403 | 407 | 408 | 410 | 425 | 429));
        matches!(self.status, Some(400..=499 | 501)) && !mended
    }
}

impl fmt::Display for WatchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            write!(f, "HTTP {status}: ")?;
        }
        if let Some(reason) = &self.reason {
            write!(f, "{reason}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for WatchFailure {}
