//! Fuzzes `resourcecache_fuzz::state`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| resourcecache_fuzz::state(input));
