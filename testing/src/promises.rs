//! What the cache promises for any resource type that keeps the laws, over whole histories.

use proptest::strategy::Strategy;
use resourcecache::{Changes, Event, Resource, ResourceCache, RowKey, Snapshot};

use crate::history::Player;
use crate::law_tests::{asked, smallest};
use crate::strategies::{Happening, Stage, history};

/// Tries [`check_history`] on 256 histories, the same ones each time; `RESOURCECACHE_CASES` asks for
/// as many others.
///
/// # Panics
///
/// With the smallest history that breaks a promise.
#[track_caller]
pub fn hold<R: Resource + 'static>(
    bodies: impl Strategy<Value = R> + 'static,
    patches: impl Strategy<Value = R::Patch> + 'static,
) {
    if let Some(broken) = smallest(asked(256), &history(bodies, patches), |h| check_history(h)) {
        panic!("{broken}");
    }
}

/// Plays a history, and holds at every step that a refused event changes nothing, that the changes
/// lead from one view to the next, and that the same events lead to the same state; and that in the
/// end, when every TTL is over, the view is what the server lists.
///
/// # Errors
///
/// The promise that does not hold, and where.
pub fn check_history<R: Resource>(history: &[Happening<R>]) -> Result<(), String> {
    let mut stage = Stage::new(Player::config());
    let mut replayed = ResourceCache::new(Player::config());
    let mut listed = Vec::new();
    for (at, happening) in history.iter().enumerate() {
        let broken =
            |promise: &str| Err(format!("broken: {promise}\nat step {at} of {history:#?}"));
        let (before, shown) = (stage.cache.record(), view(&stage.cache));
        let Some((event, now, answer)) = stage.play(happening) else {
            continue;
        };
        if let (Event::Merge(snapshot), Ok(_)) = (&event, &answer) {
            listed.clone_from(&snapshot.items);
        }
        match &answer {
            Err(_) if stage.cache.record() != before => {
                return broken("a refused event changes nothing");
            }
            Ok(applied)
                if follow(shown, &applied.changes, &stage.cache) != Some(view(&stage.cache)) =>
            {
                return broken("the changes lead from one view to the next");
            }
            _ => {}
        }
        if replayed.apply(event, now) != answer || replayed.record() != stage.cache.record() {
            return broken("the same events lead to the same state");
        }
    }
    ends_in(&mut stage, listed).map_err(|broken| format!("{broken}\nafter {history:#?}"))
}

/// When every TTL is over and the server lists `items`, they are what shows.
fn ends_in<R: Resource>(stage: &mut Stage<R>, items: Vec<R>) -> Result<(), String> {
    stage.now = stage.now.plus_ms(1_000_000);
    // Of an id that is there twice, the last body at the first place (S2).
    let mut expected: Vec<R> = Vec::new();
    for item in &items {
        match expected.iter_mut().find(|other| other.id() == item.id()) {
            Some(other) => *other = item.clone(),
            None => expected.push(item.clone()),
        }
    }
    let (.., answer) = stage.apply(Event::Merge(Snapshot::complete(items)));
    let shown: Vec<R> = stage
        .cache
        .visible()
        .map(|item| item.body().clone())
        .collect();
    if answer.is_ok() && shown == expected {
        return Ok(());
    }
    Err(format!(
        "broken: in the end the view is the server's list\n  listed: {expected:?}\n  shown: {shown:?}"
    ))
}

type View<R> = Vec<(RowKey, R)>;

fn view<R: Resource>(cache: &ResourceCache<R>) -> View<R> {
    cache
        .visible()
        .map(|item| (item.key(), item.body().clone()))
        .collect()
}

/// The old view with the changes applied, as a reader does it.
fn follow<R: Resource>(
    mut view: View<R>,
    changes: &Changes,
    cache: &ResourceCache<R>,
) -> Option<View<R>> {
    view.retain(|(key, _)| {
        changes.removed.iter().all(|r| r.key != *key)
            && changes.upserted.iter().all(|u| u.key != *key)
    });
    for upsert in &changes.upserted {
        let at = match upsert.after {
            None => 0,
            Some(after) => view.iter().position(|(key, _)| *key == after)? + 1,
        };
        let item = cache.row(upsert.key)?;
        view.insert(at, (item.key(), item.body().clone()));
    }
    Some(view)
}
