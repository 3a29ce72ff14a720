//! The same with the collections in Redis. `cargo xtask redis` gets one, and runs this.

use std::path::Path;

use resourcecache_demo::{Screen, Storage, run};
use resourcecache_redis::Server;

#[test]
fn killed_in_the_middle_it_goes_on_from_redis() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let storage = Storage::open(Some(&server.url())).unwrap();
    let screen = Screen {
        quiet: true,
        pause_ms: 0,
    };
    let demo = Path::new(env!("CARGO_BIN_EXE_demo"));
    let report = run(&storage, demo, false, screen).unwrap();
    assert_eq!(report.resourcecache, 0, "{report:#?}");
    assert!(report.naive > 0, "{report:#?}");
    let killed = report.killed.expect("it was killed");
    assert_eq!((killed.deleted, killed.failed), (3, 2), "{report:#?}");
    let left: Vec<String> = server.ask(&["KEYS", "*:parts"]);
    assert_eq!(left, [""; 0], "the run's collections are gone");
    println!(
        "redis, demo: killed in mid-deletion and started again, flickers {} (naive {})",
        report.resourcecache, report.naive
    );
}
