//! Holds the outbox to its laws: which attempts it may hand out, and what becomes of what was queued.

use resourcecache::{Attempt, Event, Kind, Settlement, WatchEvent};

use super::client::Client;
use super::law::{
    ALL_DONE, Broken, CARRIES_ALL, Expected, IN_ORDER, Law, NOT_BEFORE, NOTHING_LOST,
    OFFLINE_HOLDS, ONE_KEY_EACH, PATIENCE, UNDER_WAY,
};
use super::model::{ServerModel, Subject};
use super::network::Network;
use super::remembered::{Remembered, state_of};
use super::sending::Sending;
use crate::coverage::Coverage;

type Checked<R> = Result<(), Broken<R>>;

/// An attempt that should not have been handed out.
fn too_soon<R: Subject>(client: &Client<R>, law: Law, problem: String) -> Broken<R> {
    Broken {
        expected: Box::new(Expected::NoAttempt),
        ..client.broken(law, problem)
    }
}

/// Holds the laws to an attempt that is handed out, before it is noted.
pub(crate) fn check_attempt<R: Subject>(
    client: &Client<R>,
    attempt: &Attempt<R>,
    own: i64,
    coverage: &mut Coverage,
) -> Checked<R> {
    let Some(one) = client.memory.get(attempt.operation) else {
        return Ok(());
    };
    let Some(sending) = &one.sending else {
        let problem = format!("operation {} was never queued", one.operation);
        return Err(too_soon(client, IN_ORDER, problem));
    };
    for rule in ["O1", "O2", "O5"] {
        coverage.met(rule);
    }
    if !client.online {
        let problem = format!("operation {} is sent offline", one.operation);
        return Err(too_soon(client, OFFLINE_HOLDS, problem));
    }
    if own < sending.not_before {
        let early = sending.not_before - own;
        let problem = format!("operation {} is sent {early} ms early", one.operation);
        return Err(too_soon(client, NOT_BEFORE, problem));
    }
    if sending.not_before > one.begun {
        coverage.met("O7");
    }
    in_order(client, one, coverage)?;
    same_as_before(client, one, attempt)?;
    carries_all(client, one, attempt, coverage)?;
    let open = client
        .memory
        .operations
        .iter()
        .filter(|o| o.sending.is_some());
    let under_way = open.filter(|o| client.cache.attempt_of(o.operation).is_some());
    let (under_way, most) = (under_way.count(), client.max_under_way);
    if under_way > most {
        let problem = format!("{under_way} attempts are under way, and {most} may be");
        return Err(too_soon(client, UNDER_WAY, problem));
    }
    Ok(())
}

/// On one resource, each goes out after the answer to the one before; but what is to be deleted needs
/// no other change.
fn in_order<R: Subject>(
    client: &Client<R>,
    one: &Remembered<R>,
    coverage: &mut Coverage,
) -> Checked<R> {
    let older = client.memory.operations.iter().filter(|o| {
        o.operation < one.operation && o.key.is_some() && o.key == one.key && o.is_outgoing()
    });
    for before in older {
        let sent = before.sending.as_ref().is_some_and(|s| !s.is_unsent());
        let failed = matches!(
            state_of(&client.cache, before),
            None | Some(resourcecache::State::Failed(_))
        );
        if failed {
            coverage.met("O6");
            continue;
        }
        // What is listed, or complete, nobody need send any more.
        if before.new.is_some() && before.was_seen || before.saw_end || before.was_completed {
            continue;
        }
        // What was being deleted when it was asked for needs nothing else, whoever deletes it.
        let mut deletions = client.memory.operations.iter();
        let needless = deletions.any(|o| {
            let later = o.operation > before.operation && state_of(&client.cache, o).is_some();
            later && o.kind == Kind::Delete && o.is_about(&one.id, one.key)
        });
        if !needless && (sent || one.kind != Kind::Delete) {
            let (one, before) = (one.operation, before.operation);
            let problem = format!("operation {one} is sent before {before} is answered");
            return Err(too_soon(client, IN_ORDER, problem));
        }
        coverage.met("O3");
    }
    Ok(())
}

/// All attempts of an operation are the same, but for their number; and there are no more of them than
/// the policy says.
fn same_as_before<R: Subject>(
    client: &Client<R>,
    one: &Remembered<R>,
    attempt: &Attempt<R>,
) -> Checked<R> {
    let Some(sending) = &one.sending else {
        return Ok(());
    };
    let operation = one.operation;
    if attempt.number != sending.number() + 1 {
        let (number, before) = (attempt.number, sending.number());
        let problem = format!("attempt {number} of operation {operation} follows {before}");
        return Err(client.broken(PATIENCE, problem));
    }
    let most = client.cache.config().retry.max_attempts;
    let most = most.filter(|most| sending.spent() >= *most);
    if let Some(most) = most {
        let problem = format!("operation {operation} is sent again after {most} attempts");
        return Err(too_soon(client, PATIENCE, problem));
    }
    let Some((before, _)) = &sending.last else {
        return Ok(());
    };
    if before.key != attempt.key {
        let problem = format!("another attempt of operation {operation} has another key");
        return Err(client.broken(ONE_KEY_EACH, problem));
    }
    Ok(())
}

/// An attempt carries what the user asked for, in that order.
fn carries_all<R: Subject>(
    client: &Client<R>,
    one: &Remembered<R>,
    attempt: &Attempt<R>,
    coverage: &mut Coverage,
) -> Checked<R> {
    let carried = client.memory.carried_by(attempt, &client.cache);
    let carried = carried.iter().filter_map(|o| client.memory.get(*o));
    let of: Vec<&Remembered<R>> = std::iter::once(one).chain(carried).collect();
    if of.len() > 1 {
        coverage.met("O3");
    }
    // What was answered once is asked for as it was answered.
    if of.iter().any(|o| o.vague || o.was_answered) {
        return Ok(());
    }
    let wanted: Vec<&R::Patch> = of.iter().filter_map(|o| o.patch.as_ref()).collect();
    let mut same = wanted.iter().copied().eq(attempt.patches.iter()) && attempt.kind == one.kind;
    // Other edits lie over what is created as well.
    let mut others = client.memory.operations.iter();
    let more = others.any(|o| {
        o.kind == Kind::Update
            && o.is_about(&one.id, one.key)
            && !of.iter().any(|c| c.operation == o.operation)
    });
    if let (Kind::Create, Some(new), false) = (one.kind, &one.new, more) {
        let asked = wanted.iter().fold(new.clone(), |body, p| body.apply(p));
        same &= attempt.body.as_ref() == Some(&asked);
    }
    if same {
        return Ok(());
    }
    let problem = format!("{attempt:?} is sent for {wanted:?} of {:?}", one.new);
    Err(client.broken(CARRIES_ALL, problem))
}

/// Nothing that was queued ends as cancelled unless the user, or what it hung on, ended it.
pub(crate) fn nothing_lost<R: Subject>(
    client: &Client<R>,
    operation: &Remembered<R>,
    settlement: Settlement,
    event: &Event<R>,
    coverage: &mut Coverage,
) -> Checked<R> {
    if operation.sending.is_none() || operation.was_answered {
        return Ok(());
    }
    if matches!(event, Event::Observe(WatchEvent::Deleted(_))) {
        coverage.met("O8");
    }
    // What became due before the event may have made an inverse needless (H4).
    let needless = operation.released || operation.inverse;
    let by_user = match event {
        Event::Cancel { operation: other } => needless || *other == operation.operation,
        Event::Revert { .. }
        | Event::Remove { .. }
        | Event::Undo
        | Event::Redo
        | Event::Complete { .. } => true,
        _ => needless,
    };
    let mut others = client.memory.operations.iter();
    // What was created went, or was deleted before it was sent (L1, O3).
    let hung = others.any(|o| o.new.is_some() && o.is_about(&operation.id, operation.key));
    let listed = client.cache.config().progress.contains_key(&operation.kind);
    let problem = match settlement {
        Settlement::Cancelled if !by_user && !hung => "cancelled, and nobody took it back",
        Settlement::Stale if !listed => "stale, and the outbox had it",
        _ => return Ok(()),
    };
    let problem = format!(
        "operation {} on {} ended as {problem}",
        operation.operation, operation.id
    );
    Err(client.broken(NOTHING_LOST, problem))
}

/// What was queued and is said to be done was done by the server.
pub(crate) fn all_done<S: ServerModel>(
    client: &Client<S::Resource>,
    network: &Network<S>,
) -> Checked<S::Resource> {
    let queued = client.memory.operations.iter();
    let queued = queued.filter(|o| o.sending.is_some() && !o.was_answered);
    let queued = queued.filter(|o| !o.released && !o.was_completed);
    for one in queued {
        let said = |o: &Settlement| matches!(o, Settlement::Confirmed | Settlement::NotConfirmed);
        let done = network.done.contains_key(&one.tag);
        if done || !one.has_outcome() || !one.outcomes.iter().all(said) {
            continue;
        }
        let by_other = match one.kind {
            // Brought back, it goes by the id that it had.
            Kind::Create => network.server.names_are_the_clients() || one.inverse,
            Kind::Update => false,
            // Somebody else did it, or it never was sent, as its creation was not.
            Kind::Delete => {
                let mut others = client.memory.operations.iter();
                let unsent = others.any(|o| {
                    let unsent = o.sending.as_ref().is_some_and(Sending::is_unsent);
                    o.new.is_some() && unsent && o.is_about(&one.id, one.key)
                });
                unsent
                    || network.was_deleted(&one.id)
                    || one.earlier.iter().any(|id| network.was_deleted(id))
            }
            Kind::Process => one.saw_end,
        };
        if !by_other {
            let (operation, id) = (one.operation, &one.id);
            let problem = format!("operation {operation} on {id} ended well, and was never done");
            return Err(client.broken(ALL_DONE, problem));
        }
    }
    Ok(())
}
