//! One of several instances sends a collection's outbox.

use std::sync::Arc;
use std::time::{Duration, Instant};

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Timestamp};
use resourcecache_redis::Server;
use resourcecache_storage::redis::RedisStore;
use resourcecache_storage::{Error, Leased, Store, StoreErrorKind, StoredCache};

use crate::{commit, kind, open};

const TTL_MS: u64 = 400;

fn cache(store: Arc<RedisStore>) -> StoredCache<JsonResource> {
    StoredCache::open(store, "shared", Config::default(), Timestamp(0)).expect("opening")
}

#[test]
fn a_holder_that_dies_in_mid_send_is_followed_and_cannot_go_on() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let (mut dying, mut next) = (cache(open(&server.url())), cache(open(&server.url())));
    for n in 0..3 {
        let body = format!("{{\"id\":\"z{n}\"}}");
        let resource = Schema::default()
            .resource(body.as_bytes())
            .expect("a resource");
        let create = Event::Create {
            resource,
            min_ttl_ms: None,
        };
        let queued = dying.update(|c| c.queue(create.clone(), 0, Timestamp(0)));
        queued.expect("an event");
    }
    assert!(dying.lead("one", TTL_MS).expect("a lease"));
    next.sync().expect("reading");
    assert!(!next.lead("two", TTL_MS).expect("a lease"), "one at a time");
    let nothing = next.poll_attempt(Timestamp(1)).expect("polling");
    assert_eq!(nothing.value.0, None, "who does not lead sends nothing");
    let first = dying
        .poll_attempt(Timestamp(1))
        .expect("polling")
        .value
        .0
        .expect("something is queued");

    // The holder is not heard of any more: it neither renews nor releases.
    let start = Instant::now();
    while !next.lead("two", 60_000).expect("a lease") {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    next.sync().expect("reading");
    let under_way = next.cache().attempt_of(first.operation);
    assert_eq!(
        under_way.map(|a| (a.operation, a.number)),
        Some((first.operation, first.number)),
        "what was sent is known"
    );
    let second = next
        .poll_attempt(Timestamp(2))
        .expect("polling")
        .value
        .0
        .expect("more is queued");
    assert_ne!(second.operation, first.operation);

    // It was only slow: it thinks that it leads still.
    let late = dying.poll_attempt(Timestamp(3)).expect_err("it is fenced");
    assert!(
        matches!(&late, Error::Store(e) if e.kind == StoreErrorKind::Fenced),
        "{late}"
    );
    assert!(!late.is_retryable());
    let took = start.elapsed().as_millis();
    println!("redis, lease: of {TTL_MS} ms taken over after {took} ms; the first holder is fenced");
}

#[test]
fn a_lease_that_was_lost_with_its_server_is_not_taken_for_a_later_one() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let store = open(&server.url());
    let old = store.acquire("a", "send", "one", 60_000).expect("a lease");
    let old = old.fence().expect("it is held").clone();
    // As after a failover to a replica that had not heard of it.
    server.ask::<()>(&["DEL", "resourcecache:{a}:lease:send"]);
    let mut late = commit(None, [1]);
    late.fence = Some(old.clone());
    assert_eq!(kind(store.commit("a", &late)), StoreErrorKind::Fenced);
    let Leased::Held(new) = store.acquire("a", "send", "two", 60_000).expect("a lease") else {
        panic!("nobody holds it");
    };
    assert!(new.token > old.token, "{new:?} after {old:?}");
    assert_eq!(kind(store.commit("a", &late)), StoreErrorKind::Fenced);
}
