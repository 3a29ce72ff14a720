//! Runs the tests of the Redis store against real servers.

use crate::packages::Packages;
use crate::run::{Outcome, cargo_counts, cargo_text};

const REDIS: Packages = Packages {
    what: "Redis",
    folder: "redis",
    names: &["redis-server"],
    needed: &["usr/bin/redis-server"],
};

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
