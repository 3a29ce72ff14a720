//! The small worlds hold every law; a planted mistake breaks one.

use std::collections::BTreeSet;

use resourcecache_model_checking::{Mistake, World, explore_all, shortest};

/// What happens in the worlds, so that their laws hold for something. What is open is told in
/// docs/model-checking.md: when one is no longer found, its exception in the laws can go.
const SEEN: [&str; 8] = [
    "answered late",
    "confirmed",
    "failed",
    "not confirmed",
    "open: a deletion is confirmed by who does not know yet",
    "open: an edit of a creation ends with it",
    "stale",
    "the end",
];

#[test]
fn every_law_holds_in_every_small_world() {
    let all = explore_all(World::small());
    let mut seen = BTreeSet::new();
    for found in &all {
        println!("model check: {}", found.line());
        assert_eq!(found.broken, [], "{}", found.line());
        seen.extend(&found.seen);
    }
    let states: usize = all.iter().map(|found| found.states).sum();
    println!("model check: {states} states in {} worlds", all.len());
    assert_eq!(seen, BTreeSet::from(SEEN));
}

#[test]
fn a_planted_mistake_is_found() {
    for mistake in [Mistake::MarkTakenOff, Mistake::NoTtl] {
        let mut world = World::small().swap_remove(0);
        assert_eq!(shortest(&world, 5), None, "nothing is wrong yet");
        world.mistake = mistake;
        let (law, path) = shortest(&world, 5).expect("a law that does not hold");
        println!("model check: {mistake:?} breaks \"{law}\": {path:?}");
        assert_eq!(law, "a deleted resource stays hidden while guarded");
    }
}
