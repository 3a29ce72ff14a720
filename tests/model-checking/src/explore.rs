//! Explores worlds whole, and tells what was found.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use stateright::{Checker, HasDiscoveries, Model};

use crate::model::Exploration;
use crate::state::Action;
use crate::world::World;

/// What was found in a world.
#[derive(Clone, Debug)]
pub struct Found {
    /// The world.
    pub world: World,
    /// How many different states it has.
    pub states: usize,
    /// How many ways lead from one to another.
    pub steps: usize,
    /// How many steps it takes to the farthest.
    pub depth: usize,
    /// The laws that do not hold, each with a way to a state in which it does not.
    pub broken: Vec<(&'static str, Vec<Action>)>,
    /// What was to happen somewhere, and did.
    pub seen: BTreeSet<&'static str>,
}

/// Explores a world whole.
pub fn explore(world: World) -> Found {
    let checker = Exploration::new(world).checker().spawn_bfs().join();
    let (mut broken, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, path) in checker.discoveries() {
        let property = checker.model().property(name);
        if property.expectation.discovery_is_failure() {
            broken.push((name, path.into_actions()));
        } else {
            seen.insert(name);
        }
    }
    Found {
        world: checker.model().world.clone(),
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth() - 1, // it counts states
        broken,
        seen,
    }
}

/// Explores several, two at a time.
pub fn explore_all(worlds: Vec<World>) -> Vec<Found> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // The last ones are the largest.
                while let Some(left) = worlds
                    .len()
                    .checked_sub(1 + next.fetch_add(1, Ordering::Relaxed))
                {
                    let one = explore(worlds[left].clone());
                    let mut all = found.lock().unwrap_or_else(PoisonError::into_inner);
                    all.push((left, one));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, found)| found).collect()
}

/// The shortest way to a state in which a law does not hold, and the law; `None` when all hold
/// within so many steps.
pub fn shortest(world: &World, steps: usize) -> Option<(&'static str, Vec<Action>)> {
    (1..=steps).find_map(|steps| {
        let checker = Exploration::new(world.clone()).checker();
        // A path of so many steps has one state more, and those at the limit are not looked at.
        let checker = checker.target_max_depth(steps + 2);
        let checker = checker.finish_when(HasDiscoveries::AnyFailures);
        let found = checker.spawn_bfs().join();
        let failed = |name: &str| {
            let properties = found.model().properties();
            let mut own = properties.iter().filter(|p| p.name == name);
            own.any(|p| p.expectation.discovery_is_failure())
        };
        let mut broken: Vec<_> = found.discoveries().into_iter().collect();
        broken.retain(|(name, _)| failed(name));
        broken.sort_by_key(|(name, _)| *name);
        let (name, path) = broken.into_iter().next()?;
        Some((name, path.into_actions()))
    })
}

impl Found {
    /// A line of a table: the world, who lists, states, steps, depth.
    pub fn line(&self) -> String {
        let World {
            name,
            lists,
            slow_lists,
            ..
        } = &self.world;
        let who = if lists.len() > 1 {
            "both".into()
        } else {
            lists[0].to_string()
        };
        let lists = if *slow_lists { "slow" } else { "at once" };
        let Self {
            states,
            steps,
            depth,
            ..
        } = self;
        format!("| {name} | {who} | {lists} | {states} | {steps} | {depth} |")
    }
}
