//! How often random histories reach each transition and each outcome: none may be left out.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use resourcecache::Settlement;
use resourcecache_testing::{Coverage, IDS, Player, States, history};

fn states(player: &Player) -> States {
    let items = player.cache.all().map(|i| i.id().to_string());
    let items: Vec<String> = items.collect();
    Coverage::states(&player.cache, items.iter().map(String::as_str).chain(IDS))
}

#[test]
fn every_transition_and_outcome_is_reached() {
    let mut runner = TestRunner::deterministic();
    let mut coverage = Coverage::default();
    let strategy = history(80);
    for round in 0..30_000 {
        let steps = strategy.new_tree(&mut runner).expect("a history").current();
        let mut player = Player::new(Player::config(), round % 2 == 0);
        for step in &steps {
            let before = states(&player);
            let Some(played) = player.play(step) else {
                continue;
            };
            if let Ok(applied) = &played.answer {
                coverage.note(&before, &states(&player), &played.event, applied);
            }
        }
    }
    println!("{:22}{:18}{:>9}", "state", "trigger", "reached");
    for pair in Coverage::expected() {
        let count = coverage.transitions.get(&pair).copied().unwrap_or_default();
        let (state, trigger) = (pair.0.to_string(), pair.1.to_string());
        println!("{state:22}{trigger:18}{count:>9}");
    }
    for settlement in Settlement::ALL {
        let count = coverage.outcomes.get(&settlement).copied();
        println!("{:40}{:>9}", settlement.name(), count.unwrap_or_default());
    }
    let never = coverage.unreached();
    assert!(never.is_empty(), "never reached: {never:?}");
}
