//! One operation, as its user remembers it.

use resourcecache::{Kind, OperationId, Resource, ResourceCache, RowKey, Settlement, State};

use super::sending::Sending;
use super::step::Tag;

/// The server's acceptance of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Acked<R> {
    pub(crate) answer: Option<R>,
    pub(crate) at: i64,
    pub(crate) version: Option<String>,
}

/// One field that an update sets.
#[derive(Clone, Debug)]
pub(crate) struct Field<P> {
    /// What the user wants of it.
    pub(crate) wanted: P,
    /// What it was before, when nothing else was pending.
    pub(crate) old: Option<P>,
    /// Whether the server has said something that lets go of it.
    pub(crate) released: bool,
}

/// An operation, as its user remembers it.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<R: Resource> {
    pub(crate) tag: Tag,
    pub(crate) operation: OperationId,
    pub(crate) kind: Kind,
    /// The resource's id: after a creation's answer, the real one.
    pub(crate) id: String,
    /// The ids that it had before, the first that by which the user asked for it.
    pub(crate) earlier: Vec<String>,
    pub(crate) key: Option<RowKey>,
    /// The body that was shown when it began.
    pub(crate) body: Option<R>,
    /// The new resource, of a creation.
    pub(crate) new: Option<R>,
    /// What an update is to set.
    pub(crate) patch: Option<R::Patch>,
    pub(crate) fields: Vec<Field<R::Patch>>,
    /// By the collection's own clock.
    pub(crate) begun: i64,
    pub(crate) ttl_ms: u64,
    pub(crate) acked: Option<Acked<R>>,
    pub(crate) outcomes: Vec<Settlement>,
    /// Attempted, or accepted, since its last outcome: another one may follow.
    pub(crate) attempted: bool,
    pub(crate) accepted: bool,
    /// An outcome that may not follow the one before it.
    pub(crate) surplus: bool,
    /// Something has happened after which its promise is not given any more.
    pub(crate) released: bool,
    /// How far its sending is, where the outbox drives it.
    pub(crate) sending: Option<Sending<R>>,
    /// Whether it is part of a step that can be undone, or undoes or redoes one.
    pub(crate) step: bool,
    /// Whether it undoes or redoes a step.
    pub(crate) inverse: bool,
    /// Whether what it sets is not known.
    pub(crate) vague: bool,
    /// Whether the server has shown what it is about since it began.
    pub(crate) was_seen: bool,
    /// Whether it was said to be complete, by the user or by a stage.
    pub(crate) was_completed: bool,
    /// Whether a stage that ends it was named since it began.
    pub(crate) saw_end: bool,
    /// Whether it was ever accepted.
    pub(crate) was_answered: bool,
}

impl<R: Resource> Remembered<R> {
    /// One that has just begun.
    pub(crate) fn new(operation: OperationId, kind: Kind, id: &str) -> Self {
        Self {
            tag: usize::MAX,
            operation,
            kind,
            id: id.to_string(),
            earlier: vec![id.to_string()],
            key: None,
            body: None,
            new: None,
            patch: None,
            fields: Vec::new(),
            begun: 0,
            ttl_ms: 0,
            acked: None,
            outcomes: Vec::new(),
            attempted: false,
            accepted: false,
            surplus: false,
            released: false,
            sending: None,
            step: false,
            inverse: false,
            vague: false,
            was_seen: false,
            was_completed: false,
            saw_end: false,
            was_answered: false,
        }
    }

    /// Whether it is the outbox's, and the server has not answered it.
    pub(crate) fn is_outgoing(&self) -> bool {
        self.sending.is_some() && self.acked.is_none() && self.is_open()
    }

    /// Whether it has not ended, as far as its outcomes tell.
    pub(crate) fn is_open(&self) -> bool {
        !self.has_outcome() || self.attempted
    }

    /// The end of its guard, or a time before that.
    pub(crate) fn guard_end(&self) -> i64 {
        let from = self.acked.as_ref().map_or(self.begun, |a| a.at);
        from.max(self.begun).saturating_add_unsigned(self.ttl_ms)
    }

    /// The same, before what has happened at `own`.
    pub(crate) fn guard_end_before(&self, own: i64) -> i64 {
        let acked = self.acked.as_ref().map(|a| a.at).filter(|at| *at < own);
        let from = acked.unwrap_or(self.begun).max(self.begun);
        from.saturating_add_unsigned(self.ttl_ms)
    }

    /// The uid of what it is about, as far as that is known.
    pub(crate) fn uid(&self) -> Option<&str> {
        let answer = self.acked.as_ref().and_then(|a| a.answer.as_ref());
        let about = if self.new.is_some() {
            answer
        } else {
            self.body.as_ref()
        };
        about.and_then(R::uid)
    }

    /// Whether this is another resource than the one that a creation made.
    pub(crate) fn is_other(&self, body: &R) -> bool {
        let made = self.uid().filter(|_| self.new.is_some());
        made.is_some() && body.uid().is_some() && made != body.uid()
    }

    /// Whether the server's answer gives this field another value.
    pub(crate) fn answers_otherwise(&self, field: &R::Patch) -> bool {
        let answer = self.acked.as_ref().and_then(|a| a.answer.as_ref());
        answer.is_some_and(|answer| answer.pick(field) != *field)
    }

    /// Whether it may still be going on, or has done what it was to do.
    pub(crate) fn stands(&self) -> bool {
        let confirmed = |o: &Settlement| *o == Settlement::Confirmed;
        !self.released && self.outcomes.iter().all(confirmed)
    }

    pub(crate) fn has_outcome(&self) -> bool {
        !self.outcomes.is_empty()
    }

    /// One outcome, and another only when it was attempted again; or failed, and was accepted or
    /// seen to have worked (L7, L14).
    pub(crate) fn ends(&mut self, how: Settlement) {
        if let Some(last) = self.outcomes.last() {
            let worked = how == Settlement::Confirmed && self.kind != Kind::Update;
            let along = self.sending.as_ref().is_some_and(|s| s.carried);
            let worked = worked || along;
            let failed = *last == Settlement::Failed;
            self.surplus |= !(self.attempted || failed && (self.accepted || worked));
        }
        // What was never sent guards nothing.
        let unsent = self.sending.as_ref().is_some_and(Sending::is_unsent);
        self.released |= unsent && how == Settlement::Confirmed && self.kind == Kind::Delete;
        self.outcomes.push(how);
        (self.attempted, self.accepted) = (false, false);
    }

    /// It goes by another id from now on; the one before.
    pub(crate) fn rename(&mut self, id: &str) -> String {
        let before = std::mem::replace(&mut self.id, id.into());
        self.earlier.push(before.clone());
        before
    }

    pub(crate) fn is_about(&self, id: &str, key: Option<RowKey>) -> bool {
        self.id == id || (key.is_some() && self.key == key)
    }
}

/// The states of the operations that have not ended.
pub(crate) fn state_of<R: Resource>(
    cache: &ResourceCache<R>,
    one: &Remembered<R>,
) -> Option<State> {
    let operations = cache.operations(&one.id);
    let found = operations.iter().find(|o| o.id == one.operation);
    found.map(|o| o.state)
}
