//! When the outbox tries again, and when it gives up.

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::event::Retry;
use crate::ids::OperationId;

/// How long to wait before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backoff {
    /// `step_ms` times the number of failed attempts.
    Linear {
        /// Milliseconds.
        step_ms: u64,
    },
    /// Any time up to a limit that doubles with each failed attempt ("full jitter", Marc Brooker:
    /// Exponential Backoff And Jitter, AWS Architecture Blog, 2015): clients that failed together
    /// do not come back together.
    Exponential {
        /// The first limit, in milliseconds.
        base_ms: u64,
        /// The last, in milliseconds.
        cap_ms: u64,
    },
}

impl Backoff {
    /// Milliseconds to wait after so many failed attempts. `draw` is as good as random.
    ///
    /// ```
    /// use resourcecache::Backoff;
    /// assert_eq!(Backoff::Linear { step_ms: 1_000 }.wait_ms(2, 0), 2_000);
    /// let backoff = Backoff::Exponential { base_ms: 100, cap_ms: 1_000 };
    /// assert_eq!(backoff.wait_ms(1, 100), 100);
    /// assert_eq!(backoff.wait_ms(20, u64::MAX), u64::MAX % 1_001);
    /// ```
    pub fn wait_ms(self, failed: u32, draw: u64) -> u64 {
        match self {
            Self::Linear { step_ms } => step_ms.saturating_mul(failed.into()),
            Self::Exponential { base_ms, cap_ms } => {
                let doubled = 1_u64
                    .checked_shl(failed.saturating_sub(1))
                    .unwrap_or(u64::MAX);
                let limit = base_ms.saturating_mul(doubled).min(cap_ms);
                draw.checked_rem(limit.saturating_add(1)).unwrap_or(0)
            }
        }
    }
}

/// What the outbox does about attempts that fail. Durations are in milliseconds.
///
/// What giving up leaves on screen is [`Config::on_failure`](crate::Config::on_failure).
///
/// ```
/// use resourcecache::{Backoff, Config};
/// let mut config = Config::default();
/// config.retry.backoff = Backoff::Exponential { base_ms: 500, cap_ms: 60_000 };
/// config.retry.max_attempts = Some(10);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The wait before the next attempt, where the server named none. Default: 1,000 ms times the
    /// number of failed attempts.
    pub backoff: Backoff,
    /// After so many attempts it gives up; `None` never. Default 3.
    pub max_attempts: Option<u32>,
    /// When the next attempt would start later than this after the first one (or after coming
    /// online since), it gives up; `None` never. Default `None`.
    pub max_age_ms: Option<u64>,
    /// After how long an attempt that was not answered, nor reported progress, counts as lost.
    /// Default 30,000.
    pub attempt_timeout_ms: u64,
    /// The HTTP statuses after which another attempt is of use. Default 408, 425, 429, 500, 502,
    /// 503, 504.
    pub retryable: Vec<u16>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            backoff: Backoff::Linear { step_ms: 1_000 },
            max_attempts: Some(3),
            max_age_ms: None,
            attempt_timeout_ms: 30_000,
            retryable: vec![408, 425, 429, 500, 502, 503, 504],
        }
    }
}

impl RetryPolicy {
    /// A status as what it means.
    pub(crate) fn judge(&self, retry: Retry) -> Retry {
        match retry {
            Retry::ByStatus { status, .. } if !self.retryable.contains(&status) => Retry::No,
            Retry::ByStatus { after_ms, .. } => after_ms.map_or(Retry::Backoff, Retry::After),
            other => other,
        }
    }
}

/// A number that is as good as random, the same for the same arguments.
pub(crate) fn draw(seed: u64, operation: OperationId, what: u64) -> u64 {
    let mut text = [0; 16];
    let (left, right) = text.split_at_mut(8);
    left.copy_from_slice(&operation.0.to_le_bytes());
    right.copy_from_slice(&what.to_le_bytes());
    SipHasher13::new_with_keys(seed, 0x6f75_7462_6f78).hash(&text)
}
