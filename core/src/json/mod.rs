//! The JSON resource: a server's objects kept as bytes, with ids and versions found by pointer.

mod capture;
mod common;
mod feed;
mod kubernetes;
mod list_answer;
mod patch;
mod pointer;
mod resource;
mod response;
mod saved;
mod scan;
mod schema;
mod segment;
mod shape;
mod split;
mod v1;
mod value;

pub use feed::{Feed, FeedWords};
pub use patch::JsonPatch;
pub use pointer::Pointer;
pub use resource::JsonResource;
pub use response::Response;
pub use schema::Schema;
pub use v1::list_v1;
