//! What a driver waits for.

use std::future::pending;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use resourcecache::{CallId, Resource};
use tokio::sync::mpsc;

use crate::buffer::Buffer;
use crate::failure::Failure;
use crate::handle::Command;
use crate::transport::{Incoming, Transport};

/// A call that is under way, or none.
pub(crate) type Pending<T> = Option<(CallId, BoxFuture<'static, Result<T, Failure>>)>;

/// What a driver was waiting for.
pub(crate) enum Woken<R: Resource> {
    Asked(Option<Command<R>>),
    Listed(CallId, Result<Bytes, Failure>),
    Opened(CallId, Result<Box<dyn Transport>, Failure>),
    /// A message, an error, or the end of the stream.
    Heard(CallId, Option<Result<Incoming, Failure>>),
    /// The reader can be told something.
    Room,
    /// The reader has gone.
    Unread,
    Due,
}

/// Waits for a call that is under way, and takes it out.
pub(crate) async fn done<T>(pending_call: &mut Pending<T>) -> (CallId, Result<T, Failure>) {
    let Some((call, future)) = pending_call else {
        return pending().await;
    };
    let (call, answer) = (*call, future.await);
    *pending_call = None;
    (call, answer)
}

pub(crate) async fn next_message(
    stream: &mut Option<(CallId, Buffer)>,
) -> (CallId, Option<Result<Incoming, Failure>>) {
    match stream {
        Some((call, buffer)) => (*call, buffer.next().await),
        None => pending().await,
    }
}

pub(crate) async fn next_command<R: Resource>(
    commands: &mut Option<mpsc::Receiver<Command<R>>>,
) -> Option<Command<R>> {
    match commands {
        Some(commands) => commands.recv().await,
        None => pending().await,
    }
}

/// Waits until the reader can be told something. One that has gone is [`closed`]'s.
pub(crate) async fn room<T>(updates: Option<&mpsc::Sender<T>>) {
    if let Some(updates) = updates
        && updates.reserve().await.is_ok()
    {
        return;
    }
    pending().await
}

pub(crate) async fn closed<T>(updates: Option<&mpsc::Sender<T>>) {
    match updates {
        Some(updates) => updates.closed().await,
        None => pending().await,
    }
}
