//! Merging lists, beside the yardsticks.
#![allow(missing_docs, reason = "criterion's macros")]

use std::collections::{HashMap, HashSet};
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use resourcecache::{Coverage, JsonCache, Timestamp};
use resourcecache_benches::lists::{List, bare, cache, merge, schema};
use resourcecache_benches::yardsticks as yard;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

fn sizes() -> Vec<usize> {
    let most = std::env::var("RESOURCECACHE_BENCH_SIZE").ok();
    let most = most.and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
    SIZES.into_iter().filter(|n| *n <= most).collect()
}

fn merges(c: &mut Criterion) {
    let schema = schema();
    let mut group = c.benchmark_group("merge");
    for n in sizes() {
        let list = List::new(n);
        let bytes = list.bytes();
        let mut held = cache(&schema, &list);
        group.bench_function(BenchmarkId::new("identical", n), |b| {
            b.iter(|| merge(&mut held, &schema, black_box(&bytes)));
        });
        // Two lists in turn, so that each finds the other held.
        let mut turns = |name: &str, other: &List, pending: bool| {
            let texts = [other.bytes(), bytes.clone()];
            let mut held = if pending {
                cache(&schema, &list)
            } else {
                bare(&schema, &list)
            };
            let mut turn = 0;
            group.bench_function(BenchmarkId::new(name, n), |b| {
                b.iter(|| {
                    turn += 1;
                    merge(&mut held, &schema, black_box(&texts[(turn + 1) % 2]))
                });
            });
        };
        turns("1 % changed in place", &list.changed(100, 1), true);
        turns("1 % inserted, removed, moved", &list.shuffled(), true);
        turns("wholly changed", &list.changed(1, 1), true);
        turns("reversed", &list.reversed(), false);
        group.bench_function(BenchmarkId::new("cold", n), |b| {
            b.iter_batched(
                || JsonCache::new(Default::default()),
                |mut new| {
                    merge(&mut new, &schema, black_box(&bytes));
                    new
                },
                BatchSize::LargeInput,
            );
        });
        let page = List(list.0[n / 2..n / 2 + n / 10].to_vec()).bytes();
        let id = |i: usize| Some(format!("zone-{i:06}").as_str().into());
        let coverage = Coverage::Page {
            after: id(n / 2 - 1),
            before: id(n / 2 + n / 10),
        };
        let mut held = cache(&schema, &list);
        group.bench_function(BenchmarkId::new("page of a tenth", n), |b| {
            b.iter(|| {
                let page = schema.response(black_box(&page)).covering(coverage.clone());
                held.merge_response(page, Timestamp(0))
            });
        });
    }
    group.finish();
}

fn yardsticks(c: &mut Criterion) {
    let schema = schema();
    let mut group = c.benchmark_group("yardstick");
    for n in sizes() {
        let list = List::new(n);
        let bytes = list.bytes();
        let mut copy = bytes.clone();
        let mut bench = |name: &str, f: &mut dyn FnMut()| {
            group.bench_function(BenchmarkId::new(name, n), |b| b.iter(&mut *f));
        };
        bench("memcmp", &mut || {
            black_box(yard::memcmp(black_box(&bytes), black_box(&copy)));
        });
        bench("memcpy", &mut || yard::memcpy(black_box(&bytes), &mut copy));
        bench("split (ours)", &mut || {
            black_box(schema.count(black_box(&bytes)).unwrap_or(0));
        });
        bench("split and kept (ours)", &mut || {
            black_box(
                schema
                    .snapshot(black_box(&bytes))
                    .map_or(0, |s| s.items.len()),
            );
        });
        bench("serde_json Value", &mut || {
            black_box(yard::serde_value(black_box(&bytes)));
        });
        bench("serde_json RawValue split", &mut || {
            black_box(yard::serde_raw(black_box(&bytes)));
        });
        bench("sonic-rs split", &mut || {
            black_box(yard::sonic_split(black_box(&bytes)));
        });
        let mut buffer = Vec::with_capacity(bytes.len());
        bench("simd-json tape", &mut || {
            black_box(yard::simd_tape(black_box(&bytes), &mut buffer));
        });
        bench("sonic-rs split, hash join, cold", &mut || {
            black_box(yard::sonic_join(&mut HashMap::new(), black_box(&bytes)));
        });
        let other = list.changed(1, 1).bytes();
        let (mut held, mut turn) = (HashMap::new(), false);
        bench("sonic-rs split, hash join, wholly changed", &mut || {
            turn = !turn;
            let text = if turn { &bytes } else { &other };
            black_box(yard::sonic_join(&mut held, black_box(text)));
        });
        let mut held = HashMap::new();
        let deleting: HashSet<String> = (0..n / 300)
            .map(|k| format!("zone-{:06}", k * 300))
            .collect();
        bench("by hand: serde_json, HashMap, filter", &mut || {
            black_box(yard::by_hand(&mut held, &deleting, black_box(&bytes)));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2)).warm_up_time(std::time::Duration::from_millis(500));
    targets = merges, yardsticks
}
criterion_main!(benches);
