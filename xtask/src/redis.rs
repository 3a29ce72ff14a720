//! Runs the tests of the Redis store against real servers.

use crate::packages::Packages;
use crate::run::{Outcome, cargo_counts, cargo_text};

const REDIS: Packages = Packages {
    what: "Redis",
    folder: "redis",
    names: &["redis-server"],
    needed: &["usr/bin/redis-server"],
    backports: false,
};

/// Not each release of a distribution has it.
const VALKEY: Packages = Packages {
    what: "Valkey",
    folder: "valkey",
    names: &["valkey-server"],
    needed: &["usr/bin/valkey-server"],
    backports: true,
};

/// Gets Redis, for who runs something else with it.
pub(crate) fn fetch() -> Outcome {
    REDIS.fetch()
}

/// Runs the tests, and prints what they counted, and the examples. Without Redis the tests are skipped;
/// in CI they fail.
pub(crate) fn test() -> Outcome {
    let arguments = [
        "test",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-redis",
        "-p",
        "resourcecache-storage",
        "-p",
        "resourcecache-demo",
        "--lib",
        "--bins",
        "--test",
        "redis",
        "--",
        "--nocapture",
        "--test-threads=2",
    ];
    if let Err(problem) = VALKEY.fetch() {
        println!("without Valkey: {problem}");
    }
    REDIS.run(|| cargo_counts(&arguments, "redis, "))?;
    let examples = [
        "test",
        "--quiet",
        "--locked",
        "--doc",
        "-p",
        "resourcecache-storage",
        "--features",
        "redis-tls",
    ];
    cargo_text(&examples).map(drop)
}
