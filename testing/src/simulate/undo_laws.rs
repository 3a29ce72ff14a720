//! Holds undo and redo to their laws.

use resourcecache::{Applied, Event, Kind, Resource, ResourceCache, Settlement, Timestamp};

use super::client::{Client, Given};
use super::law::{Broken, Expected, HISTORY_BOUNDED, NEW_STEP, UNDO_OWN, UNDO_REDO};
use super::model::Subject;
use super::remembered::{Remembered, state_of};
use super::shown::Shown;
use super::tamper::Tamper;
use crate::coverage::Coverage;

type Checked<R> = Result<(), Broken<R>>;

/// Undoes all steps and redoes them, on a copy: where nothing was in the way, it shows the same.
pub(crate) fn back_and_forth<R: Subject>(
    client: &mut Client<R>,
    now: i64,
    tamper: &Tamper<R>,
) -> Checked<R> {
    // An edit that is no step is covered by what is redone over it; one that the server did not
    // take shows only when it is redone.
    let well = |o: &Settlement| matches!(o, Settlement::Confirmed | Settlement::Cancelled);
    let other = |o: &Remembered<R>| {
        let open = state_of(&client.cache, o).is_some();
        !o.step && open || o.step && !o.outcomes.iter().all(well)
    };
    if client.memory.operations.iter().any(other) {
        return Ok(());
    }
    let now = Timestamp(now + client.ahead);
    let mut cache = client.cache.clone();
    let mut given = Vec::new();
    let mut give = |cache: &mut ResourceCache<R>, event| {
        let event = (tamper.event)(event);
        let applied = cache.apply(event.clone(), now).unwrap_or_default();
        given.push(Given::taken(now, event, &applied));
        applied
    };
    give(&mut cache, Event::HandleTimeout);
    let before = bodies(&cache);
    // Undoing one may bring another back.
    let most = client.history.steps.max(cache.undo_labels().count());
    let mut labels = Vec::new();
    let mut problem = None;
    let mut undone = 0;
    while let Some(label) = cache.undo_label().map(String::from) {
        let applied = give(&mut cache, Event::Undo);
        if !applied.conflicts.is_empty() {
            return Ok(());
        }
        // One of which nothing was left has nothing to be redone.
        let left = cache.redo_label() == Some(&*label);
        labels.extend(left.then_some(label));
        undone += 1;
        if undone > most {
            problem = Some(format!("{most} steps are kept, and more are undone"));
            break;
        }
    }
    while let (Some(label), None) = (labels.pop(), &problem) {
        let next = cache.redo_label();
        if next != Some(&*label) {
            problem = Some(format!(
                "{label:?} was undone, and {next:?} is to be redone"
            ));
            break;
        }
        if !give(&mut cache, Event::Redo).conflicts.is_empty() {
            return Ok(());
        }
    }
    let after = bodies(&cache);
    let problem = problem.or_else(|| {
        let differs = || format!("{after:?} is shown, and was {before:?}");
        (before != after).then(differs)
    });
    let Some(problem) = problem else {
        return Ok(());
    };
    client.given.append(&mut given);
    let shows = before.into_iter().map(|body| (body.id().to_string(), body));
    Err(Broken {
        expected: Box::new(Expected::Bodies(shows.collect())),
        ..client.broken(UNDO_REDO, problem)
    })
}

/// What is shown, whatever the server calls it, in the order of the ids.
pub(crate) fn bodies<R: Resource>(cache: &ResourceCache<R>) -> Vec<R> {
    let mut bodies: Vec<R> = cache.visible().map(|item| item.body().anew()).collect();
    bodies.sort_by(|a, b| a.id().cmp(b.id()));
    bodies
}

/// Holds the laws to what a step, or undoing or redoing one, has made of the list.
pub(crate) fn check<R: Subject>(
    client: &Client<R>,
    old: &[Shown<R>],
    event: &Event<R>,
    applied: &Applied,
    coverage: &mut Coverage,
) -> Checked<R> {
    match event {
        Event::Undo | Event::Redo => {
            coverage.met("H2");
            if !applied.conflicts.is_empty() {
                coverage.met("H3");
            }
            changes_its_own(client, old, applied)?;
        }
        Event::Perform { .. } => {
            coverage.met("H1");
            if client.memory.fresh > 0 && client.cache.redo_label().is_some() {
                let problem = "after a new step, one can still be redone";
                return Err(client.broken(NEW_STEP, problem));
            }
        }
        Event::ClearHistory => {}
        _ => return Ok(()),
    }
    bounded(client, matches!(event, Event::ClearHistory), coverage)
}

/// The history keeps to its bounds: of bytes, at least those of the labels.
fn bounded<R: Subject>(client: &Client<R>, cleared: bool, coverage: &mut Coverage) -> Checked<R> {
    let labels = client.cache.undo_labels().chain(client.cache.redo_labels());
    let (mut steps, mut bytes) = (0, 0);
    for label in labels {
        steps += 1;
        bytes += label.len();
    }
    let (most_steps, most_bytes) = if cleared {
        (0, 0)
    } else {
        (client.history.steps, client.history.bytes)
    };
    if steps == most_steps {
        coverage.met("H5");
    }
    if steps <= most_steps && bytes <= most_bytes {
        return Ok(());
    }
    let problem = format!(
        "{steps} steps are kept, with {bytes} bytes of labels; {most_steps} and {most_bytes} may be"
    );
    Err(client.broken(HISTORY_BOUNDED, problem))
}

/// Undoing and redoing change what the user's steps are about, and nothing else.
fn changes_its_own<R: Subject>(
    client: &Client<R>,
    old: &[Shown<R>],
    applied: &Applied,
) -> Checked<R> {
    let is = |row: &Shown<R>, other: &Shown<R>| row.key == other.key || row.id == other.id;
    let of = |row: &Shown<R>| {
        let operations = client.memory.operations.iter();
        let (id, key) = (row.id.clone(), row.key);
        operations.filter(move |o| {
            let about = o.earlier.contains(&id) || o.is_about(&id, Some(key));
            o.step && !applied.operations.contains(&o.operation) && about
        })
    };
    let whole = |o: &Remembered<R>| matches!(o.kind, Kind::Create | Kind::Delete);
    for row in old {
        let new = client.shown.iter().find(|other| is(row, other));
        let others = match new {
            None if of(row).any(whole) => continue,
            None => "its row".into(),
            Some(new) => {
                let changed = R::fields(&row.body.diff(&new.body));
                let by_a_step = |field: &R::Patch| {
                    of(row).any(|o| {
                        let named = o.patch.as_ref().is_some_and(|p| R::overlaps(p, field));
                        named || o.vague || whole(o)
                    })
                };
                match changed.iter().find(|field| !by_a_step(field)) {
                    Some(field) => format!("{field:?}"),
                    None => continue,
                }
            }
        };
        let problem = format!(
            "{others} of {} is changed, and no step was about it",
            row.id
        );
        return Err(client.broken(UNDO_OWN, problem));
    }
    let new = client
        .shown
        .iter()
        .filter(|row| !old.iter().any(|other| is(row, other)));
    for row in new {
        if !of(row).any(whole) {
            let problem = format!("{} is shown, and no step was about it", row.id);
            return Err(client.broken(UNDO_OWN, problem));
        }
    }
    Ok(())
}
