//! Runs one case some times, for a profiler or a counter of instructions: `once CASE N TIMES`.

use resourcecache_benches::lists::{List, bare, cache, cold, mark, merge, schema, update};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |i: usize| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(1);
    let (case, n, times) = (args.get(1).map_or("", |a| a), number(2), number(3));
    let schema = schema();
    let list = List::new(n);
    let other = match case {
        "identical" => list.clone(),
        "changed" => list.changed(100, 1),
        "shuffled" => list.shuffled(),
        "wholly" => list.changed(1, 1),
        _ => list.reversed(),
    };
    let mut held = if case == "reversed" {
        bare(&schema, &list)
    } else {
        cache(&schema, &list)
    };
    let texts = [other.bytes(), list.bytes()];
    for turn in 0..times {
        match case {
            "split" => drop(schema.count(&texts[1])),
            "cold" => drop(cold(&schema, &texts[1])),
            "update" => {
                // Others have something pending.
                let number = 7 + turn + usize::from(turn % 100 == 26);
                update(&mut held, &schema, &format!("zone-{number:06}"));
            }
            "verb" => mark(&mut held, &format!("zone-{:06}", 7 + turn)),
            _ => drop(merge(&mut held, &schema, &texts[turn % 2])),
        }
    }
}
