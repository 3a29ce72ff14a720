//! The JSON resource: a server's objects kept as bytes, with ids and versions found by pointer.

mod patch;
mod pointer;
mod resource;
mod scan;
mod schema;
mod value;

pub use patch::JsonPatch;
pub use pointer::Pointer;
pub use resource::JsonResource;
pub use schema::{Schema, list_v1};
