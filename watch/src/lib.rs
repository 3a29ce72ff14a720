//! Watch adapters for `resourcecache`.
#![forbid(unsafe_code)]

mod buffer;
mod connection;
mod etcd;
mod event_stream;
mod failure;
mod feed;
mod http;
mod kubernetes;
mod limits;
mod lines;
mod resume;
mod socket;
mod sse;
mod transport;
mod websocket;

pub use buffer::Buffer;
pub use connection::Connection;
pub use etcd::Etcd;
pub use event_stream::Framing;
pub use failure::Failure;
pub use feed::{Feed, ListCall, WatchCall};
pub use kubernetes::Kubernetes;
pub use limits::Limits;
pub use resume::Resume;
pub use sse::Sse;
pub use transport::{Incoming, Transport};
pub use websocket::WebSocket;

/// The headers of a connection, as [`Connection::with_headers`] takes them.
pub use reqwest::header::HeaderMap;
