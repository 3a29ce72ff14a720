//! What an adapter does for a session: list, and open a stream.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use resourcecache::{ListCall, WatchCall};

use crate::failure::Failure;
use crate::limits::Limits;
use crate::transport::Transport;

/// An adapter: how to list a collection of a server and how to watch it.
///
/// Yours for a server that none of ours speaks to: answer the bytes as they come, the session reads
/// them.
pub trait Adapter: Send + Sync {
    /// Lists the collection, or one page of it.
    fn list(&self, call: &ListCall) -> BoxFuture<'static, Result<Bytes, Failure>>;

    /// Opens a stream.
    fn watch(&self, call: &WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>>;

    /// The limits of its streams.
    fn limits(&self) -> Limits;

    /// Whether it can ask for a list that is not older than a version
    /// ([`ListCall::not_older_than`]). One that cannot is asked only when something was missed.
    fn asks_for_versions(&self) -> bool {
        true
    }
}

impl Adapter for Box<dyn Adapter> {
    fn list(&self, call: &ListCall) -> BoxFuture<'static, Result<Bytes, Failure>> {
        (**self).list(call)
    }

    fn watch(&self, call: &WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>> {
        (**self).watch(call)
    }

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn asks_for_versions(&self) -> bool {
        (**self).asks_for_versions()
    }
}
