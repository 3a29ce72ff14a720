//! Several processes on one file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use resourcecache::{Config, Event, Kind, Snapshot, Timestamp};
use resourcecache_storage::{SqliteStore, StoredCache};
use resourcecache_testing::Toy;

use crate::child::{Running, integrity, say, this};

fn config() -> Config {
    let mut config = Config::default();
    config.retry.attempt_timeout_ms = 1_000;
    config
}

fn open(path: &str) -> StoredCache<Toy> {
    let store = Arc::new(SqliteStore::open(path).unwrap());
    StoredCache::open(store, "zones", config(), Timestamp(0)).unwrap()
}

fn list(count: u64) -> Event<Toy> {
    let items = (0..count).map(|n| Toy::new(format!("z{n}"), [0, 0, 0]));
    Event::Merge(Snapshot::complete(items.collect()))
}

/// The child: marks these as being deleted.
pub(crate) fn delete(from: u64, to: u64, path: &str) {
    let mut cache = open(path);
    let (mut met, mut retried) = (0, 0);
    for n in from..to {
        let id = format!("z{n}");
        let done = loop {
            match cache.update(|c| c.mark_as_deleting(id.as_str(), None, Timestamp(1))) {
                Ok(done) => break done,
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
            retried += 1;
        };
        met += done.caught_up.len();
    }
    say(&format!("{met} {retried}"));
}

#[test]
fn two_processes_on_one_file_lose_none_of_each_others_writes() {
    const EACH: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zones.sqlite");
    let text = path.to_str().unwrap();
    let mut here = open(text);
    here.apply(list(2 * EACH), Timestamp(0)).unwrap();
    let start = |n| {
        let task = format!("delete {} {} {text}", n * EACH, (n + 1) * EACH);
        Running::start(&mut this(), &task)
    };
    let children = [start(0), start(1)];
    let (mut met, mut retried) = (0, 0);
    for child in children {
        let (succeeded, said) = child.end();
        assert!(succeeded, "{said:?}");
        let (of_met, of_retried) = said.last().unwrap().split_once(' ').unwrap();
        met += of_met.parse::<u32>().unwrap();
        retried += of_retried.parse::<u32>().unwrap();
    }
    let changes = here.sync().unwrap();
    assert_eq!(
        changes.removed.len() as u64,
        2 * EACH,
        "readers are told of all"
    );
    assert_eq!(here.cache().visible().count(), 0);
    assert_eq!(
        here.revision().unwrap().number,
        1 + 2 * EACH,
        "each was done once"
    );
    assert_eq!(here.cache().record(), open(text).cache().record());
    assert_eq!(integrity(&path), "ok");
    println!(
        "sqlite, two processes: {} events, each once; {met} commits of the other met, {retried} told to try \
         again",
        2 * EACH
    );
}

/// The child: sends what is queued, as the one who does, and is killed in the middle.
pub(crate) fn send(holder: &str, ttl: u64, path: &str) {
    let mut cache = open(path);
    assert!(cache.lead(holder, ttl).unwrap());
    let (attempt, _) = cache.poll_attempt(Timestamp(10)).unwrap().value;
    say(&format!("sending {}", attempt.unwrap().key));
    std::thread::sleep(Duration::from_secs(60));
}

/// The lease of a sender that dies passes on, and the same attempt is sent again under its key.
#[test]
fn when_the_sender_is_killed_another_sends_the_same() {
    const TTL: u64 = 400;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zones.sqlite");
    let text = path.to_str().unwrap();
    let mut here = open(text);
    here.apply(list(3), Timestamp(0)).unwrap();
    let begin = Event::Begin {
        id: "z1".into(),
        kind: Kind::Delete,
        patch: None,
        min_ttl_ms: None,
    };
    let queue = Event::Queue {
        begin: Box::new(begin),
        send_after_ms: 0,
    };
    here.apply(queue, Timestamp(5)).unwrap();
    let mut child = Running::start(&mut this(), &format!("send child {TTL} {text}"));
    let said = child.next().unwrap();
    let key = said.strip_prefix("sending ").unwrap().to_string();
    assert!(!here.lead("here", TTL).unwrap(), "one sends");
    let polled = here.poll_attempt(Timestamp(20)).unwrap();
    assert_eq!(polled.value.0, None, "and the others do not");
    child.kill();
    let start = Instant::now();
    while !here.lead("here", TTL).unwrap() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "the lease never expires"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    here.sync().unwrap();
    // Under way until it counts as lost, then sent again when its backoff is over.
    let mut again = None;
    for now in (100..20_000).step_by(100) {
        here.lead("here", TTL).unwrap();
        again = here.poll_attempt(Timestamp(now)).unwrap().value.0;
        if again.is_some() {
            assert!(now >= 1_000, "it was under way still");
            break;
        }
    }
    let again = again.expect("it is sent again");
    assert_eq!((again.key, again.number), (key, 2));
}
