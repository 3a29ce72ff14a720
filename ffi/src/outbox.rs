//! What is to be sent, and what came of it.

use resourcecache::Event;
use resourcecache::OperationId;
use resourcecache::json::JsonPatch;

use crate::applied::Applied;
use crate::cache::JsonCache;
use crate::error::CacheError;
use crate::names::Kind;

/// Whether another attempt follows a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Retry {
    /// None: the operation has failed.
    No,
    /// After the config's backoff times the number of failed attempts.
    Backoff,
    /// After this many milliseconds.
    After {
        /// Milliseconds.
        ms: u64,
    },
    /// As the config's retry policy says of an HTTP status.
    ByStatus {
        /// The status.
        status: u16,
        /// The answer's `Retry-After`, in milliseconds.
        after_ms: Option<u64>,
    },
}

impl From<Retry> for resourcecache::Retry {
    fn from(retry: Retry) -> Self {
        match retry {
            Retry::No => Self::No,
            Retry::Backoff => Self::Backoff,
            Retry::After { ms } => Self::After(ms),
            Retry::ByStatus { status, after_ms } => Self::ByStatus { status, after_ms },
        }
    }
}

/// One attempt to be sent: answer it with `acknowledge` or `fail`, or not at all: then it counts as
/// lost after the retry policy's `attempt_timeout_ms`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Attempt {
    /// The operation that it is for. It answers for the edits that it carries as well.
    pub operation: u64,
    /// How many attempts this makes, from 1.
    pub number: u32,
    /// What to ask of the server.
    pub kind: Kind,
    /// The resource, by the id that it has by now.
    pub id: String,
    /// The resource as it is to be, as JSON: what to create, or what the update leads to. As it was,
    /// for a deletion. None when it is not known.
    pub body: Option<String>,
    /// What an update sets, as a JSON merge patch (RFC 7396). None for no update, or one that a merge
    /// patch cannot say: send the body.
    pub patch: Option<String>,
    /// The same for every attempt of this operation, also after a restart, and for no other: a server
    /// that honours it does the work once (`Idempotency-Key`).
    pub key: String,
}

/// The next attempt, if one may be sent, and what has changed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PolledAttempt {
    /// The attempt.
    pub attempt: Option<Attempt>,
    /// What has changed.
    pub applied: Applied,
}

/// What an operation asks of the server, for a caller that sends it by itself.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Request {
    /// The operation.
    pub operation: u64,
    /// What to ask of the server.
    pub kind: Kind,
    /// The resource, by the id that it has by now.
    pub id: String,
    /// The resource as it is to be, as JSON; as it was, for a deletion. None when it is not known.
    pub body: Option<String>,
    /// What an update sets, as a JSON merge patch (RFC 7396). None for no update, or one that a merge
    /// patch cannot say: send the body.
    pub patch: Option<String>,
}

type CoreAttempt = resourcecache::Attempt<resourcecache::json::JsonResource>;
type CoreRequest = resourcecache::Request<resourcecache::json::JsonResource>;

impl From<CoreAttempt> for Attempt {
    fn from(attempt: CoreAttempt) -> Self {
        Self {
            operation: attempt.operation.0,
            number: attempt.number,
            kind: attempt.kind.into(),
            id: attempt.id.to_string(),
            body: attempt.body.map(|body| body.body().into()),
            patch: merge_patch(&attempt.patches),
            key: attempt.key,
        }
    }
}

impl From<CoreRequest> for Request {
    fn from(request: CoreRequest) -> Self {
        Self {
            operation: request.operation.0,
            kind: request.kind.into(),
            id: request.id.to_string(),
            body: request.body.map(|body| body.body().into()),
            patch: request.patch.and_then(|patch| merge_patch(&[patch])),
        }
    }
}

fn merge_patch(patches: &[JsonPatch]) -> Option<String> {
    (!patches.is_empty()).then(|| JsonPatch::to_merge_patch(patches))?
}

#[uniffi::export]
impl JsonCache {
    /// The next attempt that may be sent by now, and what has changed. Call it until it answers none,
    /// whenever something was queued, answered or failed, and at each `poll_timeout_ms`.
    pub fn poll_attempt(&self) -> Result<PolledAttempt, CacheError> {
        self.change(|inner, now| {
            let line = inner.journal.line(&Event::PollAttempt, now);
            let (attempt, changes) = inner.cache.poll_attempt(now)?;
            inner.journal.push(line);
            Ok(PolledAttempt {
                attempt: attempt.map(Into::into),
                applied: Applied::of_changes(inner, changes),
            })
        })
    }

    /// The attempt of this operation that is under way; none when none is. So a caller finds after a
    /// restart what it had sent.
    pub fn attempt_of(&self, operation: u64) -> Result<Option<Attempt>, CacheError> {
        self.read(|inner| {
            inner
                .cache
                .attempt_of(OperationId(operation))
                .map(Into::into)
        })
    }

    /// What an unsettled operation asks of the server; none for one that is not known, has settled,
    /// or waits for the creation of its resource to be answered.
    pub fn request_of(&self, operation: u64) -> Result<Option<Request>, CacheError> {
        self.read(|inner| {
            inner
                .cache
                .request_of(OperationId(operation))
                .map(Into::into)
        })
    }

    /// How many operations wait to be sent or are under way.
    pub fn queued(&self) -> Result<u64, CacheError> {
        self.read(|inner| inner.cache.queued() as u64)
    }

    /// Whether attempts may be sent.
    pub fn is_online(&self) -> Result<bool, CacheError> {
        self.read(|inner| inner.cache.is_online())
    }

    /// Whether attempts may be sent. Offline, the outbox holds them, for as long as it takes.
    pub fn set_online(&self, online: bool) -> Result<Applied, CacheError> {
        self.event(|_| Ok(Event::SetOnline { online }))
    }
}
