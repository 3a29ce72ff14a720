//! The server: what was done to it, in order, and what its replicas make of that.

use resourcecache::Resource as _;
use resourcecache_testing::Toy;

use crate::world::{Ask, NEW, OLD, TEMPORARY, World};

/// What the server says to an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is done; the operation changed something, or not.
    Done,
    /// It is not: the resource is gone, or the work is refused.
    Refused,
}

/// The list after these operations were done.
pub(crate) fn list(world: &World, done: &[usize]) -> Vec<Toy> {
    let mut items = vec![stamped(world, Toy::new(OLD, [0; 3]), 1)];
    for (number, ask) in done.iter().enumerate() {
        let version = number + 2;
        match world.asks[*ask].1 {
            Ask::Create => {
                let mut toy = stamped(world, Toy::new(NEW, [9, 0, 0]), version);
                toy.token = Some(TEMPORARY.into());
                items.push(toy);
            }
            Ask::Delete { .. } => items.retain(|toy| toy.id != world.asks[*ask].1.real_id()),
            ask @ Ask::Update { .. } => {
                for toy in items.iter_mut().filter(|toy| toy.id == ask.real_id()) {
                    let new = ask.patch().map(|patch| toy.apply(&patch));
                    *toy = stamped(world, new.unwrap_or(toy.clone()), version);
                }
            }
            Ask::Process { .. } => {}
        }
    }
    items
}

fn stamped(world: &World, mut toy: Toy, version: usize) -> Toy {
    if world.versions {
        toy.uid = Some(format!("u-{}", toy.id));
        toy.version = Some(version.to_string());
    }
    toy
}

/// What the server says when it is asked for this.
pub(crate) fn answer(world: &World, done: &[usize], ask: Ask) -> Answer {
    let exists = || list(world, done).iter().any(|toy| toy.id == ask.real_id());
    match ask {
        Ask::Create => Answer::Done,
        Ask::Update { .. } | Ask::Delete { .. } if exists() => Answer::Done,
        _ => Answer::Refused,
    }
}
