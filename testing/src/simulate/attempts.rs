//! What a client does with its outbox: sends what is handed out, and tells what came of it.

use resourcecache::{Attempt, Event, Kind, OperationId, Retry};

use super::law::{Broken, DONE_ONCE, ONE_KEY_EACH};
use super::model::{ServerModel, Subject};
use super::network::{Call, Stage};
use super::outbox_laws;
use super::play::Play;
use super::step::{How, Tag, Write};

type Played<S, T = ()> = Result<T, Broken<<S as ServerModel>::Resource>>;

impl<S: ServerModel> Play<S> {
    /// Takes what the outbox hands out, writes the state down, and sends it.
    pub(crate) fn poll(&mut self, index: usize, flight: Tag) -> Played<S> {
        if let Some(call) = self.next_attempt(index)? {
            self.start(index, flight, Stage::Call(call));
        }
        Ok(())
    }

    /// The call of the attempt that the outbox hands out, if it does.
    pub(crate) fn next_attempt(&mut self, index: usize) -> Played<S, Option<Call<S::Resource>>> {
        let applied = self.give(index, Event::PollAttempt, None)?;
        let Some(operation) = applied.and_then(|a| a.operation()) else {
            return Ok(None);
        };
        let client = &mut self.clients[index];
        let Some(attempt) = client.cache.attempt_of(operation) else {
            let problem = format!("operation {operation} was handed out, and has no attempt");
            return Err(client.broken(ONE_KEY_EACH, problem));
        };
        let attempt = (self.tamper.attempt)(attempt);
        let own = client.memory.clock.now();
        outbox_laws::check_attempt(client, &attempt, own, &mut self.coverage)?;
        client.memory.sent(&attempt, &client.cache, own);
        // What is sent must be known after a crash.
        client.save();
        self.call_of(index, &attempt)
    }

    /// Sends what is under way once more, as a client does after a restart.
    pub(crate) fn resend(&mut self, index: usize, tag: Tag, flight: Tag) -> Played<S> {
        let client = &self.clients[index];
        let known = client.memory.by_tag(tag).map(|o| o.operation);
        let attempt = known.and_then(|operation| client.cache.attempt_of(operation));
        let Some(attempt) = attempt.map(self.tamper.attempt) else {
            return Ok(());
        };
        if let Some(call) = self.call_of(index, &attempt)? {
            self.coverage.met("O2");
            self.start(index, flight, Stage::Call(call));
        }
        Ok(())
    }

    /// What an attempt asks of the server. No two operations have one key.
    fn call_of(
        &mut self,
        index: usize,
        attempt: &Attempt<S::Resource>,
    ) -> Played<S, Option<Call<S::Resource>>> {
        let client = &self.clients[index];
        let Some(one) = client.memory.get(attempt.operation) else {
            return Ok(None);
        };
        let tag = one.tag;
        let other = *self.network.keys.entry(attempt.key.clone()).or_insert(tag);
        if other != tag {
            let problem = format!("operation {} has the key of another", attempt.operation);
            return Err(client.broken(ONE_KEY_EACH, problem));
        }
        let carries = one.sending.iter().flat_map(|s| &s.carries);
        let tags = carries.filter_map(|o| client.memory.get(*o)).map(|o| o.tag);
        let operations = std::iter::once(tag).chain(tags).collect();
        Ok(write_of(attempt).map(|write| Call {
            operation: tag,
            write,
            key: Some((
                (self.tamper.header)(attempt.key.clone(), attempt.number),
                operations,
            )),
        }))
    }

    /// At a server that honours keys, what was asked for once is done once.
    pub(crate) fn check_done_once(&self, call: &Call<S::Resource>, index: usize) -> Played<S> {
        let client = &self.clients[index];
        for tag in call.key.iter().flat_map(|(_, operations)| operations) {
            let done = self.network.done.get(tag).map_or(0, Vec::len);
            let known = client.memory.by_tag(*tag);
            let again = known.is_none_or(|one| {
                let sending = one.sending.as_ref();
                let given_up = client.memory.operations.iter().any(|carrier| {
                    let carries = carrier.sending.as_ref().map(|s| &s.carries);
                    let with = carries.is_some_and(|c| c.contains(&one.operation));
                    with && (carrier.has_outcome() || carrier.released)
                });
                sending.is_none_or(|sending| sending.again || one.has_outcome()) || given_up
            });
            if done > 1 && !again {
                let problem = format!("the server has done operation {tag} {done} times");
                return Err(client.broken(DONE_ONCE, problem));
            }
        }
        Ok(())
    }
}

fn write_of<R: Subject>(attempt: &Attempt<R>) -> Option<Write<R>> {
    let id = attempt.id.to_string();
    Some(match attempt.kind {
        Kind::Create => Write::Create(attempt.body.clone()?),
        Kind::Update => match &attempt.patches[..] {
            [patch] => Write::Update {
                id,
                patch: patch.clone(),
            },
            patches => Write::Updates {
                id,
                patches: patches.to_vec(),
            },
        },
        Kind::Process => Write::Process { id },
        Kind::Delete => Write::Delete { id },
    })
}

/// How a client tells its outbox what came of a call.
pub(crate) fn reported<R: Subject>(
    operation: OperationId,
    kind: Kind,
    answer: &Result<R, String>,
    tells: bool,
    after_ms: Option<u64>,
) -> Event<R> {
    let error = match answer {
        Ok(body) => {
            return Event::Acknowledge {
                operation,
                answer: tells.then(|| body.clone()),
            };
        }
        Err(error) => error,
    };
    let status = error.split(':').next().and_then(|text| text.parse().ok());
    match status {
        // What is not there any more was deleted.
        Some(404) if kind == Kind::Delete => Event::Acknowledge {
            operation,
            answer: None,
        },
        Some(status) => Event::Fail {
            operation,
            error: error.clone(),
            retry: Retry::ByStatus { status, after_ms },
        },
        None => Event::Fail {
            operation,
            error: error.clone(),
            retry: Retry::No,
        },
    }
}

/// What a user begins, as a step and left to the outbox, if it is.
pub(crate) fn as_asked<R: Subject>(event: Event<R>, how: &How) -> Event<R> {
    let queued = |event| match how.queue {
        Some(send_after_ms) => Event::Queue {
            begin: Box::new(event),
            send_after_ms,
        },
        None => event,
    };
    let event = match event {
        Event::Batch(events) => Event::Batch(events.into_iter().map(queued).collect()),
        event => queued(event),
    };
    match &how.label {
        Some(label) => Event::Perform {
            label: label.clone(),
            event: Box::new(event),
        },
        None => event,
    }
}
