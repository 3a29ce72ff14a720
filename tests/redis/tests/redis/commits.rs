//! What a commit costs and keeps: the log, the ids, large collections, other processes' notices.

use std::time::Duration;

use resourcecache_redis::{Proxy, Server};
use resourcecache_storage::redis::RedisOptions;
use resourcecache_storage::{Since, Store, StoreErrorKind};

use crate::{commit, kind, load, open, until, with};

fn changed(
    store: &dyn Store,
    key: &str,
    since: resourcecache_storage::StoreRevision,
) -> (Since, usize) {
    let mut parts = 0;
    let since = store.changes_since(key, since, &mut |_, _| {
        parts += 1;
        Ok(())
    });
    (since.expect("reading changes"), parts)
}

#[test]
fn the_log_is_bounded_and_too_far_back_is_said() {
    let Some(server) = Server::start(&["--appendfsync", "no"]) else {
        return;
    };
    let mut options = RedisOptions::default();
    options.remembered_changes = 40;
    let store = with(&server.url(), options);
    let first = store.commit("a", &commit(None, [0])).expect("a commit");
    let mut last = first;
    for n in 1..100 {
        last = store
            .commit("a", &commit(Some(last), [n]))
            .expect("a commit");
    }
    let log: u64 = server.ask(&["HLEN", "resourcecache:{a}:log"]);
    assert_eq!(log, 20, "each commit is its one part and itself");
    assert_eq!(changed(&*store, "a", first), (Since::TooOld, 0));
    let mut back = last;
    back.number -= 20;
    assert_eq!(changed(&*store, "a", back), (Since::Changes(last), 20));
    back.number -= 1;
    assert_eq!(changed(&*store, "a", back), (Since::TooOld, 0));
    let large = store
        .commit("a", &commit(Some(last), 0..50))
        .expect("a commit");
    assert_eq!(
        changed(&*store, "a", last),
        (Since::TooOld, 0),
        "more than is remembered"
    );
    assert_eq!(changed(&*store, "a", large), (Since::Changes(large), 0));
    let next = store
        .commit("a", &commit(Some(large), [1]))
        .expect("a commit");
    assert_eq!(changed(&*store, "a", large), (Since::Changes(next), 1));
    println!("redis, log: bounded at 40, {log} commits remembered of 100");
}

#[test]
fn a_thousand_commits_are_known_by_their_ids() {
    let Some(server) = Server::start(&["--appendfsync", "no"]) else {
        return;
    };
    let store = open(&server.url());
    let first = commit(None, [0]);
    let mut last = store.commit("a", &first).expect("a commit");
    let second = commit(Some(last), [1]);
    let second_at = store.commit("a", &second).expect("a commit");
    last = second_at;
    for _ in 0..999 {
        last = store
            .commit("a", &commit(Some(last), []))
            .expect("a commit");
    }
    assert_eq!(store.commit("a", &second).expect("it is known"), second_at);
    assert_eq!(
        kind(store.commit("a", &first)),
        StoreErrorKind::Conflict,
        "forgotten"
    );
    let ids: u64 = server.ask(&["HLEN", "resourcecache:{a}:commits"]);
    assert_eq!(ids, 2_000, "a thousand, by id and by number");
}

#[test]
fn a_large_collection_is_read_in_pieces_while_it_changes() {
    const PARTS: u64 = 30_000;
    let Some(server) = Server::start(&["--appendfsync", "no"]) else {
        return;
    };
    let (store, other) = (open(&server.url()), open(&server.url()));
    let mut last = store
        .commit("a", &commit(None, 0..PARTS))
        .expect("a commit");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // Each commit takes one part out and puts one in; the numbers in it are always as many.
            for n in 0..400 {
                let mut swap = commit(Some(last), [PARTS + n]);
                swap.parts.push((crate::body(n), None));
                last = store.commit("a", &swap).expect("a commit");
            }
        });
        let mut seen = 0;
        while !writer.is_finished() || seen == 0 {
            let (revision, names) = load(&*other, "a").expect("it is there");
            let gone = revision.number - 1;
            let expected = (gone..PARTS + gone).map(crate::body);
            assert!(
                names.iter().cloned().eq(expected),
                "as of one revision, {revision}"
            );
            seen += 1;
        }
        println!("redis, large collection: {PARTS} parts loaded {seen} times during 400 commits");
    });
}

#[test]
fn scripts_that_were_flushed_are_sent_again() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = open(&server.url());
    let mut last = None;
    for n in 0..10 {
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        last = Some(store.commit("a", &commit(last, [n])).expect("a commit"));
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(
            load(&*store, "a").map(|(_, names)| names.len() as u64),
            Some(n + 1)
        );
    }
    let evaluated: String = server.ask(&["INFO", "commandstats"]);
    assert!(
        evaluated.contains("cmdstat_eval:"),
        "the text was sent: {evaluated}"
    );
    println!("redis, script cache flushed 20 times");
}

#[test]
fn an_idle_collection_expires_and_a_used_one_does_not() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut options = RedisOptions::default();
    options.idle = Some(Duration::from_millis(1_500));
    let store = with(&server.url(), options);
    store.commit("idle", &commit(None, [1])).expect("a commit");
    let mut used = store.commit("used", &commit(None, [1])).expect("a commit");
    store.commit("read", &commit(None, [1])).expect("a commit");
    for n in 0..8 {
        std::thread::sleep(Duration::from_millis(400));
        used = store
            .commit("used", &commit(Some(used), [n]))
            .expect("a commit");
        assert!(load(&*store, "read").is_some(), "what is read is in use");
    }
    assert_eq!(load(&*store, "idle"), None);
    assert_eq!(store.keys(None, 10).expect("listing"), ["read", "used"]);
    let keys: Vec<String> = server.ask(&["KEYS", "*{idle}*"]);
    assert_eq!(keys, [""; 0], "nothing of it is left");
    store
        .commit("idle", &commit(None, [2]))
        .expect("it is made anew");
    // Without an idle time, nothing expires any more.
    let keeps = open(&server.url());
    keeps
        .commit("used", &commit(Some(used), [9]))
        .expect("a commit");
    let ttl: i64 = server.ask(&["PTTL", "resourcecache:{used}:parts"]);
    assert_eq!(ttl, -1);
}

#[test]
fn a_notice_comes_at_once_and_after_the_connection_was_cut() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (store, other) = (open(&server.url()), open(&server.url()));
    let mut watch = other.watch("a").expect("watching").expect("Redis can");
    let mut another = other.watch("b").expect("watching").expect("Redis can");
    let mut last = store.commit("a", &commit(None, [0])).expect("a commit");
    assert!(watch.wait(Duration::from_secs(10)).expect("waiting"));
    assert!(
        !another.wait(Duration::from_millis(50)).expect("waiting"),
        "of another collection"
    );
    let mut slowest = Duration::ZERO;
    for n in 0..50 {
        let start = std::time::Instant::now();
        last = store
            .commit("a", &commit(Some(last), [n]))
            .expect("a commit");
        assert!(
            watch.wait(Duration::from_secs(10)).expect("waiting"),
            "notice {n}"
        );
        slowest = slowest.max(start.elapsed());
    }
    let cut: u64 = server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    assert!(cut >= 1);
    last = store
        .commit("a", &commit(Some(last), [1]))
        .expect("a commit");
    assert!(
        watch.wait(Duration::from_secs(10)).expect("waiting"),
        "something may have happened"
    );
    drop(another);
    store
        .commit("a", &commit(Some(last), [1]))
        .expect("a commit");
    assert!(watch.wait(Duration::from_secs(10)).expect("waiting"));
    println!(
        "redis, notices: 50 of 50, the slowest {} ms after its commit began",
        slowest.as_millis()
    );
}

/// What an earlier try removed, whose answer was lost, was there.
#[test]
fn a_deletion_whose_answer_is_lost_says_that_there_was_one() {
    let Some(server) = Server::start(&["--appendfsync", "no"]) else {
        return;
    };
    let proxy = Proxy::start(server.port());
    let store = open(&proxy.url());
    store.commit("a", &commit(None, [1])).expect("a commit");
    // The server knows the script from then on: that it does not is no answer to be lost.
    assert!(!store.delete("b", None).expect("deleting"));
    proxy.lose_one_of(1);
    let was = std::thread::scope(|scope| {
        let deleted = scope.spawn(|| store.delete("a", None));
        until("the answer is lost", || proxy.lost() > 0);
        proxy.lose_one_of(0);
        deleted.join().expect("no panic").expect("deleting")
    });
    assert!(was);
    assert_eq!(store.revision("a").expect("reading"), None);
    assert!(!store.delete("a", None).expect("deleting"));
}
