//! Events that fail an operation (W10).

use crate::driven::Driven;
use resourcecache::json::Feed;
use resourcecache::{CallId, JsonCache, OperationId, Retry, Settlement, WatchConfig};

const WHY: &str = "quota is spent";

fn watching() -> (Driven, CallId) {
    let (mut driven, stream) = Driven::watching(WatchConfig::kubernetes(), &["a", "b"]);
    driven.nothing();
    (driven, stream)
}

/// The stream tells that what "a" waits for has failed.
fn fail(driven: &mut Driven, stream: CallId) {
    let feed =
        r#"{"word": "/op", "id": "/key", "error": "/why", "words": {"failed": ["rejected"]}}"#;
    let feed: Feed = serde_json::from_str(feed).unwrap();
    let message = format!(r#"{{"op":"rejected","key":"a","why":"{WHY}"}}"#);
    driven.feed(stream, &feed, &message).unwrap();
    driven.nothing();
}

/// What a user and a caller see of a collection.
fn seen(cache: &JsonCache) -> impl PartialEq + std::fmt::Debug + use<> {
    let rows = cache.visible().map(|row| format!("{row:?}"));
    let outcomes: Vec<_> = cache.outcomes().cloned().collect();
    let next = (cache.poll_timeout(), cache.should_poll());
    (rows.collect::<Vec<_>>(), outcomes, next)
}

fn deletes(driven: &mut Driven) -> OperationId {
    let at = driven.at();
    let marked = driven.cache.mark_as_deleting("a", None, at).unwrap();
    marked.operation().unwrap()
}

fn edits(driven: &mut Driven) -> OperationId {
    let patch = driven.schema.merge_patch(br#"{"x":1}"#).unwrap();
    let at = driven.at();
    let marked = driven.cache.mark_as_updating("a", patch, at).unwrap();
    marked.operation().unwrap()
}

fn is_accepted(driven: &mut Driven) -> OperationId {
    let operation = edits(driven);
    let at = driven.at();
    driven.cache.acknowledge(operation, None, at).unwrap();
    operation
}

/// W10: whatever it fails, it does what `fail` does, for good.
#[test]
fn an_event_does_what_fail_does() {
    for begins in [deletes, edits, is_accepted] {
        let (mut driven, stream) = watching();
        let operation = begins(&mut driven);
        let mut by_hand = driven.cache.clone();
        driven.now += 10;
        by_hand
            .fail(operation, WHY, Retry::No, driven.at())
            .unwrap();
        fail(&mut driven, stream);
        assert_eq!(seen(&driven.cache), seen(&by_hand));
        let outcome = driven.cache.outcomes().last().unwrap();
        assert_eq!(outcome.settlement, Settlement::Failed);
        assert_eq!(outcome.error.as_deref(), Some(WHY));
    }
}

/// W10: what waits for its next attempt is not under way; the server means an earlier one.
#[test]
fn what_waits_for_its_next_attempt_is_not_failed() {
    let (mut driven, stream) = watching();
    let operation = deletes(&mut driven);
    let (at, later) = (driven.at(), Retry::After(5_000));
    driven.cache.fail(operation, "busy", later, at).unwrap();
    let before = seen(&driven.cache);
    fail(&mut driven, stream);
    assert_eq!(seen(&driven.cache), before);
}

/// W10: without a key, the newest that was sent is meant.
#[test]
fn by_its_resource_the_newest_is_meant() {
    let (mut driven, stream) = watching();
    let (older, newer) = (edits(&mut driven), edits(&mut driven));
    fail(&mut driven, stream);
    let failed = |driven: &Driven| driven.cache.outcomes().last().unwrap().operation;
    assert_eq!(failed(&driven), newer);
    fail(&mut driven, stream);
    assert_eq!(failed(&driven), older);
}
