//! How many histories a property is tried on.

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// `usually` many, the same ones on every machine; as many others as `RESOURCECACHE_CASES` asks
/// for, where it is set. Failing ones are kept beside the test.
pub(crate) fn cases(usually: u32) -> Config {
    let asked = std::env::var("RESOURCECACHE_CASES");
    let asked: Option<u32> = asked.ok().and_then(|n| n.parse().ok());
    Config {
        rng_seed: asked.map_or(RngSeed::Fixed(20_250_119), |_| RngSeed::Random),
        cases: asked.unwrap_or(usually),
        max_global_rejects: 10_000_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::default()
    }
}
