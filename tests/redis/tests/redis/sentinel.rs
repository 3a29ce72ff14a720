//! Three Sentinels, a master and its replica: the master is killed, and the replica takes over.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use resourcecache::json::JsonResource;
use resourcecache::{Config, Timestamp};
use resourcecache_redis::{Server, Tally, count, write};
use resourcecache_storage::redis::{RedisOptions, RedisStore, WaitFor};
use resourcecache_storage::{Store, StoredCache};

use crate::failures::replica_of;
use crate::until;

const WRITERS: u64 = 4;
const EACH: u64 = 300;
const SERVICE: &str = "zones";

struct Watched {
    master: Server,
    replica: Server,
    sentinels: Vec<Server>,
}

impl Watched {
    fn start() -> Option<Self> {
        let master = Server::start(&[])?;
        let replica = replica_of(&master)?;
        let sentinels = (0..3).map(|_| Server::start_sentinel(SERVICE, &master));
        let sentinels = sentinels.collect::<Option<Vec<_>>>()?;
        let watched = Self {
            master,
            replica,
            sentinels,
        };
        watched.until(
            "the Sentinels know each other and the replica",
            |sentinel| {
                let words: Vec<String> = sentinel.ask(&["SENTINEL", "MASTER", SERVICE]);
                let known = |what: &str, count: &str| words.windows(2).any(|w| w == [what, count]);
                known("num-other-sentinels", "2") && known("num-slaves", "1")
            },
        );
        Some(watched)
    }

    fn until(&self, what: &str, holds: impl Fn(&Server) -> bool) {
        until(what, || self.sentinels.iter().all(&holds));
    }

    /// The master goes on, and its replica hears nothing more of it.
    fn part(&self) {
        let no_sync = ["ACL", "SETUSER", "default", "-psync", "-sync"];
        self.master.ask::<()>(&no_sync);
        self.master
            .ask::<()>(&["CLIENT", "KILL", "TYPE", "replica"]);
        until("the replica is cut off", || {
            let role: String = self.replica.ask(&["INFO", "replication"]);
            role.contains("master_link_status:down")
        });
    }

    fn url(&self) -> String {
        let ports = self
            .sentinels
            .iter()
            .map(|s| format!("127.0.0.1:{}", s.port()));
        format!(
            "redis+sentinel://{}/{SERVICE}",
            ports.collect::<Vec<_>>().join(",")
        )
    }

    /// Kills the master; answers how long it took until the replica had its place.
    fn fail_over(&mut self) -> Duration {
        self.master.kill();
        let start = Instant::now();
        let port = self.replica.port().to_string();
        self.until("the replica is promoted", |sentinel| {
            let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE];
            sentinel.ask::<Vec<String>>(&ask).last() == Some(&port)
        });
        start.elapsed()
    }
}

fn store(url: &str, wait: bool) -> Arc<RedisStore> {
    let mut options = RedisOptions::default();
    options.wait = wait.then_some(WaitFor {
        replicas: 1,
        timeout: Duration::from_millis(300),
    });
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match RedisStore::open(url, options.clone()) {
            Ok(store) => return Arc::new(store),
            Err(error) => assert!(error.is_retryable() && Instant::now() < end, "{error}"),
        }
    }
}

/// Writers write while `act` goes on, which is told how many events are acknowledged; answers what
/// each was acknowledged.
fn write_during<T>(
    url: &str,
    wait: bool,
    act: impl FnOnce(&AtomicU64) -> T,
) -> (Vec<(Tally, Vec<String>)>, T) {
    let count = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| {
                let count = &count;
                scope.spawn(move || {
                    let mut done = Vec::new();
                    let tell = |id: &str| {
                        done.push(id.to_string());
                        count.fetch_add(1, Ordering::Relaxed);
                    };
                    let tally = write(store(url, wait), "shared", n, EACH, tell);
                    (tally, done)
                })
            })
            .collect();
        get_on(&count, WRITERS * EACH / 4);
        let acted = act(&count);
        let written = writers.into_iter().map(|w| w.join().expect("a writer"));
        (written.collect(), acted)
    })
}

/// Waits until so many more events are acknowledged.
fn get_on(count: &AtomicU64, more: u64) {
    let enough = count.load(Ordering::Relaxed) + more;
    until("the writers get on", || {
        count.load(Ordering::Relaxed) >= enough
    });
}

#[test]
fn with_wait_a_failover_to_the_one_replica_loses_nothing() {
    let Some(mut watched) = Watched::start() else {
        return;
    };
    let url = watched.url();
    let (written, took) = write_during(&url, true, |_| {
        let took = watched.fail_over();
        // The new master has no replica before its operator gives it one: commits wait for it.
        let promoted = watched.replica.port();
        watched.master.restart_behind(promoted);
        took
    });
    let again: u64 = written.iter().map(|(tally, _)| tally.again).sum();
    let found = count(store(&url, false), "shared", WRITERS, EACH);
    assert_eq!(found, WRITERS * EACH);
    assert!(again > 0, "the master was killed in the middle");
    let role: String = watched.replica.ask(&["INFO", "replication"]);
    assert!(role.contains("role:master"), "{role}");
    println!(
        "redis, Sentinel with WAIT 1: master killed, replica promoted after {:.1} s; {WRITERS} writers, \
         {found} events acknowledged, none lost, each once; {again} told to try again",
        took.as_secs_f64()
    );
}

#[test]
fn without_wait_the_instances_agree_after_a_failover_whatever_was_lost() {
    let Some(mut watched) = Watched::start() else {
        return;
    };
    let url = watched.url();
    let (written, took) = write_during(&url, false, |count| {
        watched.part();
        get_on(count, 20);
        watched.fail_over()
    });
    let (one, other) = (store(&url, false), store(&url, false));
    let open =
        |store| StoredCache::<JsonResource>::open(store, "shared", Config::default(), Timestamp(0));
    let cache = open(one).expect("opening");
    let again = open(other.clone()).expect("opening");
    assert_eq!(cache.cache().record(), again.cache().record());
    let items = cache.cache().all().map(|item| item.id().to_string());
    let all: Vec<String> = items.collect();
    let found: BTreeSet<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(found.len(), all.len(), "none is there twice");
    let mut lost = 0;
    for (_, done) in &written {
        let is_lost = |id: &&String| !found.contains(id.as_str());
        lost += done.iter().filter(is_lost).count();
        // What was acknowledged by the new master stays.
        assert!(
            done.last()
                .is_some_and(|last| found.contains(last.as_str()))
        );
    }
    assert!(lost >= 20, "{lost}: what no replica had is lost");
    let acknowledged: usize = written.iter().map(|(_, done)| done.len()).sum();
    assert_eq!(found.len() + lost, acknowledged, "nothing was made up");
    assert!(other.revision("shared").expect("reading").is_some());
    println!(
        "redis, Sentinel without WAIT: replica promoted after {:.1} s; {acknowledged} events acknowledged, \
         {lost} of them lost, the others there once",
        took.as_secs_f64()
    );
}
