//! One operation: what was asked for, how far it is, and what it guards.

use serde::{Deserialize, Serialize};

use crate::config::{Config, OnFailure};
use crate::ids::{OperationId, Timestamp};
use crate::metadata::{Metadata, Status};
use crate::observe::older as older_version;
use crate::outgoing::Outgoing;
use crate::progress::Tracked;
use crate::resource::Resource;
use crate::state::{Kind, State};

/// The server's acceptance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Acked {
    pub(crate) at: Timestamp,
    pub(crate) seq: u64,
    pub(crate) version: Option<String>,
}

/// A field that an acknowledged update holds against answers that may be old.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Guard<P> {
    /// Shows this value.
    Hold(P),
    /// Shows the server's value, which was this one at or past the acknowledged version; this value
    /// again, should an older version come back (G2).
    Caught(P),
    /// Shows the server's value, so that an older pending edit does not cover it (L15).
    Server(P),
}

impl<P> Guard<P> {
    /// The field that it guards, with a value.
    pub(crate) fn field(&self) -> &P {
        let (Self::Hold(field) | Self::Caught(field) | Self::Server(field)) = self;
        field
    }
}

/// What the operation lays over the server's copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) enum Payload<R: Resource> {
    /// Nothing: a mark only.
    Mark,
    /// The new resource: the user's, then the server's answer.
    Create(R),
    /// The user's patch, and once acknowledged the fields that are guarded.
    Update {
        patch: Option<R::Patch>,
        guards: Vec<Guard<R::Patch>>,
        /// Bodies whose values are old: the server's copies since the update began, and those with
        /// older operations of this client laid over them (U2).
        seen: Vec<R>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize, R::Patch: Serialize",
    deserialize = "R: Deserialize<'de>, R::Patch: Deserialize<'de>"
))]
pub(crate) struct Operation<R: Resource> {
    pub(crate) id: OperationId,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) payload: Payload<R>,
    /// Whether its payload still counts: unsettled, or settled with a guard.
    pub(crate) live: bool,
    pub(crate) begun: Timestamp,
    pub(crate) heard: Timestamp,
    pub(crate) ttl_ms: u64,
    /// A longer TTL given by a second mark, counted from the first (L5).
    pub(crate) extended_until: Timestamp,
    pub(crate) acked: Option<Acked>,
    /// Waits for the creation of its resource (L1).
    pub(crate) waiting: bool,
    /// A deletion whose outcome was stale, hidden until the next snapshot (K1).
    pub(crate) stale: bool,
    /// The server answered while it ran (U6).
    pub(crate) answered: bool,
    pub(crate) retry_at: Option<Timestamp>,
    /// Until when its error or its completion is shown.
    pub(crate) shown_until: Option<Timestamp>,
    pub(crate) settled_at: Option<Timestamp>,
    /// How far its sending is, where the outbox drives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) outgoing: Option<Outgoing>,
    /// Where only a stage of its plan ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tracked: Option<Tracked>,
    pub(crate) meta: Metadata,
}

impl<R: Resource> Operation<R> {
    pub(crate) fn is_unsettled(&self) -> bool {
        self.state.is_unsettled()
    }

    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    /// A creation that brought its resource along.
    pub(crate) fn creates(&self) -> bool {
        matches!(self.payload, Payload::Create(_))
    }

    /// The same, and the server has not answered it yet.
    pub(crate) fn creates_unanswered(&self) -> bool {
        self.creates() && self.acked.is_none() && !self.is_listed()
    }

    /// The client token by which a list may show it before it is answered (C2).
    pub(crate) fn awaited_token(&self) -> Option<&str> {
        match &self.payload {
            Payload::Create(new) if self.live && self.is_unsettled() && !self.is_listed() => {
                new.token()
            }
            _ => None,
        }
    }

    /// A creation that goes on at the server, on a resource that is listed (L13).
    pub(crate) fn is_in_place_creation(&self) -> bool {
        self.kind == Kind::Create && (!self.creates() || self.is_listed())
    }

    /// Whether it asks for anything that can be held once it has settled; a mark does not, but a
    /// deletion's.
    pub(crate) fn can_guard(&self) -> bool {
        self.kind == Kind::Delete || !matches!(self.payload, Payload::Mark)
    }

    /// A deletion that has settled and still hides its resource.
    pub(crate) fn is_tombstone(&self) -> bool {
        self.kind == Kind::Delete && self.live && !self.is_unsettled()
    }

    /// Whether it hides its resource (V1).
    pub(crate) fn hides(&self) -> bool {
        self.kind == Kind::Delete && self.live && !self.is_failed()
    }

    /// The end of its TTL (G1); none while it is queued (K2).
    pub(crate) fn guard_end(&self) -> Timestamp {
        if self.is_unsettled() && self.is_unsent() {
            return Timestamp(i64::MAX);
        }
        let from = self
            .acked
            .as_ref()
            .map_or(self.begun, |a| a.at.max(self.begun));
        from.plus_ms(self.ttl_ms).max(self.extended_until)
    }

    /// Whether it holds an acknowledged value of a field that this one names.
    pub(crate) fn holds(&self, field: &R::Patch) -> bool {
        let Payload::Update { guards, .. } = &self.payload else {
            return false;
        };
        let overlaps = |g: &Guard<R::Patch>| matches!(g, Guard::Hold(v) if R::overlaps(v, field));
        self.live && guards.iter().any(overlaps)
    }

    /// Done as far as the operation goes, and shown as such for a while.
    pub(crate) fn lingers(&self) -> bool {
        matches!(self.state, State::Acknowledged(_)) && self.shown_until.is_some()
    }

    /// When it is given up (K1); `None` while nothing counts against it.
    pub(crate) fn stale_at(&self, config: &Config) -> Option<Timestamp> {
        let done = self.is_failed() || self.lingers() || self.stale || self.is_confirmed_to_go_on();
        if !self.is_unsettled() || self.waiting || done || self.is_outgoing() {
            return None;
        }
        let limit = self.meta.ttl.unwrap_or(config.stale_after_ms);
        Some(self.heard.plus_ms(limit).max(self.guard_end()))
    }

    /// When it is past the time of late answers, and need not be remembered any longer: settled,
    /// and guarding nothing, or only the values of a resource that is not `listed` any more. What an
    /// update has seen and set is old to those behind it until then, while a list may show it.
    pub(crate) fn forgotten_at(&self, listed: bool, config: &Config) -> Option<Timestamp> {
        let settled = self.settled_at?;
        let at = settled.plus_ms(config.stale_after_ms);
        match self.kind {
            // No answer is to come.
            Kind::Update if !self.live && self.acked.is_some() => {
                Some(settled.max(self.guard_end().plus_ms(self.ttl_ms)))
            }
            Kind::Update if !self.live || !listed => Some(at.max(self.guard_end())),
            _ if !self.live => Some(at),
            _ => None,
        }
    }

    /// Whether an edit that was refused for good still shows (V5).
    pub(crate) fn is_kept(&self, config: &Config) -> bool {
        self.is_failed() && config.on_failure == OnFailure::Keep
    }

    /// Lays what the operation asks for over `body`. What the server told beside it lies beneath
    /// the `older` edits that still wait for their answer.
    pub(crate) fn lay_over(&self, body: R, base: Option<&R>, older: &[Self], config: &Config) -> R {
        let Payload::Update { patch, guards, .. } = &self.payload else {
            return body;
        };
        if !self.live || (self.is_failed() && !self.is_kept(config)) {
            return body;
        }
        if self.acked.is_none() && guards.is_empty() {
            return patch.as_ref().map_or(body.clone(), |p| body.apply(p));
        }
        let beneath = |field: &R::Patch| {
            let asked = patch.as_ref().is_some_and(|p| R::overlaps(p, field));
            !asked && older.iter().any(|o| o.awaits(field, config))
        };
        let acked = self
            .acked
            .as_ref()
            .and_then(|acked| acked.version.as_deref());
        let predates = |base: &R| older_version(config.version_order, base.version(), acked);
        guards.iter().fold(body, |body, guard| match guard {
            guard if beneath(guard.field()) => body,
            Guard::Hold(value) => body.apply(value),
            Guard::Caught(value) if base.is_some_and(predates) => body.apply(value),
            Guard::Caught(field) | Guard::Server(field) => match base {
                Some(base) => body.apply(&base.pick(field)),
                None => body,
            },
        })
    }

    /// Whether it is an edit of this field that shows, and has no answer yet.
    fn awaits(&self, field: &R::Patch, config: &Config) -> bool {
        let Payload::Update {
            patch: Some(patch), ..
        } = &self.payload
        else {
            return false;
        };
        let shows = self.live && (!self.is_failed() || self.is_kept(config));
        shows && self.acked.is_none() && R::overlaps(patch, field)
    }

    /// What a user reads of it (M7).
    pub(crate) fn metadata(&self) -> Metadata {
        let mut meta = self.meta.clone();
        meta.status = if self.is_tombstone() {
            Some(Status::Deleting)
        } else if self.lingers() && self.kind == Kind::Create {
            None
        } else if self.goes_on() && self.acked.is_some() {
            Some(Status::of_kind(self.kind))
        } else {
            Status::of(self.state)
        };
        meta
    }
}
