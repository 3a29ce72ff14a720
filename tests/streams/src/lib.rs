//! The watch adapters against servers that nobody here wrote, over connections that break.
//!
//! [`EtcdServer`] and [`MirrorServer`] start the servers, [`Proxy`] is a network that breaks on
//! demand.

mod etcd;
mod found;
mod list_server;
pub mod load;
pub mod load_server;
mod lws;
mod process;
mod proxy;
pub mod recorded;
mod stage;

pub use etcd::EtcdServer;
pub use found::found;
pub use list_server::ListServer;
pub use lws::MirrorServer;
pub use proxy::Proxy;
pub use stage::{Stage, quick};
