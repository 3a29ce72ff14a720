//! How often random histories reach each transition and each outcome: none may be left out.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use resourcecache::{Event, Kind, OperationId, Settlement, State, Trigger};
use resourcecache_testing::{IDS, Player, Toy, history};

type States = BTreeMap<OperationId, State>;

fn states(player: &Player) -> States {
    let items = player
        .cache
        .all()
        .map(|i| i.id().to_string())
        .collect::<Vec<_>>();
    let ids = items.iter().map(String::as_str).chain(IDS);
    ids.flat_map(|id| player.cache.operations(id))
        .map(|o| (o.id, o.state))
        .collect()
}

/// By what an operation went from one state to another, or left.
fn trigger(
    before: State,
    after: Option<State>,
    outcome: Option<Settlement>,
    event: &Event<Toy>,
) -> Option<Trigger> {
    let ended = |by: &[Trigger]| {
        by.iter()
            .copied()
            .find(|t| before.next(*t).is_ok_and(|to| !to.is_unsettled()))
    };
    let observed = matches!(event, Event::Merge(_) | Event::Observe(_));
    let taken_back = matches!(event, Event::Cancel { .. } | Event::Revert { .. });
    if let Some(after) = after {
        return Trigger::all().find(|t| before.next(*t) == Ok(after));
    }
    match outcome {
        _ if taken_back => ended(&[Trigger::Cancel]),
        Some(Settlement::Confirmed) => ended(&[Trigger::Confirm, Trigger::Expire]),
        Some(Settlement::NotConfirmed) => ended(&[Trigger::Expire]),
        Some(Settlement::Superseded) => ended(&[Trigger::Supersede]),
        Some(Settlement::Cancelled) => ended(&[Trigger::Cancel]),
        Some(Settlement::Stale) => ended(&[Trigger::Stale]),
        Some(Settlement::Failed) => None,
        None if matches!(event, Event::Remove { .. }) => ended(&[Trigger::Remove]),
        None if matches!(before, State::Failed(_)) && observed => ended(&[Trigger::Supersede]),
        None if matches!(before, State::Failed(_)) => ended(&[Trigger::Expire]),
        None => None, // a stale deletion that a list decides: its outcome was told before
    }
}

#[test]
fn every_transition_and_outcome_is_reached() {
    let mut runner = TestRunner::deterministic();
    let mut pairs: BTreeMap<(State, Trigger), usize> = BTreeMap::new();
    let mut outcomes: BTreeMap<Settlement, usize> = BTreeMap::new();
    let strategy = history(80);
    for round in 0..30_000 {
        let steps = strategy.new_tree(&mut runner).expect("a history").current();
        let mut player = Player::new(Player::config(), round % 2 == 0);
        for step in &steps {
            let before = states(&player);
            let Some(played) = player.play(step) else {
                continue;
            };
            let Ok(applied) = played.answer else { continue };
            let after = states(&player);
            for outcome in &applied.changes.outcomes {
                *outcomes.entry(outcome.settlement).or_default() += 1;
            }
            for (id, state) in &before {
                let now = after.get(id).copied();
                let mut told = applied
                    .changes
                    .outcomes
                    .iter()
                    .filter(|o| o.operation == *id);
                let (outcome, more) = (told.next().map(|o| o.settlement), told.next());
                if now != Some(*state)
                    && more.is_none()
                    && let Some(trigger) = trigger(*state, now, outcome, &played.event)
                {
                    *pairs.entry((*state, trigger)).or_default() += 1;
                }
            }
            for (id, state) in after.iter().filter(|(id, _)| !before.contains_key(id)) {
                let _ = id;
                if let (State::Running(kind), Some(_)) = (state, state.kind()) {
                    *pairs
                        .entry((State::Idle, Trigger::Begin(kind.to_owned())))
                        .or_default() += 1;
                }
            }
        }
    }
    println!("{:22}{:18}{:>9}", "state", "trigger", "reached");
    let mut never = Vec::new();
    for edge in State::edges() {
        // What the resource does when no operation is on it, and what `remove` does, has no
        // operation to be seen by.
        let seen = edge.from.is_unsettled() || edge.from == State::Idle;
        if !seen || edge.trigger == Trigger::Remove || !reachable(edge.from, edge.trigger) {
            continue;
        }
        let count = pairs
            .get(&(edge.from, edge.trigger))
            .copied()
            .unwrap_or_default();
        println!(
            "{:22}{:18}{count:>9}",
            edge.from.to_string(),
            edge.trigger.to_string()
        );
        if count == 0 {
            never.push(format!("{} {}", edge.from, edge.trigger));
        }
    }
    for settlement in Settlement::ALL {
        let count = outcomes.get(&settlement).copied().unwrap_or_default();
        println!("{:40}{count:>9}", settlement.name());
        if count == 0 {
            never.push(settlement.name().to_string());
        }
    }
    assert!(never.is_empty(), "never reached: {never:?}");
}

/// What fails or is complete is not given up: the end of its error or completion settles it before.
fn reachable(from: State, trigger: Trigger) -> bool {
    let shown = matches!(from, State::Failed(_) | State::Acknowledged(Kind::Process));
    !(shown && trigger == Trigger::Stale)
}
