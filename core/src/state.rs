//! The lifecycle: one pure function decides every transition (DESIGN 3).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an operation does to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Makes the resource.
    Create,
    /// Changes some of its fields.
    Update,
    /// Anything that takes time and changes no field that this client knows.
    Process,
    /// Removes it.
    Delete,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Create, Self::Update, Self::Process, Self::Delete];

    /// The verb's infinitive: `create`, `update`, `process`, `delete`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Process => "process",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where one operation is in its life, or what its resource is once the operation has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No operation is unsettled.
    Idle,
    /// Begun, and not answered: `creating`, `updating`, `processing`, `deleting`.
    Running(Kind),
    /// Accepted by the server, and not yet seen: `created`, `updated`, `processed`, `deleted`.
    Acknowledged(Kind),
    /// An attempt failed; the next is to come.
    Retrying(Kind),
    /// Failed for good; its error is shown.
    Failed(Kind),
    /// The resource is no more; a tombstone may still guard it.
    Gone,
    /// Nothing of the resource is left. The end: an id that comes again is a new resource.
    Forgotten,
}

/// What can happen to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The user asks for it.
    Begin(Kind),
    /// The server accepted it.
    Acknowledge,
    /// An observation shows that it took effect.
    Confirm,
    /// Its time is over: the guard's by a late enough observation, an error's or a completion's by
    /// the clock.
    Expire,
    /// An attempt failed and another is to come.
    BackOff,
    /// The next attempt starts.
    Attempt,
    /// It failed for good.
    Fail,
    /// The user takes it back.
    Cancel,
    /// Not heard of for too long.
    Stale,
    /// A newer word of the server replaces it.
    Supersede,
    /// The resource is dropped.
    Remove,
}

/// The table has no such pair of state and trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a resource that is {state} cannot {trigger}")]
pub struct TransitionError {
    /// The state it was in.
    pub state: State,
    /// What was asked of it.
    pub trigger: Trigger,
}

/// One edge of the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// From this state
    pub from: State,
    /// by this trigger
    pub trigger: Trigger,
    /// to this one.
    pub to: State,
}

impl State {
    /// Every state, each kind apart.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_kinds = Kind::ALL.into_iter().flat_map(|k| {
            [
                Self::Running(k),
                Self::Acknowledged(k),
                Self::Retrying(k),
                Self::Failed(k),
            ]
        });
        [Self::Idle]
            .into_iter()
            .chain(of_kinds)
            .chain([Self::Gone, Self::Forgotten])
    }

    /// The state after `trigger`, or an error when the table has no such pair.
    ///
    /// The only place that decides transitions.
    ///
    /// ```
    /// use resourcecache::{Kind, State, Trigger};
    /// let deleting = State::Idle.next(Trigger::Begin(Kind::Delete))?;
    /// assert_eq!(deleting.name(), "deleting");
    /// assert_eq!(deleting.next(Trigger::Confirm)?, State::Gone);
    /// assert!(State::Idle.next(Trigger::Acknowledge).is_err());
    /// # Ok::<(), resourcecache::TransitionError>(())
    /// ```
    pub fn next(self, trigger: Trigger) -> Result<Self, TransitionError> {
        use Kind::{Create, Delete, Process, Update};
        use State::{Acknowledged, Failed, Forgotten, Gone, Idle, Retrying, Running};
        use Trigger as T;
        let error = TransitionError {
            state: self,
            trigger,
        };
        Ok(match (self, trigger) {
            (Forgotten, _) => return Err(error),
            (_, T::Remove) => Gone,

            (Idle, T::Begin(kind)) => Running(kind),
            (Gone, T::Begin(Create)) => Running(Create),
            (Gone, T::Expire) => Forgotten,

            (Running(k) | Retrying(k) | Failed(k), T::Acknowledge) => Acknowledged(k),
            (Running(k), T::BackOff) => Retrying(k),
            (Retrying(k) | Failed(k), T::Attempt) => Running(k),
            (Running(k) | Acknowledged(k), T::Fail) => Failed(k),

            (Running(Create) | Retrying(Create) | Failed(Create), T::Confirm) => Idle,
            (Acknowledged(Create | Update), T::Confirm) => Idle,
            (Running(Delete) | Retrying(Delete) | Failed(Delete), T::Confirm) => Gone,
            (Acknowledged(Delete), T::Confirm) => Gone,

            (Acknowledged(Create), T::Expire) => Gone,
            (Acknowledged(Update | Process | Delete), T::Expire) => Idle,
            (Running(Delete), T::Expire) => Idle,
            (Failed(Create), T::Expire) => Gone,
            (Failed(_), T::Expire) => Idle,

            // A superseded creation was ended by a deletion: its resource is no more.
            (
                Running(Create) | Acknowledged(Create) | Retrying(Create) | Failed(Create),
                T::Supersede,
            ) => Gone,
            (Running(Create) | Retrying(Create) | Failed(Create), T::Cancel | T::Stale) => Gone,
            (
                Running(_) | Acknowledged(_) | Retrying(_) | Failed(_),
                T::Cancel | T::Stale | T::Supersede,
            ) => Idle,

            _ => return Err(error),
        })
    }

    /// Every edge, found by asking [`next`](Self::next) for every pair.
    pub fn edges() -> impl Iterator<Item = Edge> {
        Self::all().flat_map(|from| {
            Trigger::all().filter_map(move |trigger| {
                from.next(trigger).ok().map(|to| Edge { from, trigger, to })
            })
        })
    }

    /// The kind of the operation that is in this state; `None` when it has left.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Running(k) | Self::Acknowledged(k) | Self::Retrying(k) | Self::Failed(k) => {
                Some(k)
            }
            Self::Idle | Self::Gone | Self::Forgotten => None,
        }
    }

    /// Whether an operation is in this state, and has not left.
    pub fn is_unsettled(self) -> bool {
        self.kind().is_some()
    }

    /// The state's word: `idle`, `creating`, `created`, `retrying`, `failed`, `gone`, and so on.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running(Kind::Create) => "creating",
            Self::Running(Kind::Update) => "updating",
            Self::Running(Kind::Process) => "processing",
            Self::Running(Kind::Delete) => "deleting",
            Self::Acknowledged(Kind::Create) => "created",
            Self::Acknowledged(Kind::Update) => "updated",
            Self::Acknowledged(Kind::Process) => "processed",
            Self::Acknowledged(Kind::Delete) => "deleted",
            Self::Retrying(_) => "retrying",
            Self::Failed(_) => "failed",
            Self::Gone => "gone",
            Self::Forgotten => "forgotten",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retrying(k) => write!(f, "retrying({k})"),
            Self::Failed(k) => write!(f, "failed({k})"),
            other => f.write_str(other.name()),
        }
    }
}

impl Trigger {
    /// Every trigger, `begin` once for each kind.
    pub fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Begin).chain([
            Self::Acknowledge,
            Self::Confirm,
            Self::Expire,
            Self::BackOff,
            Self::Attempt,
            Self::Fail,
            Self::Cancel,
            Self::Stale,
            Self::Supersede,
            Self::Remove,
        ])
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(kind) => write!(f, "begin {kind}"),
            Self::Acknowledge => f.write_str("acknowledge"),
            Self::Confirm => f.write_str("confirm"),
            Self::Expire => f.write_str("expire"),
            Self::BackOff => f.write_str("back off"),
            Self::Attempt => f.write_str("attempt"),
            Self::Fail => f.write_str("fail"),
            Self::Cancel => f.write_str("cancel"),
            Self::Stale => f.write_str("stale"),
            Self::Supersede => f.write_str("supersede"),
            Self::Remove => f.write_str("remove"),
        }
    }
}
