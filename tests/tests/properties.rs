//! What must always hold, over random histories: 10,000 of each property, in about twenty seconds.
//! `RESOURCECACHE_CASES` sets another number, of other histories each time. Failing histories are kept in `properties.regressions`.

mod common;

use proptest::prelude::*;
use resourcecache::{
    Changes, Event, Kind, Resource, ResourceCache, RowKey, Snapshot, State, Timestamp,
};
use resourcecache_testing::{Model, Played, Player, Step, Toy, check_laws, history};

type View = Vec<(RowKey, String, Toy, Option<String>)>;

/// Everything that a user sees of the list.
fn view(cache: &ResourceCache<Toy>) -> View {
    let meta = |m| serde_json::to_string(&m).unwrap();
    let row = |i: resourcecache::Item<'_, Toy>| {
        (
            i.key(),
            i.id().to_string(),
            i.body().clone(),
            i.meta().map(meta),
        )
    };
    cache.visible().map(row).collect()
}

fn bytes(cache: &ResourceCache<Toy>) -> Vec<u8> {
    serde_json::to_vec(&cache.record()).unwrap()
}

/// The old view with the changes applied, as a reader does it.
fn follow(mut view: View, changes: &Changes, cache: &ResourceCache<Toy>) -> View {
    view.retain(|row| {
        changes.removed.iter().all(|r| r.key != row.0)
            && changes.upserted.iter().all(|u| u.key != row.0)
    });
    for upsert in &changes.upserted {
        let at = upsert.after.map_or(0, |after| {
            view.iter().position(|r| r.0 == after).unwrap() + 1
        });
        let item = cache.row(upsert.key).unwrap();
        let meta = item.meta().map(|m| serde_json::to_string(&m).unwrap());
        view.insert(
            at,
            (item.key(), item.id().to_string(), item.body().clone(), meta),
        );
    }
    view
}

fn reload(cache: &ResourceCache<Toy>, now: i64) -> ResourceCache<Toy> {
    let record = serde_json::from_slice(&bytes(cache)).unwrap();
    ResourceCache::restore(cache.config().clone(), record, Timestamp(now)).unwrap()
}

proptest! {
    #![proptest_config(common::cases(10_000))]

    #[test]
    fn the_toy_keeps_the_laws(
        a in proptest::array::uniform3(0..3_i64), b in proptest::array::uniform3(0..3_i64),
        p in proptest::array::uniform3(proptest::option::of(0..3_i64)),
        q in proptest::array::uniform3(proptest::option::of(0..3_i64)),
    ) {
        prop_assert_eq!(check_laws(&Toy::new("x", a), &Toy::new("x", b), &p, &q), Ok(()));
    }

    /// DESIGN 9: changes lead from the old view to the new one, order included; from any revision.
    #[test]
    fn changes_lead_from_view_to_view(steps in history(40), versions: bool, since in 0..40_usize) {
        let mut player = Player::new(Player::config(), versions);
        let mut old = view(&player.cache);
        let (mut mark, mut marked) = (player.cache.revision(), old.clone());
        for (index, step) in steps.iter().enumerate() {
            let played = player.play(step);
            let new = view(&player.cache);
            match played.map(|p| p.answer) {
                Some(Ok(applied)) => {
                    let followed = follow(old, &applied.changes, &player.cache);
                    prop_assert_eq!(&followed, &new, "after {:?}: {:?}", step, applied.changes);
                }
                _ => prop_assert_eq!(&old, &new),
            }
            old = new;
            if index == since {
                (mark, marked) = (player.cache.revision(), old.clone());
            }
        }
        let changes = player.cache.changes_since(mark).unwrap();
        prop_assert_eq!(follow(marked, &changes, &player.cache), old);
    }

    /// A rejected input leaves the state's bytes as they were.
    #[test]
    fn what_is_refused_changes_nothing(steps in history(40), versions: bool) {
        let mut player = Player::new(Player::config(), versions);
        for step in &steps {
            let before = bytes(&player.cache);
            if let Some(Played { answer: Err(error), event, .. }) = player.play(step) {
                prop_assert_eq!(before, bytes(&player.cache), "{:?}: {}", event, error);
            }
        }
    }

    /// R1: a journal of events replays to the same bytes. And a reload in the middle changes
    /// nothing.
    #[test]
    fn journals_replay_and_reloads_go_on(steps in history(40), versions: bool, at in 0..40_usize) {
        let mut player = Player::new(Player::config(), versions);
        let mut twin: Option<ResourceCache<Toy>> = None;
        let mut replayed = ResourceCache::new(Player::config());
        for (index, step) in steps.iter().enumerate() {
            if index == at {
                // Loading does what is due, as every entry does.
                player.apply(Event::HandleTimeout);
                replayed.handle_timeout(Timestamp(player.now)).unwrap();
                twin = Some(reload(&player.cache, player.now));
            }
            let played = player.play(step);
            let Some(played) = played else { continue };
            let journal = serde_json::to_string(&played.event).unwrap();
            let event: Event<Toy> = serde_json::from_str(&journal).unwrap();
            let again = replayed.apply(event, played.now);
            prop_assert_eq!(again.is_ok(), played.answer.is_ok());
            prop_assert_eq!(bytes(&replayed), bytes(&player.cache));
            if let Some(twin) = &mut twin {
                let theirs = twin.apply(played.event.clone(), played.now);
                prop_assert_eq!(theirs.is_ok(), played.answer.is_ok(), "{:?}", played);
                prop_assert_eq!(view(twin), view(&player.cache));
            }
        }
    }

    /// Merging a snapshot twice changes nothing the second time.
    #[test]
    fn the_same_list_again_changes_nothing(steps in history(40), versions: bool) {
        let mut player = Player::new(Player::config(), versions);
        for step in &steps {
            player.play(step);
        }
        let list = Event::Merge(Snapshot::complete(player.server.list(player.time, 0)));
        player.apply(list.clone());
        let (before, shown) = (player.cache.revision(), view(&player.cache));
        let second = player.apply(list).answer.unwrap();
        prop_assert!(second.changes.is_empty(), "{:?}", second.changes);
        prop_assert_eq!(before, player.cache.revision());
        prop_assert_eq!(shown, view(&player.cache));
    }

    /// T3: ticking in between, as often as one likes, leads to the same view.
    #[test]
    fn ticks_change_nothing_but_the_time_of_it(steps in history(40), versions: bool) {
        // The peak of a clock that steps back counts only where somebody looked.
        let steps: Vec<Step> = steps.into_iter().filter(|s| !matches!(s, Step::StepBack { .. })).collect();
        let mut player = Player::new(Player::config(), versions);
        let mut ticked = Player::new(Player::config(), versions);
        for step in &steps {
            player.play(step);
            ticked.play(step);
            for _ in 0..2 {
                ticked.apply(Event::HandleTimeout);
            }
        }
        for one in [&mut player, &mut ticked] {
            one.apply(Event::HandleTimeout);
        }
        let bare = |p: &Player| p.cache.visible().map(|i| (i.id().to_string(), i.body().clone(), i.state())).collect::<Vec<_>>();
        prop_assert_eq!(bare(&player), bare(&ticked));
        let outcomes = |p: &Player| {
            let mut all: Vec<_> = p.cache.outcomes().map(|o| (o.operation, o.settlement)).collect();
            all.sort();
            all
        };
        prop_assert_eq!(outcomes(&player), outcomes(&ticked));
    }

    /// When the server has settled and the TTLs have passed, the next complete snapshot makes the
    /// view equal to the server.
    #[test]
    fn in_the_end_the_view_is_the_servers(steps in history(40), versions: bool) {
        let mut player = Player::new(Player::config(), versions);
        for step in &steps {
            player.play(step);
        }
        player.now += 1_000_000;
        player.time += 1_000_000;
        let truth = player.server.list(player.time, 0);
        player.apply(Event::Merge(Snapshot::complete(truth.clone())));
        let shown: Vec<Toy> = player.cache.visible().map(|i| i.body().clone()).collect();
        let pending: Vec<_> = player.cache.all().filter(|i| i.state().is_unsettled()).map(|i| (i.id(), i.state())).collect();
        prop_assert_eq!(shown, truth, "{:?}", pending);
    }

    /// T1: a clock that jumps back counts as no time passed.
    #[test]
    fn a_step_back_changes_nothing(steps in history(40), versions: bool, back in 1..10_000_000_i64, at in 0..40_usize) {
        let steps: Vec<Step> = steps.into_iter().filter(|s| !matches!(s, Step::StepBack { .. })).collect();
        let mut straight = Player::new(Player::config(), versions);
        let mut jumpy = Player::new(Player::config(), versions);
        for (index, step) in steps.iter().enumerate() {
            if index == at {
                // Both are told the time before the jump, so that nothing is due between.
                straight.apply(Event::HandleTimeout);
                jumpy.apply(Event::HandleTimeout);
                jumpy.now -= back;
                jumpy.apply(Event::HandleTimeout);
            }
            straight.play(step);
            jumpy.play(step);
        }
        let bare = |p: &Player| p.cache.visible().map(|i| (i.id().to_string(), i.body().clone(), i.state())).collect::<Vec<_>>();
        prop_assert_eq!(bare(&straight), bare(&jumpy));
        let ahead = |p: &Player| p.cache.poll_timeout().map(|t| t.0 - p.now);
        if at < steps.len() {
            prop_assert_eq!(ahead(&straight), ahead(&jumpy));
        }
    }

    /// Nothing is shown twice; hidden and visible states agree with the lifecycle.
    #[test]
    fn rows_and_states_are_consistent(steps in history(40), versions: bool) {
        let mut player = Player::new(Player::config(), versions);
        for step in &steps {
            player.play(step);
            let mut ids: Vec<_> = player.cache.all().map(|i| i.id()).collect();
            ids.sort();
            let count = ids.len();
            ids.dedup();
            prop_assert_eq!(ids.len(), count, "an id twice");
            for item in player.cache.visible() {
                let hidden = matches!(item.state(), State::Running(Kind::Delete) | State::Retrying(Kind::Delete) | State::Acknowledged(Kind::Delete) | State::Gone);
                prop_assert!(!hidden, "{} is {} and shown", item.id(), item.state());
                prop_assert_eq!(item.body().id(), item.id());
            }
        }
    }

    /// What is shown, and how operations settled, is what the naive model says, at every step.
    #[test]
    fn what_is_shown_is_what_the_model_says(steps in history(40)) {
        let mut player = Player::new(Player::config(), false);
        let mut model = Model::new(Player::config());
        let mut told: Vec<(u64, &'static str)> = Vec::new();
        for step in steps.iter().filter(|s| is_modelled(s)) {
            let Some(played) = player.play(step) else { continue };
            let Ok(applied) = played.answer else { continue };
            model.note(played.event, played.now, applied.token);
            told.extend(applied.changes.outcomes.iter().map(|o| (o.operation.0, o.settlement.name())));
            told.sort_unstable();
            let expected = model.seen();
            let row = |i: resourcecache::Item<'_, Toy>| (i.id().to_string(), i.body().fields, i.state().name());
            let rows: Vec<_> = player.cache.visible().map(row).collect();
            prop_assert_eq!(&rows, &expected.rows, "after {:?}", step);
            prop_assert_eq!(&told, &expected.outcomes, "after {:?}", step);
        }
    }
}

/// The part of the rules that the naive model knows.
fn is_modelled(step: &Step) -> bool {
    matches!(
        step,
        Step::Wait { .. }
            | Step::Tick
            | Step::Delete { .. }
            | Step::Update { .. }
            | Step::Create { .. }
            | Step::Recreate { .. }
            | Step::Acknowledge { .. }
            | Step::Fail { .. }
            | Step::Attempt { .. }
            | Step::Cancel { .. }
            | Step::ServerUpdate { .. }
            | Step::ServerDelete { .. }
            | Step::List { .. }
            | Step::Fetch { .. }
            | Step::Deliver { .. }
    )
}
