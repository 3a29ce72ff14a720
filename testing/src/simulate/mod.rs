//! The simulator: a server that lags, its replicas, clients that crash, a network that loses and
//! reorders, in virtual time; and the laws that must hold at every step and at rest.
//!
//! A seed says everything: the kind of [`World`], and what happens in it. A history that breaks a
//! law is shrunk to few steps, and printed as a conformance scenario of the client concerned.
//!
//! ```
//! use resourcecache_testing::simulate::Simulation;
//!
//! let run = Simulation::ours().run(42);
//! assert_eq!(run.violation, None);
//! ```

mod attempts;
mod choose_more;
mod choose_session;
mod client;
mod dice;
mod generate;
mod heard;
mod law;
mod laws;
mod memory;
mod model;
mod network;
mod observed;
mod order;
mod outbox_laws;
mod play;
mod progress_laws;
mod remembered;
mod rest;
mod rules;
mod scenario;
mod sending;
mod session_laws;
mod session_play;
mod session_rest;
mod session_world;
mod shown;
mod shrink;
mod simulation;
mod step;
mod tamper;
mod toys;
mod undo_laws;
mod watch_source;
mod watcher;
mod watching;
mod world;

pub use dice::Dice;
pub use law::{LAWS, Law, Violation};
pub use model::{PatchOf, ServerModel, Subject};
pub use shrink::Shrunk;
pub use simulation::{Run, Simulation};
pub use step::{Act, Asked, History, How, Step, Tag, Write};
pub use tamper::Tamper;
pub use watching::{Fault, Watching};
pub use world::{Names, Style, Versions, World};
