//! Lists shaped like those of Kubernetes, what becomes of them, and what others would do with them.

#![allow(missing_docs, reason = "not published")]

pub mod lists;
pub mod yardsticks;
