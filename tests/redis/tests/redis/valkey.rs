//! Valkey, which began as a copy of Redis 7.2, with the same store.

use std::sync::Arc;

use resourcecache_redis::{Server, count, write};
use resourcecache_storage::{Store, contract};

use crate::open;

#[test]
fn the_contract_and_writers_on_valkey() {
    let Some(mut server) = Server::start_valkey(&[]) else {
        return;
    };
    contract::check(&|| open(&server.url()) as Arc<dyn Store>);
    let url = server.url();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let url = &url;
            scope.spawn(move || write(open(url), "shared", n, 200, |_| {}));
        }
        std::thread::sleep(std::time::Duration::from_millis(150));
        server.restart();
    });
    let found = count(open(&url), "shared", 4, 200);
    let version: String = server.ask(&["INFO", "server"]);
    let version = version
        .lines()
        .find_map(|line| line.strip_prefix("valkey_version:"));
    println!(
        "redis, Valkey {}: {} cases of the contract; killed in the middle, {found} events, each once",
        version.expect("it is Valkey"),
        contract::cases().count()
    );
}
