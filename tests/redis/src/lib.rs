//! Redis servers that tests start, kill and cut off, and writers that count what was acknowledged.
//!
//! This crate is for tests: what goes wrong panics, and the servers' logs are printed then.

pub mod outbox;
mod proxy;
mod server;
mod writer;

pub use proxy::Proxy;
pub use server::{Cluster, Server, free_port};
pub use writer::{Tally, count, write};
