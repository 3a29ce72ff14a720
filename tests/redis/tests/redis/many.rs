//! Many instances at once: the contract, writers in threads and in processes, one server and three.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use resourcecache_redis::{Cluster, Proxy, Server, Tally, count, write};
use resourcecache_storage::redis::RedisOptions;
use resourcecache_storage::{Store, contract};

use crate::{commit, open, until, with};

const WRITERS: u64 = 8;
const EACH: u64 = 1_000;

#[test]
fn the_contract() {
    let Some(server) = Server::start(&["--appendfsync", "no"]) else {
        return;
    };
    contract::check(&|| open(&server.url()) as Arc<dyn Store>);
    println!(
        "redis, contract on one server: {} cases",
        contract::cases().count()
    );
}

#[test]
fn the_contract_on_a_cluster() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    contract::check(&|| open(&cluster.url()) as Arc<dyn Store>);
    let with_keys = cluster
        .servers
        .iter()
        .filter(|server| server.ask::<u64>(&["DBSIZE"]) > 0);
    assert_eq!(with_keys.count(), 3, "collections are on all servers");
    println!(
        "redis, contract on a cluster of 3: {} cases",
        contract::cases().count()
    );
}

/// Threads, each with a store of its own, write to one collection.
fn threads(url: &str, each: u64) -> (Tally, Duration) {
    threads_telling(url, each, &AtomicU64::new(0))
}

/// The same; `done` counts what is acknowledged.
fn threads_telling(url: &str, each: u64, done: &AtomicU64) -> (Tally, Duration) {
    let start = Instant::now();
    let tell = |_: &str| {
        done.fetch_add(1, Ordering::Relaxed);
    };
    let tallies = std::thread::scope(|scope| {
        let writers =
            (0..WRITERS).map(|n| scope.spawn(move || write(open(url), "shared", n, each, tell)));
        let writers: Vec<_> = writers.collect();
        let tallies = writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer"));
        tallies.collect::<Vec<_>>()
    });
    (sum(&tallies), start.elapsed())
}

fn sum(tallies: &[Tally]) -> Tally {
    Tally {
        acknowledged: tallies.iter().map(|tally| tally.acknowledged).sum(),
        again: tallies.iter().map(|tally| tally.again).sum(),
    }
}

fn tell(what: &str, tally: Tally, found: u64, took: Duration) {
    let (acknowledged, again) = (tally.acknowledged, tally.again);
    println!(
        "redis, {what}: {WRITERS} writers, {acknowledged} events acknowledged, {found} found, each once; \
         {again} told to try again; {:.1} s",
        took.as_secs_f64()
    );
}

#[test]
fn eight_writers_in_threads() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (tally, took) = threads(&server.url(), EACH);
    let found = count(open(&server.url()), "shared", WRITERS, EACH);
    assert_eq!(
        (tally.acknowledged, found),
        (WRITERS * EACH, WRITERS * EACH)
    );
    let revision = open(&server.url())
        .revision("shared")
        .expect("reading")
        .expect("it is there");
    assert_eq!(revision.number, WRITERS * EACH, "one commit for each event");
    tell("threads", tally, found, took);
}

#[test]
fn eight_writers_in_processes() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let start = Instant::now();
    let each = EACH.to_string();
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| {
            Command::new(env!("CARGO_BIN_EXE_writer"))
                .args([&server.url(), "shared", &n.to_string(), &each])
                .stdout(Stdio::piped())
                .spawn()
                .expect("a writer starts")
        })
        .collect();
    let tallies: Vec<Tally> = writers
        .into_iter()
        .map(|writer| {
            let output = writer.wait_with_output().expect("a writer ends");
            assert!(output.status.success());
            let text = String::from_utf8(output.stdout).expect("its output");
            let (acknowledged, again) = text.trim().split_once(' ').expect("two numbers");
            Tally {
                acknowledged: acknowledged.parse().expect("a number"),
                again: again.parse().expect("a number"),
            }
        })
        .collect();
    let (tally, took) = (sum(&tallies), start.elapsed());
    let found = count(open(&server.url()), "shared", WRITERS, EACH);
    assert_eq!(
        (tally.acknowledged, found),
        (WRITERS * EACH, WRITERS * EACH)
    );
    tell("processes", tally, found, took);
}

#[test]
fn eight_writers_through_a_network_that_loses_answers() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let proxy = Proxy::start(server.port());
    proxy.lose_one_of(50);
    let each = EACH / 2;
    let (tally, took) = threads(&proxy.url(), each);
    let found = count(open(&server.url()), "shared", WRITERS, each);
    assert_eq!(
        (tally.acknowledged, found),
        (WRITERS * each, WRITERS * each)
    );
    let revision = open(&server.url())
        .revision("shared")
        .expect("reading")
        .expect("it is there");
    assert_eq!(
        revision.number,
        WRITERS * each,
        "a commit whose answer was lost is done once"
    );
    let lost = proxy.lost();
    assert!(lost > 100, "{lost} answers lost");
    tell(
        &format!("{lost} answers lost by a proxy"),
        tally,
        found,
        took,
    );
}

#[test]
fn eight_writers_while_the_server_is_killed_and_started_again() {
    const KILLS: u64 = 5;
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let url = server.url();
    let each = EACH / 2;
    let done = AtomicU64::new(0);
    let (tally, took) = std::thread::scope(|scope| {
        let writers = scope.spawn(|| threads_telling(&url, each, &done));
        for kill in 1..=KILLS {
            until("the writers get on", || {
                done.load(Ordering::Relaxed) >= kill * WRITERS * each / (KILLS + 2)
            });
            server.kill();
            std::thread::sleep(Duration::from_millis(100));
            server.restart();
        }
        assert!(
            !writers.is_finished(),
            "the server was killed in the middle"
        );
        writers.join().expect("the writers")
    });
    let found = count(open(&server.url()), "shared", WRITERS, each);
    assert_eq!(
        (tally.acknowledged, found),
        (WRITERS * each, WRITERS * each)
    );
    tell(
        &format!("the server killed {KILLS} times (appendfsync always)"),
        tally,
        found,
        took,
    );
}

#[test]
fn eight_writers_on_a_cluster() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let each = EACH / 4;
    let (tally, took) = threads(&cluster.url(), each);
    let found = count(open(&cluster.url()), "shared", WRITERS, each);
    assert_eq!(
        (tally.acknowledged, found),
        (WRITERS * each, WRITERS * each)
    );
    tell("a cluster of 3", tally, found, took);
}

#[test]
fn collections_of_a_cluster_are_listed_from_all_its_servers() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut options = RedisOptions::default();
    options.prefix = "listed".into();
    let store = with(&cluster.url(), options);
    let keys: Vec<String> = (0..40).map(|n| format!("c{n:02}")).collect();
    for key in &keys {
        store.commit(key, &commit(None, [1])).expect("a commit");
    }
    assert_eq!(store.keys(None, usize::MAX).expect("listing"), keys);
    assert_eq!(
        store.keys(Some("c09"), 3).expect("listing"),
        ["c10", "c11", "c12"]
    );
}
