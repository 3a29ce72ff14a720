//! Small worlds, explored whole by `stateright`: two clients with the real cache, a server with two
//! replicas, four operations. docs/model-checking.md tells of it.

mod client;
mod explore;
mod form;
mod laws;
mod model;
mod server;
mod state;
mod world;

pub use client::Client;
pub use explore::{Found, explore, explore_all, shortest};
pub use model::Exploration;
pub use server::Answer;
pub use state::{Action, Asked, State};
pub use world::{Ask, Mistake, NEW, OLD, STALE_MS, TEMPORARY, TIMES, TTL_MS, World};
