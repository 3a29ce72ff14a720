//! PowerDNS as a real API that lags: zones are written to a primary and listed from a secondary,
//! which catches up when a test asks it to. docs/real-servers.md tells of it.
//!
//! This crate is for tests: what goes wrong panics, and the servers' logs are printed then.

mod held;
mod pair;
mod programs;
mod server;
mod stage;

pub use pair::Pair;
pub use programs::Programs;
pub use stage::Stage;
