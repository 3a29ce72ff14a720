//! What only the inside can show: a fault of the core.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::error::HostError;

fn cache() -> Arc<JsonCache> {
    let cache = JsonCache::new(None, None, Some(ManualClock::new(0))).expect("the defaults");
    cache
        .merge(br#"[{"id":"a"}]"#, None, None)
        .expect("a good list");
    cache
}

#[test]
fn a_fault_while_reading_is_an_error_and_no_more() {
    let cache = cache();
    let asked: Result<(), _> = cache.read(|_| panic!("out of wits"));
    let problem = asked.expect_err("it panicked").to_string();
    assert!(
        problem.ends_with("please report it: out of wits"),
        "{problem}"
    );
    assert_eq!(cache.visible_count(), Ok(1));
}

#[test]
fn a_fault_while_changing_is_told_by_every_later_call() {
    let cache = cache();
    let done: Result<(), _> = cache.change(|_, _| panic!("half done"));
    let broken = done.expect_err("it panicked");
    assert!(matches!(&broken, CacheError::Broken { problem } if problem.contains("half done")));
    assert_eq!(cache.visible_count().expect_err("it is broken"), broken);
    assert_eq!(cache.remove("a".into()).expect_err("it is broken"), broken);
}

/// Asks the cache from within, then fails in every way there is.
struct Nosy {
    cache: Arc<JsonCache>,
    heard: AtomicU64,
}

impl ChangeObserver for Nosy {
    fn changed(&self, revision: u64) -> Result<(), HostError> {
        assert_eq!(self.cache.revision(), Ok(revision)); // a lock that is held would never return
        match self.heard.fetch_add(1, Ordering::SeqCst) {
            0 => Err(HostError::Failed {
                problem: "on purpose".into(),
            }),
            _ => panic!("on purpose"),
        }
    }
}

#[test]
fn observers_are_called_unlocked_once_a_change_and_harm_nobody() {
    let cache = cache();
    let nosy = Arc::new(Nosy {
        cache: Arc::clone(&cache),
        heard: AtomicU64::new(0),
    });
    let subscription = cache.subscribe(nosy.clone());
    cache.mark_as_deleting("a".into(), None).expect("first");
    cache.revert("a".into()).expect("second");
    cache
        .handle_timeout()
        .expect("nothing is due, so nothing is told");
    cache
        .mark_as_deleting("".into(), None)
        .expect_err("refused, so nothing is told");
    assert_eq!(nosy.heard.load(Ordering::SeqCst), 2);
    assert!(cache.unsubscribe(subscription));
    assert!(!cache.unsubscribe(subscription));
    cache.mark_as_deleting("a".into(), None).expect("third");
    assert_eq!(nosy.heard.load(Ordering::SeqCst), 2);
}
