//! What Redis' errors mean to the caller.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::error::{StoreError, StoreErrorKind};

/// Whether the same may succeed in a moment.
pub(super) fn is_transient(error: &RedisError) -> bool {
    use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
    match error.kind() {
        ErrorKind::Io => !is_of_tls(error),
        ErrorKind::Server(
            Ask | BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly | TryAgain,
        )
        | ErrorKind::ClusterConnectionNotFound
        | ErrorKind::MasterNameNotFoundBySentinel => true,
        _ => matches!(error.code(), Some("BUSY" | "NOREPLICAS" | "NOGOODSLAVE")),
    }
}

/// Whether the connection can be used again: the server has answered, and it is still the one to ask.
pub(super) fn keeps_connection(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(kind) if kind != ServerErrorKind::ReadOnly)
        || error.kind() == ErrorKind::Extension
}

/// A certificate that is not accepted stays so.
fn is_of_tls(error: &RedisError) -> bool {
    // The crate keeps its causes in an `Arc`.
    let source = error.source();
    let shared = source.and_then(|source| source.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let io = shared.and_then(|shared| shared.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
}

/// The error as the store answers it.
pub(super) fn told(key: Option<&str>, error: RedisError) -> StoreError {
    let code = error.code().unwrap_or_default();
    let (kind, problem) = if is_transient(&error) {
        let kind = match code {
            "BUSY" => StoreErrorKind::Busy,
            _ => StoreErrorKind::Unavailable,
        };
        (kind, format!("Redis does not answer, or not yet: {error}"))
    } else {
        match (code, error.kind()) {
            ("OOM", _) => (
                StoreErrorKind::Full,
                format!(
                    "Redis has no memory left (maxmemory); give it more, or delete something: {error}"
                ),
            ),
            ("MISCONF", _) => (
                StoreErrorKind::ReadOnly,
                format!("Redis cannot write to its disk, and takes no commits: {error}"),
            ),
            ("WRONGTYPE", _) => (
                StoreErrorKind::Foreign,
                format!(
                    "a key of this collection is of another kind; choose another prefix: {error}"
                ),
            ),
            ("NOAUTH" | "WRONGPASS", _) | (_, ErrorKind::AuthenticationFailed) => (
                StoreErrorKind::Other,
                format!("Redis does not accept the user or its password: {error}"),
            ),
            ("NOPERM", _) => (StoreErrorKind::Other, not_allowed(&error)),
            // What Redis 7.0 and later ones say of it in scripts.
            _ if ["ACL failure", "user executing the script"]
                .iter()
                .any(|said| error.to_string().contains(said)) =>
            {
                (StoreErrorKind::Other, not_allowed(&error))
            }
            _ => (StoreErrorKind::Other, format!("Redis: {error}")),
        }
    };
    StoreError::new(kind, key, problem).with_source(error)
}

fn not_allowed(error: &RedisError) -> String {
    format!(
        "the user may not do this; give it the commands, keys and channels that docs/redis.md lists: {error}"
    )
}

/// Of a layout that a later version wrote.
pub(super) fn newer(key: &str, theirs: &str) -> StoreError {
    let ours = super::script::FORMAT;
    let problem =
        format!("written by a newer version (layout {theirs}); this one reads up to {ours}");
    StoreError::new(StoreErrorKind::Newer, Some(key), problem)
}

/// What is no answer of the scripts.
pub(super) fn odd(key: &str, what: &str) -> StoreError {
    let problem = format!("what is stored cannot be read: {what}");
    StoreError::new(StoreErrorKind::Damaged, Some(key), problem)
}
