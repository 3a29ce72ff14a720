//! When a caller is to come back: deadlines, their reasons, and when asking the server is of use.

use resourcecache::json::Schema;
use resourcecache::{Config, JsonCache, Reason, Retry, Timestamp};

fn cache() -> JsonCache {
    let mut config = Config::default();
    config.ttl_ms = 1_000;
    let mut cache = JsonCache::new(config);
    let list = Schema::default().snapshot(br#"[{"id":"a"},{"id":"b"}]"#);
    cache.merge(list.unwrap(), Timestamp(0)).unwrap();
    cache
}

/// T4: an explanation names its reasons.
#[test]
fn every_reason_has_its_word() {
    let words = [
        (Reason::Retry, "retry"),
        (Reason::ErrorShown, "error shown"),
        (Reason::CompletionShown, "completion shown"),
        (Reason::Stale, "stale"),
        (Reason::TtlOver, "TTL over"),
        (Reason::TombstoneOver, "tombstone over"),
    ];
    for (reason, word) in words {
        assert_eq!(reason.name(), word);
    }
}

/// T4: asking is of use when the first TTL is over; what waits or has failed waits for no list.
#[test]
fn asking_is_of_use_at_the_end_of_the_first_ttl() {
    let mut cache = cache();
    assert_eq!(cache.next_poll(Timestamp(0)), None);
    let first = cache.mark_as_deleting("a", None, Timestamp(200)).unwrap();
    cache.mark_as_deleting("b", None, Timestamp(300)).unwrap();
    assert_eq!(cache.next_poll(Timestamp(300)), Some(Timestamp(1_200)));
    assert_eq!(cache.next_poll(Timestamp(9_000)), Some(Timestamp(9_000)));
    let first = first.operation().unwrap();
    cache
        .fail(first, "refused", Retry::No, Timestamp(400))
        .unwrap();
    assert_eq!(cache.next_poll(Timestamp(400)), Some(Timestamp(1_300)));
}

/// L1: what waits for its resource's creation is not decided by a list.
#[test]
fn what_waits_asks_for_no_list() {
    let mut cache = cache();
    let new = Schema::default().resource(br#"{"id":"t"}"#).unwrap();
    cache.add_as_creating(new, Timestamp(0)).unwrap();
    let edit = Schema::default().merge_patch(br#"{"n":1}"#).unwrap();
    cache.mark_as_updating("t", edit, Timestamp(500)).unwrap();
    assert_eq!(cache.next_poll(Timestamp(500)), Some(Timestamp(1_000)));
}

/// V1: what is hidden is known, and says why.
#[test]
fn a_hidden_item_is_not_visible() {
    let mut cache = cache();
    cache.mark_as_deleting("a", None, Timestamp(0)).unwrap();
    assert!(!cache.get_one("a").unwrap().is_visible());
    assert!(cache.get_one("b").unwrap().is_visible());
    assert!(cache.get_one("a").unwrap().meta().is_some());
    assert!(cache.get_one("b").unwrap().meta().is_none());
}
