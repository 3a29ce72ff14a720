//! Runs the tests against PowerDNS.

use crate::packages::Packages;
use crate::run::{Outcome, cargo_counts};

const POWERDNS: Packages = Packages {
    what: "PowerDNS",
    folder: "pdns",
    names: &["pdns-server", "pdns-backend-sqlite3", "sqlite3"],
    needed: &[
        "usr/sbin/pdns_server",
        "usr/share/pdns-backend-sqlite3",
        "usr/bin/sqlite3",
    ],
    backports: false,
};

/// Runs the tests, and prints what they counted. Without PowerDNS they are skipped; in CI they
/// fail.
pub(crate) fn test() -> Outcome {
    let arguments = [
        "test",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-pdns",
        "--",
        "--nocapture",
    ];
    POWERDNS.run(|| cargo_counts(&arguments, "PowerDNS, "))
}
