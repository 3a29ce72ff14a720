//! The conformance scenarios: one JSON format that every layer and language runs.
//! `scenarios/README.md` describes it. And what property tests and fuzzing share about responses.

mod actions;
mod begin;
mod expect;
mod fields;
pub mod responses;
mod runner;
mod twins;

pub use fields::Fields;
pub use runner::{Report, run_file, run_scenario};
pub use twins::{Twins, bytes};
