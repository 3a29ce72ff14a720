//! What a list takes in memory, and what merging allocates. One test: the counter is the process's.
#![allow(missing_docs, reason = "a test")]

use resourcecache_benches::lists::{List, bare, merge, schema};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Blocks and bytes that `work` allocates.
fn allocated(work: impl FnOnce()) -> (u64, u64) {
    let before = dhat::HeapStats::get();
    work();
    let after = dhat::HeapStats::get();
    (
        after.total_blocks - before.total_blocks,
        after.total_bytes - before.total_bytes,
    )
}

#[test]
fn memory_follows_what_is_held_and_allocations_what_changed() {
    let _profiler = dhat::Profiler::builder().testing().build();
    let schema = schema();
    let n = 10_000;
    let list = List::new(n);
    let bytes = list.bytes();

    // At most 1.1 times the response and 150 bytes for each resource.
    let start = dhat::HeapStats::get().curr_bytes;
    let mut cache = bare(&schema, &list);
    let taken = dhat::HeapStats::get().curr_bytes - start;
    let limit = bytes.len() * 11 / 10 + 150 * n;
    println!(
        "{} bytes a resource, of which {} are the response's",
        taken / n,
        bytes.len() / n
    );
    assert!(taken <= limit, "{taken} bytes are more than {limit}");

    // For the plots, beside what a parsed tree takes.
    for n in [100, 1_000, 10_000, 100_000] {
        let list = List::new(n);
        let bytes = list.bytes();
        let held = |keep: &dyn Fn() -> Box<dyn std::any::Any>| {
            let before = dhat::HeapStats::get().curr_bytes;
            let kept = keep();
            let after = dhat::HeapStats::get().curr_bytes;
            drop(kept);
            (after - before) / n
        };
        let ours = held(&|| Box::new(bare(&schema, &list)));
        let tree = held(&|| Box::new(serde_json::from_slice::<serde_json::Value>(&bytes).ok()));
        println!("memory {n} {} {ours} {tree}", bytes.len() / n);
    }

    // No allocation for what is unchanged: as many for a short list as for a long one.
    let short = List::new(100);
    let mut few = bare(&schema, &short);
    let short = short.bytes();
    let (blocks, _) = allocated(|| assert_eq!(merge(&mut cache, &schema, &bytes), 0));
    let (for_few, _) = allocated(|| assert_eq!(merge(&mut few, &schema, &short), 0));
    println!("an identical response: {blocks} allocations for {n}, {for_few} for 100");
    assert!(
        blocks <= for_few + 16,
        "{blocks} allocations, {for_few} for 100"
    );

    // A body that is lent is copied where it changed: a hundredth of it, and the list's places.
    let changed = list.changed(100, 1).bytes();
    let (blocks, copied) = allocated(|| assert_eq!(merge(&mut cache, &schema, &changed), n / 100));
    println!(
        "one of a hundred changed: {blocks} allocations, {copied} bytes of {}",
        bytes.len()
    );
    assert!(
        copied < bytes.len() as u64 / 10,
        "{copied} of {}",
        bytes.len()
    );

    drop(changed);

    // Old responses are not kept for the few of their items that survive.
    let mut most = 0;
    for round in 2..40 {
        let list = if round % 2 == 0 {
            list.changed(20, round)
        } else {
            let mut next = list.changed(1, round);
            (0..n)
                .step_by(50)
                .for_each(|i| next.0[i].clone_from(&list.0[i]));
            next
        };
        let bytes = list.bytes();
        assert_ne!(merge(&mut cache, &schema, &bytes), usize::MAX);
        drop((list, bytes));
        most = most.max(dhat::HeapStats::get().curr_bytes - start);
    }
    println!(
        "over forty lists of which little survives: at most {} bytes a resource",
        most / n
    );
    assert!(most <= limit, "{most} bytes are more than {limit}");
}
