//! Why a row is hidden, shown, or not what the server says.

use std::fmt;

use serde::Serialize;

use crate::cache::ResourceCache;
use crate::ids::{OperationId, ResourceId, Timestamp};
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::Row;
use crate::state::{Kind, State};

/// The answer to "why does this row look as it does?". `Display` gives it as sentences.
///
/// ```
/// use resourcecache::{Config, JsonCache, Timestamp, json::Schema};
/// let mut cache = JsonCache::new(Config::default());
/// cache.merge(Schema::default().snapshot(br#"[{"id":"a"}]"#)?, Timestamp(0))?;
/// cache.mark_as_deleting("a", None, Timestamp(0))?;
/// let why = cache.explain("a");
/// assert_eq!((why.visible, why.rule), (false, Some("D1")));
/// assert_eq!(why.to_string(), "a is deleting, and hidden: its deletion is under way, and lists \
/// that still have it may be old (D1). What would change it: a list without it; \
/// a list taken after 1970-01-01T00:01:00.000Z; an answer to the call; being given up at \
/// 1970-01-01T00:05:00.000Z.");
/// # Ok::<(), resourcecache::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The resource.
    pub id: ResourceId,
    /// Where it is in the lifecycle; `None` when nothing is known of it.
    pub state: Option<State>,
    /// Whether it is in the visible list.
    pub visible: bool,
    /// The operation that decides how it looks, if one does.
    pub operation: Option<OperationId>,
    /// The rule of the model that decides (docs/model.md), if more than the server's word does.
    pub rule: Option<&'static str>,
    /// Why, in a clause.
    pub why: &'static str,
    /// What would change it.
    pub next: Vec<Next>,
}

/// Something that would change how a row looks. Times are by the caller's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// A list that has it, or has it otherwise.
    List,
    /// A list that has it no more.
    ListWithout,
    /// A list that shows what was asked for, or something new.
    ListCaughtUp,
    /// A list that was taken at or after this time.
    ListAfter(Timestamp),
    /// The server's answer to the call: acknowledge, fail.
    Answer,
    /// The next attempt, due at this time.
    Attempt(Timestamp),
    /// It may be sent from this time on, in its turn.
    Sent(Timestamp),
    /// Going online.
    Online,
    /// The error, or the completion, is shown until this time.
    Shown(Timestamp),
    /// The user retries it or takes it back.
    User,
    /// It is given up at this time, when nothing is heard of it.
    GivenUp(Timestamp),
    /// Its tombstone ends at this time.
    Forgotten(Timestamp),
    /// The answer to the creation that it waits for.
    Creation,
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List => f.write_str("a list that has it"),
            Self::ListWithout => f.write_str("a list without it"),
            Self::ListCaughtUp => f.write_str("a list that has caught up"),
            Self::ListAfter(at) => write!(f, "a list taken after {}", at.to_rfc3339()),
            Self::Answer => f.write_str("an answer to the call"),
            Self::Attempt(at) => write!(f, "the next attempt at {}", at.to_rfc3339()),
            Self::Sent(at) => write!(f, "being sent, from {} on", at.to_rfc3339()),
            Self::Online => f.write_str("going online"),
            Self::Shown(at) => write!(f, "the time {}", at.to_rfc3339()),
            Self::User => f.write_str("the user, by retrying it or taking it back"),
            Self::GivenUp(at) => write!(f, "being given up at {}", at.to_rfc3339()),
            Self::Forgotten(at) => write!(f, "being forgotten at {}", at.to_rfc3339()),
            Self::Creation => f.write_str("the answer to its creation"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            None => write!(f, "{} is unknown", self.id)?,
            Some(state) if self.visible => write!(f, "{} is {state}, and shown", self.id)?,
            Some(state) => write!(f, "{} is {state}, and hidden", self.id)?,
        }
        write!(f, ": {}", self.why)?;
        if let Some(rule) = self.rule {
            write!(f, " ({rule})")?;
        }
        f.write_str(".")?;
        if self.next.is_empty() {
            return Ok(());
        }
        let next: Vec<String> = self.next.iter().map(Next::to_string).collect();
        write!(f, " What would change it: {}.", next.join("; "))
    }
}

type Why = (Option<&'static str>, &'static str, Vec<Next>);

impl<R: Resource> ResourceCache<R> {
    /// Why a row is hidden, shown, or not what the server says; the rule that decides, and what
    /// would change it.
    pub fn explain(&self, id: &str) -> Explanation {
        let known = self.key_of(id).filter(|_| self.state(id).is_some());
        let Some(row) = known.and_then(|key| self.draft_of(key)) else {
            return Explanation {
                id: id.into(),
                state: None,
                visible: false,
                operation: None,
                rule: None,
                why: "no list had it, and no operation is on it",
                next: vec![Next::List],
            };
        };
        let deciding = row
            .leading()
            .or_else(|| row.operations.iter().rfind(|o| o.live));
        let (rule, why, next) = match deciding {
            None => (None, "this is the server's word", vec![Next::List]),
            Some(operation) => self.explain_operation(&row, operation),
        };
        Explanation {
            id: row.id.clone(),
            state: Some(row.state()),
            visible: row.is_visible(),
            operation: deciding.map(|o| o.id),
            rule,
            why,
            next,
        }
    }

    fn explain_operation(&self, row: &Row<R>, operation: &Operation<R>) -> Why {
        let ttl = Next::ListAfter(self.callers(operation.guard_end()));
        if operation.waiting {
            let why = "it waits for the creation of its resource";
            return (Some("L1"), why, vec![Next::Creation]);
        }
        if operation.is_tombstone() {
            let why = "it was deleted, and lists that still have it may be old";
            if row.base.is_some() {
                return (Some("D3"), why, vec![ttl]);
            }
            let end = self.callers(operation.guard_end());
            return (Some("D3"), why, vec![Next::Forgotten(end)]);
        }
        if !operation.is_unsettled() {
            let why = "what is settled is still held against lists that may be old";
            return (Some("G2"), why, vec![Next::ListCaughtUp, ttl]);
        }
        if operation.kind != Kind::Create && row.body().is_none() {
            let why = "it has an operation, and no list had it yet";
            let mut next = vec![Next::List];
            next.extend(self.given_up(operation));
            return (Some("L10"), why, next);
        }
        self.explain_unsettled(operation, ttl)
    }

    fn given_up(&self, operation: &Operation<R>) -> Option<Next> {
        let at = operation.stale_at(&self.config)?;
        Some(Next::GivenUp(self.callers(at)))
    }

    fn explain_unsettled(&self, operation: &Operation<R>, ttl: Next) -> Why {
        if let Some(at) = operation.send_at() {
            let sent = Next::Sent(self.callers(at.max(self.clock)));
            let next = if self.is_online() { sent } else { Next::Online };
            return (
                Some("O1"),
                "it is queued to be sent",
                vec![next, Next::User],
            );
        }
        let shown = operation
            .shown_until
            .map(|at| Next::Shown(self.callers(at)));
        let (rule, why, mut next) = match (operation.state, operation.kind) {
            (State::Failed(_), kind) => {
                let rule = if kind == Kind::Delete { "V2" } else { "V5" };
                let next = shown.into_iter().chain([Next::User]).collect();
                return (Some(rule), "it failed, and its error is shown", next);
            }
            (State::Acknowledged(_), _) if operation.lingers() => {
                let why = "it is complete, and shown as such for a while";
                return (Some("T4"), why, shown.into_iter().collect());
            }
            (_, Kind::Delete) if operation.stale => {
                let why = "nothing was heard of its deletion for too long; a list decides";
                return (Some("K1"), why, vec![Next::ListWithout, Next::List]);
            }
            (State::Acknowledged(_), Kind::Delete) => (
                "D1",
                "the server accepted its deletion, and lists that still have it may be old",
                vec![Next::ListWithout, ttl],
            ),
            (_, Kind::Delete) if operation.is_outgoing() => (
                "O8",
                "its deletion was sent, and may not have arrived",
                vec![],
            ),
            (_, Kind::Delete) => (
                "D1",
                "its deletion is under way, and lists that still have it may be old",
                vec![Next::ListWithout, ttl],
            ),
            _ if operation.goes_on() && (operation.acked.is_some() || operation.is_listed()) => (
                "P4",
                "it goes on at the server, until a stage ends it",
                vec![Next::ListCaughtUp],
            ),
            (State::Acknowledged(_), Kind::Create) => (
                "C1",
                "the server accepted its creation, and lists without it may be old",
                vec![Next::List, ttl],
            ),
            (_, Kind::Create) if operation.creates() => {
                ("C1", "its creation is under way", vec![Next::List])
            }
            (_, Kind::Create) => ("L13", "its creation goes on at the server", vec![]),
            (State::Acknowledged(_), Kind::Update) => (
                "U2",
                "the server accepted an update, and lists without it may be old",
                vec![Next::ListCaughtUp, ttl],
            ),
            (_, Kind::Update) => ("V4", "an update is laid over the server's copy", vec![]),
            (_, Kind::Process) => ("M7", "something goes on that changes no field", vec![]),
        };
        if let Some(at) = operation.retry_at {
            next.push(Next::Attempt(self.callers(at)));
        } else if matches!(operation.state, State::Running(_)) {
            next.push(Next::Answer);
        }
        next.extend(self.given_up(operation));
        (Some(rule), why, next)
    }
}
