//! Texts that lie together in memory are brought together again when they lie apart, and only then.

use resourcecache::json::Schema;
use resourcecache::{Config, JsonCache, Timestamp};

const N: usize = 600;

/// Items of about 60 bytes with these ids.
fn list(ids: impl Iterator<Item = usize>) -> String {
    let item = |id: usize| format!(r#"{{"id":"{id}","text":"{}"}}"#, "x".repeat(40));
    let items: Vec<String> = ids.map(item).collect();
    format!("[{}]", items.join(","))
}

fn merge(cache: &mut JsonCache, list: &str) {
    let schema = Schema::default();
    let merged = cache.merge_response(schema.response(list.as_bytes()), Timestamp(0));
    assert!(merged.is_ok(), "{merged:?}");
}

fn bodies(cache: &JsonCache) -> Vec<&str> {
    let rows = cache.visible();
    rows.map(|item| item.body().body()).collect()
}

/// How many rows do not lie right behind the one before.
fn breaks(cache: &JsonCache) -> usize {
    let ends_at = |text: &str| text.as_ptr() as usize + text.len();
    let bodies = bodies(cache);
    let pairs = bodies.windows(2);
    pairs
        .filter(|pair| ends_at(pair[0]) + 1 != pair[1].as_ptr() as usize)
        .count()
}

#[test]
fn a_list_whose_order_has_changed_for_good_lies_in_order_again() {
    let mut cache = JsonCache::new(Config::default());
    merge(&mut cache, &list(0..N));
    assert_eq!(breaks(&cache), 0);
    let reversed = list((0..N).rev());
    merge(&mut cache, &reversed);
    assert_eq!(breaks(&cache), N - 1, "it may change back");
    merge(&mut cache, &reversed);
    assert_eq!(breaks(&cache), 0);
}

#[test]
fn a_list_that_grew_row_by_row_lies_together() {
    let mut cache = JsonCache::new(Config::default());
    for n in 1..=N {
        merge(&mut cache, &list(0..n));
    }
    assert!(breaks(&cache) <= N / 3, "{}", breaks(&cache));
}

#[test]
fn what_stays_is_not_copied_while_the_same_few_come_and_go() {
    let mut cache = JsonCache::new(Config::default());
    merge(&mut cache, &list(0..N));
    let before: Vec<usize> = bodies(&cache).iter().map(|b| b.as_ptr() as usize).collect();
    let others = list((0..N - 10).chain(N..N + 10));
    for _ in 0..50 {
        merge(&mut cache, &others);
        merge(&mut cache, &list(0..N));
    }
    let after: Vec<usize> = bodies(&cache).iter().map(|b| b.as_ptr() as usize).collect();
    assert_eq!(before[..N - 10], after[..N - 10]);
}

#[test]
fn no_list_is_kept_for_the_few_of_its_texts_that_survive() {
    let mut cache = JsonCache::new(Config::default());
    merge(&mut cache, &list(0..N));
    // One in a hundred stays, in six runs only.
    let few = |i: &usize| i % 100 < 2;
    merge(&mut cache, &list((0..N).filter(few).chain(N..N + 100)));
    assert!(breaks(&cache) <= 1, "{}", breaks(&cache));
}
