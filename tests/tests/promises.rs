//! What the library promises its users, each as a property of its own over random histories.
//! `RESOURCECACHE_CASES` sets how many of each, of other histories each time (10,000 by default,
//! the same ones each time, in a few seconds).

mod common;

use proptest::prelude::*;
use resourcecache::{
    Event, Kind, OperationId, Resource, ResourceCache, Retry, RowKey, Snapshot, State, Timestamp,
    WatchEvent,
};
use resourcecache_testing::{FIELD_COUNT, Player, Server, Step, Told, Toy, history};

const TTL_MS: i64 = 1000;
const STALE_MS: i64 = 5000;

fn shown(cache: &ResourceCache<Toy>) -> Vec<(String, [i64; FIELD_COUNT], State)> {
    cache
        .visible()
        .map(|i| (i.id().to_string(), i.body().fields, i.state()))
        .collect()
}

fn only_looks(step: &Step) -> bool {
    matches!(
        step,
        Step::Wait { .. }
            | Step::Tick
            | Step::List { .. }
            | Step::ListSome { .. }
            | Step::Fetch { .. }
            | Step::Deliver { .. }
            | Step::ServerUpdate { .. }
    )
}

/// Lists that lag for less than the TTL.
fn within_the_ttl(step: &Step) -> bool {
    match step {
        Step::List { lag } | Step::Fetch { lag } => *lag < TTL_MS,
        Step::ListSome { .. } => false,
        _ => true,
    }
}

fn server_write() -> impl Strategy<Value = (usize, usize, i64)> {
    (0..4_usize, 0..3_usize, 1..5_i64)
}

proptest! {
    #![proptest_config(common::cases(10_000))]

    /// Never shown: a resource whose deletion is within its TTL (D1, G2, S6).
    #[test]
    fn a_deletion_within_its_ttl_never_shows(steps in history(40)) {
        let mut player = Player::new(Player::config(), false);
        let mut marked: Vec<(String, i64, OperationId)> = Vec::new();
        for step in steps.iter().filter(|s| only_looks(s) || matches!(s, Step::Delete { .. } | Step::Update { .. } | Step::ServerDelete { .. } | Step::Bookmark)) {
            let Some(played) = player.play(step) else { continue };
            if let (Event::Begin { id, kind: Kind::Delete, .. }, Ok(applied)) = (&played.event, &played.answer) {
                // A second mark is the first one (L5).
                let operation = applied.operation().unwrap();
                if marked.iter().all(|m| m.2 != operation) {
                    marked.push((id.to_string(), player.time, operation));
                }
            }
            for (id, at, _) in &marked {
                let guarded = player.time < at + TTL_MS;
                prop_assert!(!guarded || player.cache.visible().all(|i| i.id() != id), "{id} is shown");
            }
        }
    }

    /// Never missing, never twice: a creation has one row under one key, from the mark on, for as
    /// long as it is not given up and replicas lag for less than the TTL (C1, C2, V6).
    #[test]
    fn a_creation_has_one_row(steps in history(40)) {
        let mut player = Player::new(Player::config(), false);
        let mut created: Vec<(RowKey, i64, bool)> = Vec::new();
        let wanted = |s: &&Step| within_the_ttl(s) && (only_looks(s) || matches!(s, Step::Create { .. } | Step::Acknowledge { .. }));
        for step in steps.iter().filter(wanted) {
            let Some(played) = player.play(step) else { continue };
            let Ok(applied) = played.answer else { continue };
            match &played.event {
                Event::Create { resource, .. } => {
                    let key = player.cache.get_one(&resource.id).unwrap().key();
                    created.push((key, player.time, false));
                }
                Event::Acknowledge { answer: Some(toy), .. } => {
                    let key = player.cache.get_one(&toy.id).unwrap().key();
                    for one in created.iter_mut().filter(|c| c.0 == key) {
                        one.2 = true;
                    }
                }
                _ => {}
            }
            for (key, begun, answered) in &created {
                if *answered || player.time < begun + STALE_MS {
                    let rows = player.cache.visible().filter(|i| i.key() == *key).count();
                    prop_assert_eq!(rows, 1, "{:?} after {:?}: {:?}", key, step, applied.changes);
                }
            }
            let mut ids: Vec<_> = player.cache.visible().map(|i| i.id()).collect();
            let count = ids.len();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), count);
        }
    }

    /// Whatever happened, no operation is remembered when all times are over, nor is a resource that
    /// the server has not (K1, D3).
    #[test]
    fn nothing_is_remembered_for_ever(steps in history(40), versions: bool, all_gone: bool) {
        let mut player = Player::new(Player::config(), versions);
        for step in &steps {
            player.play(step);
        }
        for _ in 0..3 {
            player.now += 10 * STALE_MS;
            player.time += 10 * STALE_MS;
            let list = if all_gone { Vec::new() } else { player.server.list(player.time, 0) };
            player.apply(Event::Merge(Snapshot::complete(list))).answer.unwrap();
            player.apply(Event::HandleTimeout);
        }
        let list = if all_gone { 0 } else { player.server.list(player.time, 0).len() };
        let record = serde_json::to_value(player.cache.record()).unwrap();
        let rows = record["rows"].as_array().unwrap();
        prop_assert_eq!(rows.len(), list);
        for row in rows {
            prop_assert_eq!(&row["operations"], &serde_json::json!([]), "{}", row);
        }
    }

    /// Cancelling or failing an operation leaves exactly what would be without it (L2, L3, V2). Its
    /// value is one that nobody else writes: an equal one of the server would count as ours (U4).
    #[test]
    fn taking_back_is_exact(
        before in history(25), between in history(10), after in history(10),
        id in 0..5_usize, kind in 0..3_usize, value in 7..9_i64, fail: bool,
    ) {
        let mut with = Player::new(Player::config(), false);
        for step in &before {
            with.play(step);
        }
        with.apply(Event::HandleTimeout);
        let mut without = with.clone();
        let id = ["a", "b", "c", "t1", "r4"][id];
        let (kind, patch) = match kind {
            0 => (Kind::Delete, None),
            1 => (Kind::Update, Some([Some(value), None, None])),
            _ => (Kind::Process, None),
        };
        let unsettled: Vec<_> = with.cache.operations(id).iter().map(|o| o.id).collect();
        let begun = with.apply(Event::Begin { id: id.into(), kind, patch, min_ttl_ms: None });
        let operation = begun.answer.ok().and_then(|a| a.operation());
        prop_assume!(operation.is_some_and(|o| !unsettled.contains(&o)));
        let operation = operation.unwrap();
        for step in between.iter().filter(|s| only_looks(s)) {
            with.play(step);
            without.play(step);
        }
        // What has settled meanwhile is not there to be taken back.
        let open = |p: &Player| p.cache.operations(id).iter().any(|o| o.id == operation);
        with.apply(Event::HandleTimeout);
        without.apply(Event::HandleTimeout);
        prop_assume!(open(&with));
        if fail {
            with.apply(Event::Fail { operation, error: "e".into(), retry: Retry::No });
            for player in [&mut with, &mut without] {
                player.now += 500;
                player.time += 500;
                player.apply(Event::HandleTimeout);
            }
        } else {
            with.apply(Event::Cancel { operation });
        }
        prop_assert_eq!(shown(&with.cache), shown(&without.cache));
        for step in after.iter().filter(|s| only_looks(s)) {
            with.play(step);
            without.play(step);
            prop_assert_eq!(shown(&with.cache), shown(&without.cache), "after {:?}", step);
        }
    }

    /// Acknowledging in any order ends the same (L3, U5).
    #[test]
    fn answers_in_any_order_end_the_same(
        patches in proptest::collection::vec((0..FIELD_COUNT, 1..4_i64), 2..4),
        order in Just(vec![0_usize, 1, 2]).prop_shuffle(), looks in history(10),
    ) {
        let end = |order: &[usize]| {
            let mut player = Player::new(Player::config(), false);
            player.apply(Event::Merge(Snapshot::complete(player.server.list(player.time, 0))));
            let mut operations = Vec::new();
            for (field, value) in &patches {
                let mut patch = [None; FIELD_COUNT];
                patch[*field] = Some(*value);
                let begin = Event::Begin { id: "a".into(), kind: Kind::Update, patch: Some(patch), min_ttl_ms: None };
                operations.push(player.apply(begin).answer.unwrap().operation().unwrap());
                player.server.update("a", &patch, player.time);
            }
            for index in order.iter().filter(|i| **i < operations.len()) {
                player.apply(Event::Acknowledge { operation: operations[*index], answer: None }).answer.unwrap();
            }
            let mut views = vec![shown(&player.cache)];
            for step in looks.iter().filter(|s| only_looks(s)) {
                player.play(step);
                views.push(shown(&player.cache));
            }
            views
        };
        prop_assert_eq!(end(&[0, 1, 2]), end(&order));
    }

    /// A stream of events and a re-list of the same history end in the same view (W2).
    #[test]
    fn a_stream_and_a_list_agree(
        writes in proptest::collection::vec(server_write(), 1..20),
        deletes in proptest::option::of(0..3_usize), updates in proptest::option::of(0..3_usize),
    ) {
        let mut server = Server::new(true);
        let mut streamed = ResourceCache::new(Player::config());
        streamed.merge(Snapshot::complete(server.list(0, 0)), Timestamp(0)).unwrap();
        let ids = ["a", "b", "c"];
        if let Some(index) = updates {
            streamed.mark_as_updating(ids[index], [Some(9), None, None], Timestamp(0)).unwrap();
        }
        if let Some(index) = deletes {
            streamed.mark_as_deleting(ids[index], None, Timestamp(0)).unwrap();
        }
        let mut listed = streamed.clone();
        for (what, index, value) in writes {
            match what {
                0 => drop(server.create(None, [value, 0, 0], None, 1)),
                1 => drop(server.delete(ids[index], 1)),
                _ => drop(server.update(ids[index], &[None, Some(value), None], 1)),
            }
        }
        for told in server.told.clone() {
            let event = match told {
                Told::Added(toy) => WatchEvent::Added(toy),
                Told::Modified(toy) => WatchEvent::Modified(toy),
                Told::Deleted(toy) => WatchEvent::Deleted(toy),
            };
            streamed.observe(event, Timestamp(10)).unwrap();
        }
        listed.merge(Snapshot::complete(server.list(10, 0)), Timestamp(10)).unwrap();
        let ids_of = |c: &ResourceCache<Toy>| c.visible().map(|i| (i.body().id().to_string(), i.body().fields)).collect::<Vec<_>>();
        prop_assert_eq!(ids_of(&streamed), ids_of(&listed));
        let again = streamed.merge(Snapshot::complete(server.list(10, 0)), Timestamp(11)).unwrap();
        prop_assert!(again.changes.upserted.is_empty() && again.changes.removed.is_empty(), "{:?}", again.changes);
    }
}
