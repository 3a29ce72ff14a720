//! `resourcecache` for JavaScript, by [wasm-bindgen](https://wasm-bindgen.github.io/wasm-bindgen/): the
//! JSON collection, with `now` as an argument and JSON texts as answers.
//!
//! Nothing here decides anything: see the core's model. What a user sees is the TypeScript layer over
//! it, which parses the answers and keeps time.
//!
//! A list call's answer is written by JavaScript into a buffer of the cache's ([`Cache::room`]), and
//! lent to the core from there.

mod applied;
mod cache;
mod error;
mod fault;
mod journal;
mod outbox;
mod reader;
mod steps;
mod verbs;
mod view;
mod watch;

pub use cache::{Cache, cache_key, lifecycle_diagram};
pub use error::Refusal;
pub use fault::last_fault;
pub use watch::WatchSession;
