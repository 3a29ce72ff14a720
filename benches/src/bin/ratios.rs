//! The aims at a glance, in seconds instead of minutes: each case beside memcmp in turns, the least
//! of several rounds: `ratios [N...]`. `cargo xtask bench` measures for the record.

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use resourcecache::{Config, JsonCache};
use resourcecache_benches::lists::{List, cache, merge, schema};
use resourcecache_benches::yardsticks as yard;

fn case<'a>(name: &'a str, run: impl FnMut() + 'a) -> Case<'a> {
    let (least, run) = (Duration::MAX, Box::new(run));
    Case { name, least, run }
}

const IN_A_ROW: usize = 6;

struct Case<'a> {
    name: &'a str,
    least: Duration,
    run: Box<dyn FnMut() + 'a>,
}

fn main() {
    let sizes = std::env::args().skip(1).filter_map(|n| n.parse().ok());
    let sizes: Vec<usize> = sizes.collect();
    let sizes = if sizes.is_empty() {
        vec![10_000, 100_000]
    } else {
        sizes
    };
    for n in sizes {
        ratios(n);
    }
}

fn ratios(n: usize) {
    let schema = schema();
    let list = List::new(n);
    let bytes = list.bytes();
    let copy = bytes.clone();
    let (mut found, mut joined, mut turn) = (HashMap::new(), HashMap::new(), false);
    let other = list.changed(1, 1).bytes();
    let mut cases = vec![case("memcmp", || {
        black_box(yard::memcmp(black_box(&bytes), &copy));
    })];
    let lists = [
        ("identical", list.clone()),
        ("1 % changed in place", list.changed(100, 1)),
        ("1 % inserted, removed, moved", list.shuffled()),
        ("wholly changed", list.changed(1, 1)),
    ];
    for (name, other) in lists {
        let (schema, mut held) = (&schema, cache(&schema, &list));
        // The very same bytes, or two lists in turn.
        let same = other.0 == list.0;
        let (mut turn, texts) = (0, [other.bytes(), bytes.clone()]);
        cases.push(case(name, move || {
            turn += 1;
            let text = if same {
                &texts[0]
            } else {
                &texts[(turn + 1) % 2]
            };
            merge(&mut held, schema, black_box(text));
        }));
    }
    cases.push(case("cold", || {
        let mut new = JsonCache::new(Config::default());
        merge(&mut new, &schema, black_box(&bytes));
    }));
    cases.push(case("split (ours)", || {
        drop(black_box(schema.count(black_box(&bytes))));
    }));
    cases.push(case("split and kept (ours)", || {
        drop(black_box(schema.snapshot(black_box(&bytes))));
    }));
    cases.push(case("sonic-rs split", || {
        drop(black_box(yard::sonic_split(black_box(&bytes))));
    }));
    cases.push(case("sonic-rs split, hash join, cold", || {
        found.clear();
        black_box(yard::sonic_join(&mut found, black_box(&bytes)));
    }));
    cases.push(case("sonic-rs split, hash join, wholly changed", || {
        turn = !turn;
        let text = if turn { &bytes } else { &other };
        black_box(yard::sonic_join(&mut joined, black_box(text)));
    }));
    for _ in 0..(400_000 / n).clamp(4, 40) {
        for case in &mut cases {
            // Several in a row, as benchmarks do: what fits into a cache is in it.
            for _ in 0..IN_A_ROW {
                let start = Instant::now();
                (case.run)();
                case.least = case.least.min(start.elapsed());
            }
        }
    }
    let unit = cases[0].least.as_nanos() as f64;
    for case in &cases {
        let time = case.least.as_nanos() as f64;
        println!(
            "{n:>7} {:>42} {:>9.1} µs {:>7.2} x memcmp",
            case.name,
            time / 1000.0,
            time / unit
        );
    }
}
