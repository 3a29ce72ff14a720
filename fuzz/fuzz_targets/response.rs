//! Fuzzes `resourcecache_fuzz::response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| resourcecache_fuzz::response(input));
