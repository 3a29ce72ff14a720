//! What an adapter does for a session: list, and open a stream.

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::transport::Transport;

/// A list call, as the session asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ListCall {
    /// At most so many resources in one answer, where the server can.
    pub limit: Option<u32>,
    /// Where to go on, as the answer before said; `None` for the first.
    pub continue_from: Option<String>,
}

/// A stream, as the session asks for it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WatchCall {
    /// The version after which to begin; `None` to begin now.
    pub from: Option<String>,
    /// Whether the stream shall begin with everything that is there (Kubernetes'
    /// `sendInitialEvents`).
    pub initial_events: bool,
}

/// An adapter: how to list a collection of a server and how to watch it.
///
/// Yours for a server that none of ours speaks to: answer the bytes as they come, the session reads
/// them.
pub trait Feed: Send + Sync {
    /// Lists the collection, or one page of it.
    fn list(&self, call: ListCall) -> BoxFuture<'static, Result<Bytes, Failure>>;

    /// Opens a stream.
    fn watch(&self, call: WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>>;

    /// The limits of its streams.
    fn limits(&self) -> Limits;
}
