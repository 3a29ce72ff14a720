//! For users of `resourcecache`: a toy resource, random histories over a simulated server that
//! lags, a naive model of the rules, and the laws of `Resource`.

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
