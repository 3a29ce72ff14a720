//! A writer as a process of its own: its address, key, number, and count of events.

use std::io::Write;
use std::sync::Arc;

use resourcecache_redis::write;
use resourcecache_storage::redis::{RedisOptions, RedisStore};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, writer, count] = arguments.as_slice() else {
        panic!("writer URL KEY WRITER COUNT");
    };
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let store = Arc::new(RedisStore::open(url, RedisOptions::default()).expect("a store"));
    let mut out = std::io::stdout();
    let tally = write(store, key, number(writer), number(count), |_| {});
    writeln!(out, "{} {}", tally.acknowledged, tally.again).expect("its output");
}
