//! What collections take of this process's memory, as the operating system counts it. Alone in its
//! process, so that nothing else is counted.

#![cfg(target_os = "linux")]

use std::sync::Arc;

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Timestamp};
use resourcecache_storage::{Collections, Limits, SqliteOptions, SqliteStore, Synchronous};

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

fn list(count: usize, version: u64) -> Event<JsonResource> {
    let items: Vec<String> = (0..count)
        .map(|id| {
            format!(
                "{{\"id\":\"zone-{id:08}\",\"name\":\"zone-{id}.example.com.\",\"serial\":{version},\
                 \"kind\":\"Native\",\"masters\":[],\"account\":\"account-{id}\"}}"
            )
        })
        .collect();
    let list = format!("[{}]", items.join(","));
    Event::Merge(Schema::default().snapshot(list.as_bytes()).unwrap())
}

fn open(path: &std::path::Path, bytes: usize) -> Collections<JsonResource> {
    let mut options = SqliteOptions::default();
    options.synchronous = Synchronous::Normal;
    let store = Arc::new(SqliteStore::open_with(path, options).unwrap());
    let mut limits = Limits::default();
    limits.bytes = bytes;
    Collections::new(store, Config::default(), limits)
}

#[test]
fn memory_stays_near_the_limit_and_the_estimate_near_the_truth() {
    const PROJECTS: usize = 4_000;
    const EACH: usize = 50;
    const LIMIT: usize = 16 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let write = open(&path, 1 << 20);
    for n in 0..PROJECTS {
        let (key, now) = (format!("p{n}"), Timestamp(0));
        write
            .with(&key, now, |zones| zones.apply(list(EACH, 1), now))
            .unwrap();
    }
    drop(write);
    // With a limit: all are read, one after the other, several times. First, so that no memory which
    // was freed hides what is taken.
    let some = open(&path, LIMIT);
    let before = resident();
    for _ in 0..3 {
        for n in 0..PROJECTS {
            let key = format!("p{n}");
            some.with(&key, Timestamp(0), |_| Ok(())).unwrap();
        }
    }
    let grown = resident().saturating_sub(before);
    println!("collections: with a limit of {LIMIT} bytes {grown} more are taken");
    assert!(some.bytes() <= LIMIT);
    assert!(grown > LIMIT / 4, "{grown}: this counts nothing");
    assert!(grown < 2 * LIMIT, "{grown}");
    drop(some);
    // Without one: what they really take, beside the estimate.
    let before = resident();
    let all = open(&path, usize::MAX);
    for n in 0..PROJECTS {
        let key = format!("p{n}");
        all.with(&key, Timestamp(0), |_| Ok(())).unwrap();
    }
    // What was freed above is used again.
    let (real, estimated) = (resident() - before + grown, all.bytes());
    println!("collections: {real} bytes are taken, estimated {estimated}");
    assert_eq!(all.resources(), PROJECTS * EACH);
    assert!(
        estimated > real / 2 && estimated < real * 2,
        "{estimated} for {real}"
    );
}
