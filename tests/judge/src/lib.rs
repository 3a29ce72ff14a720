//! A judge of what is on screen, and what many write before they know that they need one.
//!
//! The judge knows nothing of any cache: it sees rows, and is told what is true of the server.

mod judge;
mod naive;

pub use judge::{Fact, Flickers, Judge};
pub use naive::Naive;
