//! Single verbs and readings, in lists of all sizes: they must not cost more in a longer list.
#![allow(missing_docs, reason = "criterion's macros")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use resourcecache::{Event, JsonCache, Kind, Retry, Timestamp};
use resourcecache_benches::lists::{List, cache, schema};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
const NOW: Timestamp = Timestamp(0);

/// So many verbs are done in a row, each on a resource of its own, before all begins anew: settled
/// operations are remembered, and would pile up on few resources.
const ROUND: usize = 32;

/// Ids of which nothing is pending, spread over the list.
fn ids(n: usize) -> Vec<String> {
    let spread = (0..ROUND).map(|i| i * (n / ROUND));
    let free = spread.map(|i| if i % 100 == 33 { i + 1 } else { i });
    free.map(|i| format!("zone-{i:06}")).collect()
}

/// Times what is done so many times in a row to what is set up. Setting up is not timed; nor is what
/// the first touch of cold memory costs.
fn in_rounds(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    round: usize,
    set_up: &dyn Fn() -> JsonCache,
    work: &dyn Fn(&mut JsonCache, usize),
) {
    group.bench_function(id, |b| {
        b.iter_custom(|times| {
            let rounds = times.div_ceil(round as u64);
            let mut timed = Duration::ZERO;
            for _ in 0..rounds {
                let mut held = set_up();
                let start = Instant::now();
                (0..round).for_each(|turn| work(&mut held, turn));
                timed += start.elapsed();
            }
            timed.mul_f64(times as f64 / (rounds * round as u64) as f64)
        });
    });
}

fn verbs(c: &mut Criterion) {
    let schema = schema();
    let Ok(patch) = schema.merge_patch(br#"{"spec":{"replicas":8}}"#) else {
        return;
    };
    let mut group = c.benchmark_group("verb");
    for n in SIZES {
        let whole = cache(&schema, &List::new(n));
        let ids = ids(n);
        let mut verb = |name: &str,
                        before: &dyn Fn(&mut JsonCache, &str),
                        verb: &dyn Fn(&mut JsonCache, &str)| {
            let set_up = || {
                let mut held = whole.clone();
                ids.iter().for_each(|id| before(&mut held, id));
                black_box(ids.iter().filter_map(|id| held.get_one(id)).count());
                held
            };
            let id = BenchmarkId::new(name, n);
            in_rounds(&mut group, id, ROUND, &set_up, &|held, turn| {
                verb(held, black_box(&ids[turn]));
            });
        };
        let nothing = |_: &mut JsonCache, _: &str| {};
        let delete = |cache: &mut JsonCache, id: &str| drop(cache.mark_as_deleting(id, None, NOW));
        let update =
            |cache: &mut JsonCache, id: &str| drop(cache.mark_as_updating(id, patch.clone(), NOW));
        let newest = |cache: &JsonCache, id: &str| cache.operations(id).last().map(|o| o.id);
        verb("mark_as_deleting", &nothing, &delete);
        verb("mark_as_updating", &nothing, &update);
        verb("mark_as_processing", &nothing, &|cache, id| {
            drop(cache.mark_as_processing(id, Kind::Process, NOW))
        });
        verb("acknowledge", &update, &|cache, id| {
            if let Some(operation) = newest(cache, id) {
                drop(cache.acknowledge(operation, None, NOW));
            }
        });
        verb("fail", &delete, &|cache, id| {
            if let Some(operation) = newest(cache, id) {
                drop(cache.fail(operation, "no", Retry::Backoff, NOW));
            }
        });
        verb("revert", &delete, &|cache, id| drop(cache.revert(id, NOW)));
    }
    group.finish();
}

/// With a tenth of the list queued.
fn outbox(c: &mut Criterion) {
    let schema = schema();
    let deletion = |number: usize| Event::Begin {
        id: format!("zone-{number:06}").into(),
        kind: Kind::Delete,
        patch: None,
        min_ttl_ms: None,
    };
    let mut group = c.benchmark_group("outbox");
    for n in SIZES {
        let mut whole = cache(&schema, &List::new(n));
        for number in (5..n).step_by(10) {
            drop(whole.queue(deletion(number), 0, NOW));
        }
        let round = ROUND.min(n / 20);
        let set_up = || {
            let held = whole.clone();
            black_box(held.visible().count());
            held
        };
        let mut report = |name: &str, report: &dyn Fn(&mut JsonCache, usize)| {
            let id = BenchmarkId::new(name, n);
            in_rounds(&mut group, id, round, &set_up, report);
        };
        report("queue", &|held, turn| {
            drop(black_box(held.queue(deletion(10 * turn + 4), 0, NOW)));
        });
        report("poll_attempt, acknowledge", &|held, _| {
            if let Ok((Some(attempt), _)) = held.poll_attempt(NOW) {
                drop(held.acknowledge(attempt.operation, None, NOW));
            }
        });
        report("poll_attempt, fail", &|held, _| {
            if let Ok((Some(attempt), _)) = held.poll_attempt(NOW) {
                drop(held.fail(attempt.operation, "503", Retry::Backoff, NOW));
            }
        });
    }
    group.finish();
}

fn readings(c: &mut Criterion) {
    let schema = schema();
    let mut group = c.benchmark_group("reading");
    for n in SIZES {
        let mut held = cache(&schema, &List::new(n));
        let since = held.revision();
        drop(held.mark_as_deleting("zone-000000", None, NOW));
        let ids = ids(n);
        let mut turn = 0;
        group.bench_function(BenchmarkId::new("changes_since one change", n), |b| {
            b.iter(|| held.changes_since(black_box(since)));
        });
        group.bench_function(BenchmarkId::new("poll_timeout", n), |b| {
            b.iter(|| held.poll_timeout())
        });
        group.bench_function(BenchmarkId::new("get_one", n), |b| {
            b.iter(|| {
                turn = (turn + 1) % ROUND;
                held.get_one(&ids[turn]).map(|i| i.body().body().len())
            });
        });
        group.bench_function(BenchmarkId::new("visible, all", n), |b| {
            b.iter(|| held.visible().map(|i| i.id().len()).sum::<usize>());
        });
        if n <= 10_000 {
            group.bench_function(BenchmarkId::new("save", n), |b| {
                b.iter(|| serde_json::to_vec(&held.record()).map_or(0, |v| v.len()));
            });
            let saved = serde_json::to_vec(&held.record()).unwrap_or_default();
            group.bench_function(BenchmarkId::new("load", n), |b| {
                b.iter(|| {
                    let record = serde_json::from_slice(&saved).ok()?;
                    JsonCache::restore(held.config().clone(), record, NOW).ok()
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(1)).warm_up_time(std::time::Duration::from_millis(300));
    targets = verbs, outbox, readings
}
criterion_main!(benches);
