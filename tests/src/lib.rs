//! The conformance scenarios: one JSON format that every layer and language runs.
//! `scenarios/README.md` describes it.

mod actions;
mod expect;
mod fields;
mod runner;

pub use fields::Fields;
pub use runner::{Report, run_file, run_scenario};
