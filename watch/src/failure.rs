//! What can go wrong between us and a server.

use std::time::Duration;

use resourcecache::WatchFailure;

/// Why a call was not answered, or a stream ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A URL that is none, or of a scheme that the adapter does not speak.
    #[error("{url}: {problem}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// TLS cannot be set up: no roots, a bad certificate of our own.
    #[error("TLS: {0}")]
    Tls(String),
    /// The user's callback gave no headers.
    #[error("no headers for the connection: {0}")]
    Headers(String),
    /// The server cannot be reached, or the connection broke.
    #[error("{url}: {problem}")]
    Broken {
        /// Where.
        url: String,
        /// How.
        problem: String,
    },
    /// An answer of another HTTP status than 200.
    #[error("{url} answered HTTP {status}: {text}")]
    Status {
        /// Where.
        url: String,
        /// The status; 410 says that the version is too old.
        status: u16,
        /// How long to wait before the next call, as the server asked.
        retry_after: Option<Duration>,
        /// How the answer's body begins.
        text: String,
    },
    /// Nothing was heard for so long.
    #[error("{url}: nothing {what} for {after:?}")]
    TimedOut {
        /// Where.
        url: String,
        /// What did not come: `connected`, `answered`, `heard`.
        what: &'static str,
        /// The limit.
        after: Duration,
    },
    /// A message or an answer is longer than its limit.
    #[error("{url}: {what} is longer than {limit} bytes")]
    TooLarge {
        /// Where.
        url: String,
        /// `a message`, `an answer`.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The server sent what the protocol does not allow.
    #[error("{url}: {problem}")]
    Malformed {
        /// Where.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// The version from which to watch, or the page that goes on, is too old: list again.
    #[error("{url}: {problem}")]
    Expired {
        /// Where.
        url: String,
        /// What the server says.
        problem: String,
    },
    /// The session asks for something that the adapter was not told how to ask for.
    #[error("{url}: {problem}")]
    CannotAsk {
        /// Where.
        url: String,
        /// What cannot be asked for, and what to do.
        problem: String,
    },
    /// The WebSocket was closed by the server.
    #[error("{url}: closed with {code} {reason}")]
    Closed {
        /// Where.
        url: String,
        /// The code of the close frame; 1005 without one.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// The buffer was full for so long that a new list is cheaper than what waits in it.
    #[error("{url}: messages waited for {after:?} in a full buffer")]
    SlowReader {
        /// Where.
        url: String,
        /// The limit.
        after: Duration,
    },
}

impl Failure {
    /// What the session is told of it.
    ///
    /// A message that is too long or cannot be, and a buffer that was full for too long, count as
    /// expired: going on from the last version would bring the same again, a list does not.
    pub fn to_session(&self) -> WatchFailure {
        let message = self.to_string();
        match self {
            Self::Status {
                status,
                retry_after,
                text,
                ..
            } => {
                let mut failure = WatchFailure::kubernetes(*status, text.as_bytes());
                failure.message = message;
                let after = retry_after.and_then(|after| u64::try_from(after.as_millis()).ok());
                failure.retry_after_ms = after.or(failure.retry_after_ms);
                failure
            }
            Self::Expired { .. } => WatchFailure::status(410, message),
            Self::SlowReader { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => {
                WatchFailure::network(message).with_reason("Expired")
            }
            _ => WatchFailure::network(message),
        }
    }

    pub(crate) fn broken(url: &str, problem: &dyn std::error::Error) -> Self {
        Self::Broken {
            url: url.into(),
            problem: spelled_out(problem),
        }
    }

    pub(crate) fn malformed(url: &str, problem: impl Into<String>) -> Self {
        Self::Malformed {
            url: url.into(),
            problem: problem.into(),
        }
    }
}

/// An error and what caused it, in one line.
pub(crate) fn spelled_out(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
