//! One open stream of messages, whatever carries it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::failure::Failure;

/// What a stream brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole message, as the session reads it.
    Message(Bytes),
    /// The server asks us to wait so long before the next connection (`retry` of SSE).
    Retry(Duration),
}

/// An open stream of messages: one connection's. It ends; an adapter opens the next.
pub trait Transport: Send {
    /// The next message; `None` when the stream has ended as it should. The future may be dropped
    /// and asked for again: no message is lost by it.
    fn next(&mut self) -> BoxFuture<'_, Option<Result<Incoming, Failure>>>;

    /// Says goodbye, where the protocol has a word for it. Dropping it closes the connection
    /// without.
    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Where it leads, for messages.
    fn url(&self) -> String;
}
