//! Async code over a store: nothing is half done, whatever is dropped, and when.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use resourcecache::json::{JsonResource, Schema};
use resourcecache::{Config, Event, Timestamp};
use resourcecache_storage::{
    AsyncStoredCache, Collections, Error, Limits, MemoryStore, SqliteStore, Store, StoreErrorKind,
    StoredCache,
};

type Cache = AsyncStoredCache<JsonResource>;

const NOW: Timestamp = Timestamp(0);

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

async fn open(store: &Arc<dyn Store>) -> Cache {
    Cache::open(store.clone(), "zones", Config::default(), NOW)
        .await
        .unwrap()
}

fn anew(store: &Arc<dyn Store>) -> StoredCache<JsonResource> {
    StoredCache::open(store.clone(), "zones", Config::default(), NOW).unwrap()
}

fn list(ids: std::ops::Range<usize>) -> Event<JsonResource> {
    let items: Vec<String> = ids.map(|id| format!("{{\"id\":\"z{id}\"}}")).collect();
    let list = format!("[{}]", items.join(","));
    Event::Merge(Schema::default().snapshot(list.as_bytes()).unwrap())
}

fn create(id: String) -> Event<JsonResource> {
    let body = format!("{{\"id\":\"{id}\"}}");
    Event::Create {
        resource: Schema::default().resource(body.as_bytes()).unwrap(),
        min_ttl_ms: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_as_the_blocking_one() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(folder.path().join("a.sqlite")).unwrap());
    let (here, there) = (open(&store).await, open(&store).await);
    assert_eq!((here.key(), here.revision().await), ("zones", None));
    let mut watch = there.watch().await.unwrap().expect("SQLite can");
    here.apply(list(0..3), NOW).await.unwrap();
    assert!(watch.wait(Duration::from_secs(10)).await.unwrap());
    assert!(!watch.wait(Duration::from_millis(10)).await.unwrap());
    let changes = there.sync().await.unwrap();
    assert_eq!(changes.upserted.len(), 3);
    let deleted = there
        .update(|zones| zones.mark_as_deleting("z1", None, NOW))
        .await
        .unwrap();
    assert_eq!(deleted.value.operations.len(), 1);
    let committed = here.apply(create("new".into()), NOW).await.unwrap();
    assert_eq!(committed.caught_up.len(), 1, "there was first");
    there.sync().await.unwrap();
    assert_eq!(here.cache().await.record(), there.cache().await.record());
    assert_eq!(here.revision().await, there.revision().await);
    assert_eq!(here.cache().await.record(), anew(&store).cache().record());
    let refused = here
        .update(|zones| zones.mark_as_deleting("", None, NOW))
        .await;
    assert!(matches!(refused, Err(Error::Core(_))));
    here.update(|zones| zones.queue(create("sent".into()), 0, NOW))
        .await
        .unwrap();
    assert!(here.lead("here", 60_000).await.unwrap());
    assert!(!there.lead("there", 60_000).await.unwrap());
    there.sync().await.unwrap();
    assert_eq!(there.poll_attempt(NOW).await.unwrap().value.0, None);
    assert!(here.poll_attempt(NOW).await.unwrap().value.0.is_some());
    here.step_down("here").await.unwrap();
    assert!(there.lead("there", 60_000).await.unwrap());
}

/// A future is polled a few times and dropped: what it asked for is there whole, or not at all, and the
/// collection goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_future_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = resourcecache_storage::SqliteOptions::default();
    options.synchronous = resourcecache_storage::Synchronous::Normal;
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open_with(folder.path().join("a.sqlite"), options).unwrap());
    let cache = open(&store).await;
    cache.apply(list(0..1), NOW).await.unwrap();
    let other = anew(&store);
    let (mut done, mut not) = (0, 0);
    for round in 0..200_usize {
        let twice = cache.update(move |zones| {
            // Both, or neither.
            zones.apply(create(format!("a{round}")), NOW)?;
            zones.apply(create(format!("b{round}")), NOW)
        });
        let mut twice = Box::pin(twice);
        // Somebody else is at it, so that it has to wait for that first, in a third of the rounds.
        let busy = match round % 3 {
            0 => Some(cache.cache().await),
            _ => None,
        };
        for _ in 0..round % 4 {
            let polled = twice.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if let Poll::Ready(committed) = polled {
                committed.unwrap();
                break;
            }
            std::thread::sleep(Duration::from_micros(50 * (round as u64 % 7)));
        }
        drop(busy);
        drop(twice);
        // Whoever asks next waits for what was begun.
        let known = {
            let cache = cache.cache().await;
            ["a", "b"].map(|name| cache.get_one(&format!("{name}{round}")).is_some())
        };
        assert_eq!(known[0], known[1], "round {round}: half of it is there");
        if known[0] {
            done += 1;
        } else {
            not += 1;
        }
        let saved = anew(&store);
        assert_eq!(
            saved.cache().record(),
            cache.cache().await.record(),
            "round {round}"
        );
    }
    println!("async: of 200 dropped futures {done} were done, {not} not begun");
    assert!(done > 20 && not > 20, "{done} {not}");
    cache.apply(create("last".into()), NOW).await.unwrap();
    let mut other = other;
    other.sync().unwrap();
    assert_eq!(other.cache().record(), cache.cache().await.record());
    assert_eq!(other.cache().all().count(), 1 + 2 * done + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timeouts_and_tasks_that_are_aborted_lose_no_answered_event() {
    let store = memory();
    let cache = open(&store).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for task in 0..8 {
        let (cache, answered) = (cache.clone(), answered.clone());
        tasks.push(tokio::spawn(async move {
            for n in 0..50 {
                let add = cache.apply(create(format!("t{task}-{n}")), NOW);
                let limit = Duration::from_micros(if n % 2 == 0 { 1 } else { 1_000_000 });
                if let Ok(added) = tokio::time::timeout(limit, add).await {
                    added.unwrap();
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
    }
    for task in tasks.drain(..3) {
        tokio::time::sleep(Duration::from_millis(2)).await;
        task.abort();
    }
    for task in tasks {
        task.await.unwrap();
    }
    let count = cache.cache().await.all().count();
    let answered = answered.load(Ordering::SeqCst);
    assert!(
        count >= answered,
        "{answered} were answered, {count} are there"
    );
    assert!(answered >= 5 * 25);
    assert_eq!(anew(&store).cache().record(), cache.cache().await.record());
    let commits = cache.revision().await.map(|revision| revision.number);
    assert_eq!(commits, Some(count as u64), "each is there once");
}

#[tokio::test]
async fn a_panic_is_passed_on_and_nothing_of_it_is_left() {
    let store = memory();
    let cache = open(&store).await;
    cache.apply(list(0..3), NOW).await.unwrap();
    let torn = cache.clone();
    let panic = tokio::spawn(async move {
        torn.update(|zones| {
            zones.mark_as_deleting("z1", None, NOW)?;
            if zones.visible().count() == 2 {
                panic!("as the test asks");
            }
            Ok(())
        })
        .await
    });
    let panic = panic.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&"as the test asks"));
    assert_eq!(cache.cache().await.visible().count(), 3, "it is taken back");
    cache.apply(create("new".into()), NOW).await.unwrap();
    assert_eq!(cache.cache().await.visible().count(), 4);
    assert_eq!(anew(&store).cache().record(), cache.cache().await.record());
}

/// The same of the blocking one, by whoever catches panics.
#[test]
fn a_panic_in_the_blocking_one_leaves_nothing_either() {
    let store = memory();
    let mut cache = anew(&store);
    cache.apply(list(0..3), NOW).unwrap();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = cache.update(|zones| -> Result<(), resourcecache::Error> {
            zones.mark_as_deleting("z1", None, NOW)?;
            panic!("as the test asks");
        });
    }));
    assert!(panic.is_err());
    let added = cache.apply(create("new".into()), NOW).unwrap();
    assert_eq!(added.caught_up.len(), 1, "it was read anew");
    assert_eq!(
        cache.cache().visible().count(),
        4,
        "the deletion is not in it"
    );
    assert_eq!(anew(&store).cache().record(), cache.cache().record());
}

#[tokio::test]
async fn what_is_heard_while_nobody_waits_is_told_later() {
    let store = memory();
    let cache = open(&store).await;
    let mut watch = cache.watch().await.unwrap().expect("memory can");
    let waited = tokio::time::timeout(
        Duration::from_millis(20),
        watch.wait(Duration::from_secs(60)),
    );
    assert!(waited.await.is_err(), "nothing has happened");
    // The thread of the dropped future hears of it.
    cache.apply(list(0..1), NOW).await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(watch.wait(Duration::ZERO).await.unwrap());
    assert!(!watch.wait(Duration::from_millis(300)).await.unwrap());
}

/// While a store takes its time, the executor does other things.
#[tokio::test]
async fn the_executor_does_not_wait_for_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
    let cache = open(&store).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let waiting = {
        let (cache, done) = (cache.clone(), done.clone());
        tokio::spawn(async move {
            cache.apply(list(0..1), NOW).await.unwrap();
            done.store(true, Ordering::SeqCst);
        })
    };
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!done.load(Ordering::SeqCst));
    other.execute_batch("ROLLBACK").unwrap();
    waiting.await.unwrap();
}

#[test]
fn a_runtime_that_shuts_down_ends_what_was_begun() {
    let store = memory();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cache = runtime.block_on(open(&store));
    for n in 0..20 {
        let cache = cache.clone();
        runtime.spawn(async move { cache.apply(create(format!("n{n}")), NOW).await });
    }
    drop(runtime);
    let count = anew(&store).cache().all().count();
    let commits = store.revision("zones").unwrap().map_or(0, |r| r.number);
    assert_eq!(commits, count as u64);
    // It can be used in another one.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        cache.apply(create("after".into()), NOW).await.unwrap();
        assert_eq!(cache.cache().await.all().count(), count + 1);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_collections() {
    let mut limits = Limits::default();
    limits.collections = 2;
    let projects = Arc::new(Collections::<JsonResource>::new(
        memory(),
        Config::default(),
        limits,
    ));
    let tasks = (0..40).map(|n| {
        let projects = projects.clone();
        tokio::spawn(async move {
            let key = format!("p{}", n % 5);
            let add = move |zones: &mut StoredCache<JsonResource>| {
                zones.apply(create(format!("z{n}")), NOW)
            };
            projects.with_async(key, NOW, add).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    for n in 0..5 {
        let count = projects.with_async(format!("p{n}"), NOW, |zones| {
            Ok(zones.cache().all().count())
        });
        assert_eq!(count.await.unwrap(), 8);
    }
    assert!(projects.len() <= 2);
    let error = projects
        .with_async("p1", NOW, |_| {
            let error = resourcecache_storage::StoreError::new(StoreErrorKind::Other, None, "no");
            Err::<(), _>(error.into())
        })
        .await;
    assert!(error.is_err());
}
