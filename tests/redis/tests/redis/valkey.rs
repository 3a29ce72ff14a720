//! Valkey, which began as a copy of Redis 7.2, with the same store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use resourcecache_redis::{Server, count, write};
use resourcecache_storage::{Store, contract};

use crate::{open, until};

const WRITERS: u64 = 4;
const EACH: u64 = 200;

#[test]
fn the_contract_and_writers_on_valkey() {
    let Some(mut server) = Server::start_valkey(&[]) else {
        return;
    };
    contract::check(&|| open(&server.url()) as Arc<dyn Store>);
    let url = server.url();
    let done = AtomicU64::new(0);
    let before = std::thread::scope(|scope| {
        for n in 0..WRITERS {
            let (url, done) = (&url, &done);
            scope.spawn(move || {
                write(open(url), "shared", n, EACH, |_| {
                    done.fetch_add(1, Ordering::Relaxed);
                })
            });
        }
        until("the writers are under way", || {
            done.load(Ordering::Relaxed) >= WRITERS * EACH / 4
        });
        server.kill();
        let before = done.load(Ordering::Relaxed);
        server.restart();
        before
    });
    assert!(
        before < WRITERS * EACH,
        "the server was killed in the middle"
    );
    let found = count(open(&url), "shared", WRITERS, EACH);
    assert_eq!(found, WRITERS * EACH);
    let version: String = server.ask(&["INFO", "server"]);
    let version = version
        .lines()
        .find_map(|line| line.strip_prefix("valkey_version:"));
    println!(
        "redis, Valkey {}: {} cases of the contract; killed after {before} of {found} events, each once",
        version.expect("it is Valkey"),
        contract::cases().count()
    );
}
