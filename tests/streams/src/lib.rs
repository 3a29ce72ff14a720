//! The watch adapters against servers that nobody here wrote, over connections that break.
//!
//! [`EtcdServer`] and [`MirrorServer`] start the servers, [`Proxy`] is a network that breaks on
//! demand.

mod etcd;
mod lws;
mod process;
mod proxy;

pub use etcd::EtcdServer;
pub use lws::MirrorServer;
pub use proxy::Proxy;
