//! The worst lists that a server can send cost no more than their length.
#![allow(missing_docs, reason = "a test")]

use std::time::{Duration, Instant};

use resourcecache::{Config, JsonCache, Timestamp, json::Schema};

fn merge(cache: &mut JsonCache, text: &str) -> Duration {
    let schema = Schema::default();
    let start = Instant::now();
    let merged = cache.merge_response(schema.response(text.as_bytes()), Timestamp(0));
    assert!(merged.is_ok(), "{merged:?}");
    start.elapsed()
}

/// Four times as much takes less than ten times as long: sixteen times, were it quadratic.
fn is_linear(what: &str, n: usize, lists: impl Fn(usize) -> (String, String)) {
    let time = |n: usize| {
        let (first, second) = lists(n);
        let run = || {
            let mut cache = JsonCache::new(Config::default());
            merge(&mut cache, &first) + merge(&mut cache, &second)
        };
        (0..5).map(|_| run()).min().unwrap_or_default()
    };
    let (short, long) = (time(n), time(4 * n));
    let ratio = long.as_secs_f64() / short.as_secs_f64();
    println!(
        "{what}: {n} in {short:?}, {} in {long:?}: {ratio:.1} times",
        4 * n
    );
    assert!(
        ratio < 10.0,
        "{what}: four times as many took {ratio:.1} times as long"
    );
}

fn list(ids: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = ids.map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    format!("[{}]", items.join(","))
}

#[test]
fn the_worst_lists_cost_no_more_than_their_length() {
    let plain = |n: usize| list((0..n).map(|i| i.to_string()));
    is_linear("reversed", 5_000, |n| {
        (plain(n), list((0..n).rev().map(|i| i.to_string())))
    });
    is_linear("last to first", 5_000, |n| {
        (
            plain(n),
            list((n - 1..n).chain(0..n - 1).map(|i| i.to_string())),
        )
    });
    is_linear("ends in turn", 5_000, |n| {
        let ends = (0..n).map(move |i| if i % 2 == 0 { i / 2 } else { n - 1 - i / 2 });
        (plain(n), list(ends.map(|i| i.to_string())))
    });
    is_linear("every second gone", 5_000, |n| {
        (plain(n), list((0..n).step_by(2).map(|i| i.to_string())))
    });
    is_linear("all others", 5_000, |n| {
        (plain(n), list((n..2 * n).map(|i| i.to_string())))
    });
    is_linear("one id only", 5_000, |n| {
        (plain(n), list((0..n).map(|_| "7".to_string())))
    });
    is_linear("each id twice", 5_000, |n| {
        (plain(n), list((0..2 * n).map(|i| (i / 2).to_string())))
    });
    is_linear("ids alike at the start", 2_000, |n| {
        let id = |i: usize| format!("{}{i}", "a".repeat(200));
        (list((0..n).map(id)), list((0..n).rev().map(id)))
    });
    is_linear("escaped ids", 5_000, |n| {
        (
            list((0..n).map(|i| format!("\\u0061{i}"))),
            list((0..n).rev().map(|i| format!("a{i}"))),
        )
    });
    is_linear("one giant item", 1 << 20, |n| {
        let item = |c: &str| format!(r#"[{{"id":"1","text":"{}"}}]"#, c.repeat(n));
        (item("a"), item("b"))
    });
    is_linear("tiny items", 250_000, |n| (plain(n), plain(n)));
}
