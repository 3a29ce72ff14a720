//! Of which build the library and the generated code are.

include!(concat!(env!("OUT_DIR"), "/build_of.rs"));
