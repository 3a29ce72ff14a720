//! Watch adapters for [`resourcecache`]: WebSocket, Kubernetes watches, server-sent events and
//! etcd, on tokio.
//!
//! The core's [`WatchSession`](resourcecache::WatchSession) decides when to list, from where to
//! watch and when to try again, and opens no connection. Here are the connections, and the
//! [`Driver`] that runs a session over one of them:
//!
//! - an [`Adapter`] lists a collection and opens its streams: [`Kubernetes`], [`Etcd`], [`WebSocket`],
//!   [`Sse`], or yours;
//! - a [`Reader`] reads its bytes: a [`Schema`](resourcecache::json::Schema) those of Kubernetes,
//!   with a [`Feed`](resourcecache::json::Feed) those of any other;
//! - a [`Connection`] holds what they share: the [`Limits`], the headers, TLS;
//! - the [`Driver`] owns the collection. A [`Handle`] does something with it, and a channel brings
//!   each [`Update`] of the visible list.
//!
//! It needs a runtime of tokio's with its timers and its IO.

#![forbid(unsafe_code)]

mod adapter;
mod buffer;
mod clock;
mod connection;
mod driver;
mod etcd;
mod event_stream;
mod failure;
mod handle;
mod health;
mod http;
mod kubernetes;
mod limits;
mod lines;
mod list_query;
mod polling;
mod reader;
mod socket;
mod sse;
mod transport;
mod update;
mod version_in;
mod websocket;
mod woken;

pub use adapter::Adapter;
pub use buffer::Buffer;
pub use clock::{Clock, SystemClock};
pub use connection::Connection;
pub use driver::Driver;
pub use etcd::Etcd;
pub use event_stream::Framing;
pub use failure::Failure;
pub use handle::{Ended, Handle};
pub use health::Health;
pub use kubernetes::Kubernetes;
pub use limits::Limits;
pub use reader::Reader;
pub use sse::Sse;
pub use transport::{Incoming, Transport};
pub use update::{Row, Update, View};
pub use version_in::VersionIn;
pub use websocket::WebSocket;

/// The headers of a connection, as [`Connection::with_headers`] takes them.
pub use reqwest::header::HeaderMap;

/// The examples of the guide, run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../docs/watch-adapters.md")]
    mod watch_adapters {}
}
