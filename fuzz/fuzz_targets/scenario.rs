//! Fuzzes `resourcecache_fuzz::scenario`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| resourcecache_fuzz::scenario(input));
