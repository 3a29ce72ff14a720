//! Runs the tests of the watch adapters against servers that nobody here wrote: etcd, and the test
//! server of libwebsockets.

use crate::packages::Packages;
use crate::run::{Outcome, cargo_counts};

const SERVERS: Packages = Packages {
    what: "etcd or libwebsockets' test server",
    folder: "streams",
    names: &["etcd-server", "libwebsockets-test-server"],
    needed: &["usr/bin/etcd", "usr/bin/libwebsockets-test-server"],
    backports: false,
};

/// Runs the tests, and prints what they counted. Without the servers they are skipped; in CI they
/// fail.
pub(crate) fn test() -> Outcome {
    let arguments = [
        "test",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-streams",
        "--",
        "--nocapture",
    ];
    SERVERS.run(|| cargo_counts(&arguments, "streams, "))
}
