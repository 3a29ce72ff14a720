//! For users of `resourcecache`: a [simulator](simulate) of clients and a server that lags, random
//! histories for property tests, a toy resource, a naive model of the rules, and the laws of
//! `Resource`.

mod history;
mod laws;
mod model;

mod coverage;
mod server;
pub mod simulate;
mod toy;

pub use coverage::{Coverage, States};
pub use history::{IDS, Played, Player, Step, history};
pub use laws::check_laws;
pub use model::{Model, Seen};

pub use server::{Server, Told};
pub use toy::{FIELD_COUNT, Toy};

/// The examples of the guide, run as tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../docs/simulator.md")]
    mod simulator {}
}
