//! What is fuzzed: each target takes any bytes and panics when a promise is broken. `cargo xtask
//! fuzz` runs them under libFuzzer; `tests/corpora.rs` replays what it found, as plain tests.
//!
//! Bytes are read as steps and texts by the strategies of the property tests: see `input.rs`.

mod edits;
mod input;
mod journal;
mod judge;
mod response;
mod scenario;
mod state;

pub use journal::journal;
pub use response::response;
pub use scenario::scenario;
pub use state::state;

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; its corpus lies in the folder of its name.
pub const TARGETS: [Target; 4] = [
    ("response", response),
    ("state", state),
    ("journal", journal),
    ("scenario", scenario),
];
