//! One event of a stream, from its bytes to the view, in lists of all sizes of which a hundredth is
//! pending: it must not cost more in a longer list.
#![allow(missing_docs, reason = "criterion's macros")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use resourcecache::json::{JsonResource, Schema};
use resourcecache::{
    CallId, JsonCache, Timestamp, WatchAction, WatchConfig, WatchPosition, WatchSession,
};
use resourcecache_benches::lists::{List, cache, schema};

const NOW: Timestamp = Timestamp(0);

/// So many events are told in a row before all begins anew.
const ROUND: usize = 32;

/// A session that watches.
fn watching() -> Option<(WatchSession<JsonResource>, CallId)> {
    let position = WatchPosition {
        version: Some("1".into()),
        sequence: None,
    };
    let mut session = WatchSession::resume(WatchConfig::kubernetes(), 1, position);
    let Some(WatchAction::Watch(watch)) = session.poll(NOW) else {
        return None;
    };
    session.handle_opened(watch.call, NOW);
    Some((session, watch.call))
}

/// Takes a message as a driver does.
fn take(
    cache: &mut JsonCache,
    session: &mut WatchSession<JsonResource>,
    (call, schema, message): (CallId, &Schema, &str),
) {
    let message = schema.watch_message(message.as_bytes());
    drop(session.handle_message(call, message, NOW));
    while let Some(action) = session.poll(NOW) {
        if let WatchAction::Apply(event) = action {
            let applied = cache.apply(*event, NOW);
            session.handle_applied(applied.as_ref(), NOW);
        }
    }
}

fn events(c: &mut Criterion) {
    let schema = schema();
    let mut group = c.benchmark_group("watch");
    for n in [100, 10_000, 100_000] {
        let list = List::new(n);
        let whole = cache(&schema, &list);
        let newer = list.changed(1, 1);
        // Spread over the list; those of 33 in a hundred are pending.
        let free = |turn: usize| turn * (n / ROUND) / 100 * 100 + turn % 30;
        let pending = |turn: usize| turn * (n / ROUND) / 100 * 100 + 33;
        let event = |kind: &str, body: &str| format!(r#"{{"type":"{kind}","object":{body}}}"#);
        let modified = |number: usize| event("MODIFIED", &newer.0[number]);
        let added = |turn: usize| event("ADDED", &list.0[free(turn)].replace("zone-", "new-"));
        let deleted = |turn: usize| event("DELETED", &newer.0[free(turn)]);
        let bookmark = r#"{"metadata":{"resourceVersion":"9"}}"#;
        let kinds: [(&str, Vec<String>); 5] = [
            ("added", (0..ROUND).map(added).collect()),
            ("modified", (0..ROUND).map(|t| modified(free(t))).collect()),
            (
                "modified, pending",
                (0..ROUND).map(|t| modified(pending(t))).collect(),
            ),
            ("deleted", (0..ROUND).map(deleted).collect()),
            ("bookmark", vec![event("BOOKMARK", bookmark); ROUND]),
        ];
        for (kind, messages) in kinds {
            group.throughput(criterion::Throughput::Elements(ROUND as u64));
            group.bench_function(BenchmarkId::new(kind, n), |b| {
                b.iter_batched_ref(
                    || (whole.clone(), watching()),
                    |(held, session)| {
                        let Some((session, call)) = session else {
                            return;
                        };
                        for message in &messages {
                            take(held, session, (*call, &schema, black_box(message)));
                        }
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(1)).warm_up_time(Duration::from_millis(300));
    targets = events
}
criterion_main!(benches);
