//! For users of `resourcecache`: a [simulator](simulate) of clients and a server that lags, random
//! histories for property tests, a toy resource, a naive model of the rules, and the laws of
//! `Resource` and of merge policies.
//!
//! For a type of your own, [`resource_laws!`] makes a test of each law; for a merge policy,
//! [`merge_policy_laws!`]. [`strategies`] makes random events and histories of it.

mod history;
mod law_tests;
mod laws;
mod model;
mod promises;

mod coverage;
mod server;
pub mod simulate;
pub mod strategies;
mod toy;

pub use coverage::{Coverage, States};
pub use history::{IDS, Played, Player, Step, history, step};
pub use law_tests::governed;
pub use laws::{Law, check_laws};
pub use model::{Model, Seen};
pub use promises::check_history;

pub use server::{Server, Told};
pub use toy::{FIELD_COUNT, Toy};

#[doc(hidden)]
pub use resourcecache;

/// The examples of the guide, run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../docs/simulator.md")]
    mod simulator {}
}
