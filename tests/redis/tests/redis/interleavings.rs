//! Random histories of several caches, with conflicts, crashes and lost answers, as `storage/tests` plays
//! them over its own stores.

#[path = "../../../../storage/tests/interleavings/faulty.rs"]
mod faulty;
#[path = "../../../../storage/tests/interleavings/play.rs"]
mod play;

use proptest::test_runner::{Config, RngSeed, TestRunner};
use resourcecache_redis::Server;

use crate::open;

#[test]
fn caches_over_redis_agree_with_one() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(20_250_119),
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let store = open(&server.url());
    let counts = std::cell::RefCell::new((play::Counts::default(), 0));
    let played = runner.run(&play::steps(3), |steps| {
        let (counts, number) = &mut *counts.borrow_mut();
        *number += 1;
        play::play(
            3,
            &steps,
            &format!("history {number}"),
            &|| store.clone(),
            counts,
        )
    });
    if let Err(error) = played {
        panic!("{error}");
    }
    let (counts, number) = counts.into_inner();
    println!("redis, interleavings: {number} histories: {counts:?}");
    assert!(counts.conflicts > 0 && counts.crashes > 0 && counts.unheard > 0);
}
