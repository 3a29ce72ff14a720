//! Servers that die, and replicas that take over.

use std::time::{Duration, Instant};

use resourcecache_redis::Server;
use resourcecache_storage::redis::{RedisOptions, WaitFor};
use resourcecache_storage::{Since, Store, StoreErrorKind};

use crate::{commit, kind, load, open, until, with};

pub(crate) fn replica_of(server: &Server) -> Option<Server> {
    let replica = Server::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())])?;
    let end = Instant::now() + Duration::from_secs(30);
    while !replica
        .ask::<String>(&["INFO", "replication"])
        .contains("master_link_status:up")
    {
        assert!(Instant::now() < end, "the replica does not follow");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(replica)
}

#[test]
fn a_commit_that_a_failover_lost_is_not_taken_for_the_one_in_its_place() {
    let Some(mut master) = Server::start(&[]) else {
        return;
    };
    let replica = replica_of(&master).expect("a replica");
    let store = open(&master.url());
    let first = store.commit("a", &commit(None, [1])).expect("a commit");
    let has = || replica.ask::<Option<u64>>(&["HGET", "resourcecache:{a}:info", "number"]);
    let end = Instant::now() + Duration::from_secs(30);
    while has() != Some(1) {
        assert!(Instant::now() < end, "the replica does not follow");
        std::thread::sleep(Duration::from_millis(5));
    }
    // The replica hears no more; what follows is acknowledged and lost.
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    let lost = store
        .commit("a", &commit(Some(first), [2]))
        .expect("a commit");
    master.kill();

    let promoted = open(&replica.url());
    assert_eq!(promoted.revision("a").expect("reading"), Some(first));
    let instead = promoted
        .commit("a", &commit(Some(first), [3]))
        .expect("a commit");
    assert_eq!(instead.number, lost.number);
    assert_ne!(instead, lost, "the same number, another history");
    let since = promoted
        .changes_since("a", lost, &mut |_, _| Ok(()))
        .expect("reading");
    assert_eq!(since, Since::TooOld, "who has seen what is lost loads anew");
    assert_eq!(
        kind(promoted.commit("a", &commit(Some(lost), [4]))),
        StoreErrorKind::Conflict
    );
    println!("redis, failover: {lost} was lost, {instead} is in its place, and is told apart");
}

/// A commit waits so many milliseconds at most for one replica to have it.
fn waiting(timeout_ms: u64) -> RedisOptions {
    let mut options = RedisOptions::default();
    options.wait = Some(WaitFor {
        replicas: 1,
        timeout: Duration::from_millis(timeout_ms),
    });
    options
}

#[test]
fn a_commit_waits_for_replicas() {
    let Some(master) = Server::start(&[]) else {
        return;
    };
    let replica = replica_of(&master).expect("a replica");
    let store = with(&master.url(), waiting(5_000));
    let first = store.commit("a", &commit(None, [1])).expect("a commit");
    let there: Option<String> = replica.ask(&["HGET", "resourcecache:{a}:info", "number"]);
    assert_eq!(
        there.as_deref(),
        Some("1"),
        "when it is answered, the replica has it"
    );

    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    let store = with(&master.url(), waiting(100));
    let second = commit(Some(first), [2]);
    let error = store.commit("a", &second).expect_err("no replica has it");
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable());
    // Repeated, on another connection: it is known, and it is waited for nevertheless.
    let again = with(&master.url(), waiting(100)).commit("a", &second);
    assert_eq!(kind(again), StoreErrorKind::Unavailable);
    let port = master.port().to_string();
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &port]);
    let end = Instant::now() + Duration::from_secs(30);
    let done = loop {
        match store.commit("a", &second) {
            Ok(revision) => break revision,
            Err(error) => assert!(Instant::now() < end, "{error}"),
        }
    };
    assert_eq!(done, first.next(), "done once");
    assert_eq!(
        load(&*store, "a").map(|(at, names)| (at, names.len())),
        Some((done, 2))
    );
}

/// What an earlier try wrote is waited for, too, on a connection that has written nothing.
#[test]
fn a_commit_that_is_repeated_waits_for_a_replica_that_lags() {
    let Some(master) = Server::start(&[]) else {
        return;
    };
    let replica = replica_of(&master).expect("a replica");
    let [store, other] = [(); 2].map(|()| with(&master.url(), waiting(100)));
    // Opening writes, too: the replica has said that it has that.
    until("the replica has all", || {
        let info: String = master.ask(&["INFO", "replication"]);
        let number = |from: &str| {
            let (_, rest) = info.split_once(from)?;
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse::<u64>()
                .ok()
        };
        number(",offset=").is_some_and(|has| Some(has) == number("master_repl_offset:"))
    });
    replica.pause();
    let first = commit(None, [1]);
    for store in [store, other] {
        assert_eq!(kind(store.commit("a", &first)), StoreErrorKind::Unavailable);
    }
}

#[test]
fn a_server_that_is_away_for_a_moment_is_waited_for() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    let store = open(&server.url());
    let first = store.commit("a", &commit(None, [1])).expect("a commit");
    server.kill();
    let second = std::thread::scope(|scope| {
        let writer = scope.spawn(|| store.commit("a", &commit(Some(first), [2])));
        std::thread::sleep(Duration::from_millis(500));
        server.restart();
        writer.join().expect("a writer")
    });
    second.expect("the server came back in time");
    server.kill();
    let mut options = RedisOptions::default();
    options.patience = Duration::from_millis(300);
    let start = Instant::now();
    let error = resourcecache_storage::redis::RedisStore::open(&server.url(), options)
        .expect_err("it is away");
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "tries are bounded"
    );
}
