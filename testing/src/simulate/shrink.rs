//! Makes a history that breaks a law as small as it can, by taking steps out of it.

use super::law::{Law, Violation};
use super::model::ServerModel;
use super::scenario;
use super::simulation::{Ended, Simulation, violation};
use super::step::{Act, History, How, Step};

/// A history that breaks a law, and that breaks it no more when any step is taken out.
#[derive(Clone, Debug)]
pub struct Shrunk<S: ServerModel> {
    /// What is left of the history.
    pub history: History<S::Resource>,
    /// The law that it breaks.
    pub violation: Violation,
    /// A scenario file of what the client's cache was given, and of what should have been seen.
    pub scenario: String,
}

/// So often at most is a history played to make it smaller.
const ATTEMPTS: usize = 20_000;

impl<S: ServerModel> Simulation<S> {
    /// Makes a history that breaks a law smaller, as long as it breaks the same one; `None` when it
    /// breaks none.
    pub fn shrink(&self, history: &History<S::Resource>) -> Option<Shrunk<S>> {
        let mut world = history.world.clone();
        let mut steps = history.steps.clone();
        let (at, broken) = self.play(&world, &steps).broken?;
        let law = broken.law;
        steps.truncate(at + 1);
        let mut attempts = 0;
        let mut fails = |world: &_, steps: &[Step<S::Resource>]| {
            attempts += 1;
            attempts < ATTEMPTS && self.breaks(world, steps, law)
        };
        loop {
            let before = (steps.clone(), world.clone());
            take_out(&mut steps, |steps| fails(&world, steps));
            simplify(&mut steps, |steps| fails(&world, steps));
            for smaller in smaller_worlds(&world) {
                if fails(&smaller, &steps) {
                    world = smaller;
                }
            }
            if before == (steps.clone(), world.clone()) {
                break;
            }
        }
        let Ended { play, broken } = self.play(&world, &steps);
        let (at, broken) = broken?;
        let violation = violation(world.seed, at, &broken);
        Some(Shrunk {
            scenario: scenario::print(&play, &violation, &broken),
            history: History { world, steps },
            violation,
        })
    }

    fn breaks(&self, world: &super::World, steps: &[Step<S::Resource>], law: Law) -> bool {
        let ended = self.play(world, steps);
        ended.broken.is_some_and(|(_, broken)| broken.law == law)
    }
}

/// Takes out runs of steps: long ones first, then shorter ones, down to single steps.
fn take_out<T: Clone>(steps: &mut Vec<T>, mut fails: impl FnMut(&[T]) -> bool) {
    let mut run = (steps.len() / 2).max(1);
    loop {
        let mut at = 0;
        while at < steps.len() {
            let end = (at + run).min(steps.len());
            let without = [&steps[..at], &steps[end..]].concat();
            if fails(&without) {
                *steps = without;
            } else {
                at = end;
            }
        }
        if run == 1 {
            return;
        }
        run /= 2;
    }
}

/// Makes single steps simpler: shorter waits, no repetition.
fn simplify<R: resourcecache::Resource>(
    steps: &mut [Step<R>],
    mut fails: impl FnMut(&[Step<R>]) -> bool,
) {
    for index in 0..steps.len() {
        for simpler in simpler(&steps[index]) {
            let kept = std::mem::replace(&mut steps[index], simpler);
            if !fails(steps) {
                steps[index] = kept;
            }
        }
    }
}

fn simpler<R: resourcecache::Resource>(step: &Step<R>) -> Vec<Step<R>> {
    match step {
        Step::Wait { ms } if *ms > 1 => vec![Step::Wait { ms: ms / 2 }, Step::Wait { ms: 1 }],
        Step::Deliver {
            flight,
            again: true,
        } => vec![Step::Deliver {
            flight: *flight,
            again: false,
        }],
        Step::Client { client, act } => simpler_acts(act)
            .into_iter()
            .map(|act| Step::Client {
                client: *client,
                act,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn simpler_acts<R: resourcecache::Resource>(act: &Act<R>) -> Vec<Act<R>> {
    let mut simpler = Vec::new();
    let mut with = |change: &dyn Fn(&mut Act<R>)| {
        let mut other = act.clone();
        change(&mut other);
        if other != *act {
            simpler.push(other);
        }
    };
    with(&|act| {
        if let Act::Begin { ttl_ms, .. } = act {
            *ttl_ms = None;
        }
    });
    with(&|act| {
        if let Act::Batch { writes, .. } = act {
            writes.truncate(1);
        }
    });
    let hows: [&dyn Fn(&mut How); 3] = [
        &|how| how.label = None,
        &|how| how.queue = how.queue.map(|_| 0),
        &|how| how.queue = None,
    ];
    for change in hows {
        with(&|act| match act {
            Act::Begin { how, .. } | Act::Process { how, .. } => change(how),
            _ => {}
        });
    }
    simpler
}

/// Worlds with less in them.
fn smaller_worlds(world: &super::World) -> Vec<super::World> {
    let mut smaller = Vec::new();
    if world.held > 0 {
        smaller.push(super::World {
            held: world.held - 1,
            ..world.clone()
        });
    }
    if world.fetch_tokens {
        smaller.push(super::World {
            fetch_tokens: false,
            ..world.clone()
        });
    }
    smaller
}
