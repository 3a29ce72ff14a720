//! Values at the ends of their ranges: an answer or an error, never a panic.

use resourcecache::json::Schema;
use resourcecache::{Change, Config, JsonCache, Kind, MetadataPatch, Retry, Timestamp};

/// The first and the last millisecond that RFC 3339 can write, and some between.
const TIMES: [i64; 5] = [
    -62_167_219_200_000,
    -1,
    0,
    1_700_000_000_000,
    253_402_300_799_999,
];

fn list() -> resourcecache::Snapshot<resourcecache::json::JsonResource> {
    Schema::default()
        .snapshot(br#"[{"id":"a","n":1},{"id":"b"}]"#)
        .unwrap()
}

#[test]
fn any_two_times_in_any_order() {
    for first in TIMES {
        for second in TIMES {
            for ttl in [0, 1, u64::MAX] {
                let mut config = Config::default();
                config.ttl_ms = ttl;
                config.stale_after_ms = u64::MAX;
                config.error_shown_ms = u64::MAX;
                config.completed_shown_ms = u64::MAX;
                config.retry_backoff_ms = u64::MAX;
                let mut cache = JsonCache::new(config.clone());
                cache.merge(list(), Timestamp(first)).unwrap();
                let begun = cache
                    .mark_as_deleting("a", Some(u64::MAX), Timestamp(second))
                    .unwrap();
                let operation = begun.operation().unwrap();
                cache
                    .fail(operation, "e", Retry::After(u64::MAX), Timestamp(first))
                    .unwrap();
                cache.attempt(operation, Timestamp(second)).unwrap();
                cache
                    .fail(operation, "e", Retry::Backoff, Timestamp(first))
                    .unwrap();
                cache
                    .mark_as_processing("b", Kind::Process, Timestamp(second))
                    .unwrap();
                cache.complete("b", Timestamp(first)).unwrap();
                let (token, _) = cache.begin_fetch(Timestamp(second));
                cache
                    .merge(list().with_token(token), Timestamp(first))
                    .unwrap();
                cache
                    .cleanup_stale_operations(0, Timestamp(second))
                    .unwrap();
                cache.handle_timeout(Timestamp(first)).unwrap();
                let _ = (
                    cache.poll_timeout(),
                    cache.next_poll(Timestamp(second)),
                    cache.explain("a").to_string(),
                );
                let saved = serde_json::to_string(&cache.record()).unwrap();
                let loaded = serde_json::from_str(&saved).unwrap();
                JsonCache::restore(config, loaded, Timestamp(second)).unwrap();
            }
        }
    }
}

#[test]
fn times_that_cannot_be_written_are_refused() {
    let mut cache = JsonCache::new(Config::default());
    for at in [-62_167_219_200_000, 253_402_300_799_999] {
        assert!(cache.merge(list(), Timestamp(at)).is_ok());
    }
    let before = serde_json::to_vec(&cache.record()).unwrap();
    for at in [i64::MIN, -62_167_219_200_001, 253_402_300_800_000, i64::MAX] {
        let error = cache.merge(list(), Timestamp(at)).unwrap_err();
        assert_eq!(error.kind(), resourcecache::ErrorKind::BadInput, "{error}");
    }
    assert_eq!(before, serde_json::to_vec(&cache.record()).unwrap());
}

#[test]
fn numbers_that_are_none_are_refused() {
    let mut cache = JsonCache::new(Config::default());
    cache.merge(list(), Timestamp(0)).unwrap();
    cache
        .mark_as_processing("a", Kind::Process, Timestamp(0))
        .unwrap();
    for progress in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 100.1] {
        let patch = MetadataPatch {
            progress: Change::Set(progress),
            ..MetadataPatch::default()
        };
        assert!(
            cache.update_metadata("a", patch, Timestamp(0)).is_err(),
            "{progress}"
        );
    }
    let never = MetadataPatch {
        started_at: Change::Set(Timestamp(i64::MAX)),
        ..MetadataPatch::default()
    };
    assert!(cache.update_metadata("a", never, Timestamp(0)).is_err());
    let most = MetadataPatch {
        ttl: Change::Set(u64::MAX),
        min_ttl: Change::Set(u64::MAX),
        retry_count: Change::Set(u32::MAX),
        ..MetadataPatch::default()
    };
    let begun = cache.update_metadata("a", most, Timestamp(0)).unwrap();
    cache
        .fail(
            begun.operation().unwrap(),
            "e",
            Retry::Backoff,
            Timestamp(0),
        )
        .unwrap();
}
