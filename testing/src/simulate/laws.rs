//! Holds the laws to what an event made of a cache.

use resourcecache::{Applied, Event, Kind, Settlement, State};

use super::client::Client;
use super::law::{
    Broken, CREATED_SHOWN, DELETED_HIDDEN, EDIT_KEPT, EDIT_SHOWN, Expected, GUARD_DECIDES,
    HIDDEN_BY_STATE, Law, ONE_KEY, ONE_OUTCOME, ONE_ROW,
};
use super::model::Subject;
use super::outbox_laws::nothing_lost;
use super::progress_laws::has_end;
use super::remembered::{Remembered, state_of};
use super::shown::Shown;
use crate::coverage::Coverage;

type Checked<R> = Result<(), Broken<R>>;

/// Holds every law about one client to what it shows after an event.
pub(crate) fn check<R: Subject>(
    client: &Client<R>,
    old: &[Shown<R>],
    event: &Event<R>,
    applied: &Applied,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    one_row(client)?;
    one_key(client, old)?;
    hidden_by_state(client)?;
    for operation in &client.memory.operations {
        match operation.kind {
            Kind::Delete => deleted_stays_hidden(client, operation, own, coverage)?,
            Kind::Create => created_stays_shown(client, operation, own, coverage)?,
            Kind::Update => edits(client, operation, own, coverage)?,
            Kind::Process => {}
        }
        lost_none(client, operation)?;
    }
    for outcome in &applied.changes.outcomes {
        let mut operations = client.memory.operations.iter();
        if let Some(operation) = operations.find(|o| o.operation == outcome.operation) {
            one_outcome(client, operation)?;
            nothing_lost(client, operation, outcome.settlement, event, coverage)?;
            no_hasty_end(client, operation, outcome.settlement, event, own, coverage)?;
        }
    }
    Ok(())
}

/// A law that is broken in that the list is not this one.
fn not_this<R: Subject>(
    client: &Client<R>,
    law: Law,
    problem: String,
    visible: impl Iterator<Item = String>,
) -> Broken<R> {
    Broken {
        expected: Box::new(Expected::Visible(visible.collect())),
        ..client.broken(law, problem)
    }
}

fn one_row<R: Subject>(client: &Client<R>) -> Checked<R> {
    for (index, row) in client.shown.iter().enumerate() {
        let rest = &client.shown[index + 1..];
        if rest.iter().any(|other| other.id == row.id) {
            return Err(client.broken(ONE_ROW, format!("{} is shown twice", row.id)));
        }
        if rest.iter().any(|other| other.key == row.key) {
            let problem = format!("{} shares {:?} with another row", row.id, row.key);
            return Err(client.broken(ONE_KEY, problem));
        }
    }
    Ok(())
}

fn one_key<R: Subject>(client: &Client<R>, old: &[Shown<R>]) -> Checked<R> {
    for row in &client.shown {
        let before = old.iter().find(|was| was.id == row.id);
        let Some(before) = before.filter(|was| was.key != row.key) else {
            continue;
        };
        // Two rows that have become one have the key of the creation's (C2).
        let operations = client.memory.operations.iter();
        let mut creations = operations.filter(|o| o.new.is_some());
        // And one that has ended may have made way for what the server lists under its id.
        let is = |o: &Remembered<R>| {
            o.key == Some(row.key) || o.key == Some(before.key) && o.has_outcome()
        };
        if !creations.any(is) {
            let problem = format!("{} had {:?} and has {:?}", row.id, before.key, row.key);
            return Err(client.broken(ONE_KEY, problem));
        }
    }
    Ok(())
}

fn hidden_by_state<R: Subject>(client: &Client<R>) -> Checked<R> {
    for item in client.cache.visible() {
        let hidden = matches!(
            item.state(),
            State::Running(Kind::Delete)
                | State::Retrying(Kind::Delete)
                | State::Acknowledged(Kind::Delete)
                | State::Gone
        );
        if hidden {
            let problem = format!("{} is {} and shown", item.id(), item.state());
            return Err(client.broken(HIDDEN_BY_STATE, problem));
        }
    }
    Ok(())
}

/// Whether a deletion may still be going on, or has worked. One that ended as cancelled, and that
/// nobody took back, is meant as before; but for those that a creation took with it (L1).
fn still_meant<R: Subject>(client: &Client<R>, deletion: &Remembered<R>) -> bool {
    let mut operations = client.memory.operations.iter();
    let created = operations.any(|o| o.new.is_some() && deletion.is_about(&o.id, o.key));
    let meant = |o: &Settlement| match o {
        Settlement::Confirmed => true,
        Settlement::Cancelled => !created,
        _ => false,
    };
    !deletion.released && deletion.outcomes.iter().all(meant)
}

fn deleted_stays_hidden<R: Subject>(
    client: &Client<R>,
    deletion: &Remembered<R>,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    // What is queued waits as long as it takes (K2).
    let over = own >= deletion.guard_end() && !deletion.is_outgoing();
    if !still_meant(client, deletion) || over {
        return Ok(());
    }
    for rule in ["D1", "G1", "V1"] {
        coverage.met(rule);
    }
    if deletion.has_outcome() {
        coverage.met("D3");
        coverage.met("G2");
    }
    let known = deletion.body.as_ref();
    let other = |row: &Shown<R>| match (known.and_then(R::uid), row.body.uid()) {
        (Some(theirs), Some(uid)) => theirs != uid,
        // It was deleted before it was known.
        (None, Some(_)) => known.is_none(),
        _ => false,
    };
    let is = |row: &Shown<R>| deletion.key == Some(row.key) || deletion.id == row.id;
    let back = client.shown.iter().find(|row| is(row) && !other(row));
    let Some(back) = back else { return Ok(()) };
    let problem = format!(
        "{} is shown, {} ms before the guard of its deletion ends",
        back.id,
        deletion.guard_end() - own
    );
    let others = client.shown.iter().filter(|row| row.key != back.key);
    let ids = others.map(|row| row.id.clone());
    Err(not_this(client, DELETED_HIDDEN, problem, ids))
}

fn created_stays_shown<R: Subject>(
    client: &Client<R>,
    creation: &Remembered<R>,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    // Listed, it goes on where a stage ends it, and the lists decide.
    let plan = client.cache.config().progress.get(&Kind::Create);
    let listed = creation.was_seen && plan.is_some_and(has_end);
    let waits = creation.acked.is_none() && !creation.has_outcome() && !listed;
    let guarded = waits || own < creation.guard_end();
    if !creation.stands() || creation.new.is_none() || !guarded {
        return Ok(());
    }
    let of_it = |o: &&Remembered<R>| o.kind == Kind::Delete && o.operation > creation.operation;
    let mut deletions = client.memory.operations.iter().filter(of_it);
    if deletions.any(|o| o.key == creation.key || o.id == creation.id) {
        return Ok(());
    }
    for rule in ["C1", "G1", "V3", "V6"] {
        coverage.met(rule);
    }
    if creation.acked.is_some() {
        coverage.met("C2");
    }
    let is = |row: &&Shown<R>| creation.key == Some(row.key) || creation.id == row.id;
    if let Some(row) = client
        .shown
        .iter()
        .filter(is)
        .find(|row| creation.is_other(&row.body))
    {
        let problem = format!("the new {} shows another resource, {:?}", row.id, row.body);
        return Err(client.broken(CREATED_SHOWN, problem));
    }
    match client.shown.iter().filter(is).count() {
        1 => Ok(()),
        // Without a way to match them two rows show until the answer, not longer (C2).
        2 if creation.acked.is_none() => Ok(()),
        rows => {
            let problem = format!("the new {} has {rows} rows", creation.id);
            let ids = client.shown.iter().map(|row| row.id.clone());
            let missing = (rows == 0).then(|| creation.id.clone());
            Err(not_this(client, CREATED_SHOWN, problem, ids.chain(missing)))
        }
    }
}

fn edits<R: Subject>(
    client: &Client<R>,
    edit: &Remembered<R>,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    let row = client
        .shown
        .iter()
        .find(|row| edit.key == Some(row.key) || edit.id == row.id);
    let Some(row) = row.filter(|_| edit.stands()) else {
        return Ok(());
    };
    let others = client
        .memory
        .operations
        .iter()
        .filter(|o| o.operation != edit.operation && (o.key == edit.key || o.id == edit.id));
    for field in edit.fields.iter().filter(|f| !f.released) {
        let names = |o: &&Remembered<R>| {
            let mut fields = o.fields.iter();
            let overlaps = fields.any(|f| R::overlaps(&f.wanted, &field.wanted));
            overlaps || o.vague || o.new.is_some()
        };
        let newer = |o: &Remembered<R>| o.operation > edit.operation;
        let shown = row.body.pick(&field.wanted);
        if edit.acked.is_none() && !edit.has_outcome() {
            if others.clone().filter(names).any(newer) {
                continue;
            }
            for rule in ["U1", "V4"] {
                coverage.met(rule);
            }
            if shown != field.wanted {
                let problem = format!("{} shows {shown:?}, not {:?}", row.id, field.wanted);
                return Err(not_shown(
                    client,
                    EDIT_SHOWN,
                    problem,
                    edit,
                    field.wanted.clone(),
                ));
            }
        } else if own < edit.guard_end() {
            let mut others = others.clone();
            if others.any(|o| names(&o) || o.answers_otherwise(&field.wanted)) {
                continue;
            }
            if field.old.is_some() {
                coverage.met("U2");
            }
            if field.old.as_ref() == Some(&shown) {
                let problem = format!("{} shows {shown:?} again, after {:?}", row.id, field.wanted);
                return Err(not_shown(
                    client,
                    EDIT_KEPT,
                    problem,
                    edit,
                    field.wanted.clone(),
                ));
            }
        }
    }
    Ok(())
}

fn not_shown<R: Subject>(
    client: &Client<R>,
    law: Law,
    problem: String,
    edit: &Remembered<R>,
    wanted: R::Patch,
) -> Broken<R> {
    Broken {
        expected: Box::new(Expected::Shows(edit.id.clone(), vec![wanted])),
        ..client.broken(law, problem)
    }
}

/// What has no outcome yet is still there.
fn lost_none<R: Subject>(client: &Client<R>, operation: &Remembered<R>) -> Checked<R> {
    if operation.has_outcome() || state_of(&client.cache, operation).is_some() {
        return Ok(());
    }
    let problem = format!(
        "operation {} ({}) on {} has left without an outcome",
        operation.operation, operation.kind, operation.id
    );
    Err(client.broken(ONE_OUTCOME, problem))
}

fn one_outcome<R: Subject>(client: &Client<R>, operation: &Remembered<R>) -> Checked<R> {
    let [.., first, second] = operation.outcomes.as_slice() else {
        return Ok(());
    };
    if !operation.surplus {
        return Ok(());
    }
    let problem = format!(
        "operation {} on {} ended as {} after it had ended as {}",
        operation.operation,
        operation.id,
        second.name(),
        first.name()
    );
    Err(client.broken(ONE_OUTCOME, problem))
}

fn no_hasty_end<R: Subject>(
    client: &Client<R>,
    operation: &Remembered<R>,
    settlement: Settlement,
    event: &Event<R>,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    let taken = match event {
        Event::Merge(snapshot) => snapshot.token.and_then(|token| client.fetched_at(token)),
        _ => None,
    };
    let at = match settlement {
        Settlement::NotConfirmed => taken.unwrap_or(own),
        Settlement::Stale => own,
        _ => return Ok(()),
    };
    coverage.met(if settlement == Settlement::Stale {
        "K1"
    } else {
        "G3"
    });
    let end = operation.guard_end_before(own);
    if at >= end {
        return Ok(());
    }
    let problem = format!(
        "operation {} on {} ended as {}, {} ms before its guard did",
        operation.operation,
        operation.id,
        settlement.name(),
        end - at
    );
    Err(client.broken(GUARD_DECIDES, problem))
}
