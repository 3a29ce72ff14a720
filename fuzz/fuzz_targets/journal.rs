//! Fuzzes `resourcecache_fuzz::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| resourcecache_fuzz::journal(input));
