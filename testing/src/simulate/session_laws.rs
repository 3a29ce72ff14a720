//! Holds watch sessions to their laws.

use resourcecache::{
    Event, Named, ResourceCache, Resume, Retry, Timestamp, WatchEvent, WatchSession, WatchState,
};

use super::client::Client;
use super::law::{Broken, FAILS_AS_FAIL, KEEPS_UP, MISSED_LISTED, OVER_IS_NOTHING, PACED, WAITS};
use super::model::Subject;
use super::remembered::Remembered;
use super::shown::Shown;
use crate::coverage::Coverage;

type Checked<R> = Result<(), Broken<R>>;

/// Calls that a session may make at one time: a list and what takes its place where versions and
/// tokens have expired, a stream, the same again once.
const AT_ONCE: usize = 8;

/// All that the session asked for is done.
pub(crate) fn check_driven<R: Subject>(
    client: &Client<R>,
    at: Timestamp,
    coverage: &mut Coverage,
) -> Checked<R> {
    let Some(watcher) = &client.watcher else {
        return Ok(());
    };
    let session = &watcher.session;
    let due = session.poll_timeout();
    if let Some(due) = due.filter(|due| *due <= at) {
        let problem = format!("its session is to be woken {} ms ago", at.0 - due.0);
        return Err(client.broken(WAITS, problem));
    }
    let calls = watcher.list.is_some() || watcher.opening.is_some() || watcher.stream.is_some();
    if !calls && due.is_none() && session.state() != WatchState::Offline {
        let problem = format!("its session is {:?} and waits for nothing", session.state());
        return Err(client.broken(WAITS, problem));
    }
    let Some(position) = session.position() else {
        return Ok(());
    };
    if let Some(missed) = watcher.missed {
        let problem = format!("{missed}, and its session stands at {position:?}");
        return Err(client.broken(MISSED_LISTED, problem));
    }
    let Some((place, version)) = watcher.stream.as_ref().and_then(|s| s.stands.as_ref()) else {
        return Ok(());
    };
    coverage.met("W2");
    let stands = match watcher.config.resume {
        Resume::Version => position.version.as_ref() == Some(version),
        _ => position.sequence == Some(*place as u64),
    };
    if stands {
        return Ok(());
    }
    let problem =
        format!("its stream has told change {place}, and its session stands at {position:?}");
    Err(client.broken(KEEPS_UP, problem))
}

/// A call is made; the first of its kind, or the next chunk of a list.
pub(crate) fn check_pace<R: Subject>(client: &Client<R>, first: bool, now: i64) -> Checked<R> {
    let Some(watcher) = client.watcher.as_ref().filter(|_| first) else {
        return Ok(());
    };
    let early = watcher.pace.not_before.filter(|at| now < *at);
    if let Some(at) = early {
        let problem = format!("its session calls {} ms too early", at - now);
        return Err(client.broken(PACED, problem));
    }
    let calls = watcher.pace.at_once;
    if calls <= AT_ONCE {
        return Ok(());
    }
    let problem = format!("its session makes {calls} calls at one time");
    Err(client.broken(PACED, problem))
}

/// The operation that an event names by its key, as the client has sent it; and the cache as `fail`
/// leaves it, where that is accepted.
fn failed_by_hand<R: Subject>(
    client: &Client<R>,
    before: &ResourceCache<R>,
    event: &Event<R>,
    at: Timestamp,
) -> Option<(Event<R>, ResourceCache<R>)> {
    let Event::Observe(WatchEvent::Failed { operation, error }) = event else {
        return None;
    };
    let Named::Key(key) = operation else {
        return None;
    };
    let sent = |one: &&Remembered<R>| {
        let attempt = one.sending.as_ref().and_then(|s| s.last.as_ref());
        attempt.is_some_and(|(attempt, _)| attempt.key == *key)
    };
    let operation = client.memory.operations.iter().rfind(sent)?.operation;
    let fail = Event::Fail {
        operation,
        error: error.clone(),
        retry: Retry::No,
    };
    let mut by_hand = before.clone();
    by_hand.apply(fail.clone(), at).ok()?;
    Some((fail, by_hand))
}

/// Whether two caches show the same, tell the same, and wait for the same.
fn same<R: Subject>(one: &ResourceCache<R>, other: &ResourceCache<R>) -> bool {
    Shown::list(one) == Shown::list(other)
        && one.outcomes().eq(other.outcomes())
        && one.poll_timeout() == other.poll_timeout()
}

/// What an event that fails an operation means, in the words of a client: `fail`.
pub(crate) fn meant<R: Subject>(
    client: &Client<R>,
    event: &Event<R>,
    at: Timestamp,
) -> Option<Event<R>> {
    let (fail, by_hand) = failed_by_hand(client, &client.cache, event, at)?;
    let mut told = client.cache.clone();
    told.apply(event.clone(), at).ok()?;
    same(&told, &by_hand).then_some(fail)
}

/// The event has done what `fail` does to the operation that was sent with its key; or nothing, where
/// no attempt of it is under way.
pub(crate) fn check_failed<R: Subject>(
    client: &Client<R>,
    mut before: ResourceCache<R>,
    event: &Event<R>,
    at: Timestamp,
) -> Checked<R> {
    let by_hand = failed_by_hand(client, &before, event, at);
    if by_hand
        .as_ref()
        .is_some_and(|(_, by_hand)| same(&client.cache, by_hand))
    {
        return Ok(());
    }
    let due = before.handle_timeout(at);
    let under_way = by_hand.is_some_and(|(fail, _)| match fail {
        Event::Fail { operation, .. } => before.attempt_of(operation).is_some(),
        _ => false,
    });
    if due.is_ok() && !under_way && same(&client.cache, &before) {
        return Ok(());
    }
    let problem = format!("{event:?} has done other than `fail` does");
    Err(client.broken(FAILS_AS_FAIL, problem))
}

/// Two sessions, one of which was handed what came of calls that are over, do the same.
pub(crate) fn check_late<R: Subject>(
    client: &Client<R>,
    mut untold: WatchSession<R>,
    mut told: WatchSession<R>,
    at: Timestamp,
) -> Checked<R> {
    let same = untold.position() == told.position()
        && untold.state() == told.state()
        && untold.poll_timeout() == told.poll_timeout();
    let next = (untold.poll(at), told.poll(at));
    if same && next.0 == next.1 {
        return Ok(());
    }
    let problem = format!("late answers led to {:?} instead of {:?}", next.1, next.0);
    Err(client.broken(OVER_IS_NOTHING, problem))
}
