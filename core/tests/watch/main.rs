//! Watch sessions, driven by hand: what is asked for, and what comes of each answer (W4 to W10).

mod breaking;
mod driven;
mod failing;
mod feeds;
mod json;
mod listing;
mod streaming;
