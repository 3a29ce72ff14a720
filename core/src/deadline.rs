//! When the cache next wants to be woken, and why (T4).

use std::collections::BTreeSet;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::ids::{OperationId, ResourceId, RowKey, Timestamp};
use crate::operation::Operation;
use crate::resource::Resource;
use crate::state::{Kind, State};

/// Why there is a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The backoff is over: the caller may attempt again.
    Retry,
    /// An error was shown for long enough.
    ErrorShown,
    /// A completion was shown for long enough.
    CompletionShown,
    /// The operation was not heard of for too long (K1).
    Stale,
    /// A TTL ends: from now on asking the server decides.
    TtlOver,
    /// A tombstone ends.
    TombstoneOver,
    /// A queued operation may be sent.
    Send,
    /// An attempt was not answered in time, and counts as lost.
    AttemptLost,
    /// Nothing was heard of an operation for as long as its plan says.
    Stalled,
    /// A settled operation need not be remembered any longer; wakes nobody.
    #[doc(hidden)]
    Forget,
}

impl Reason {
    /// Whether something happens by time alone; the others only tell the caller to act.
    pub(crate) fn acts(self) -> bool {
        !matches!(self, Self::Retry | Self::Send | Self::TtlOver)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::ErrorShown => "error shown",
            Self::CompletionShown => "completion shown",
            Self::Stale => "stale",
            Self::TtlOver => "TTL over",
            Self::TombstoneOver => "tombstone over",
            Self::Send => "send",
            Self::AttemptLost => "attempt lost",
            Self::Stalled => "stalled",
            Self::Forget => "forget",
        }
    }
}

/// One deadline, in the caller's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// The resource.
    pub id: ResourceId,
    /// The operation that it belongs to (L9).
    pub operation: OperationId,
    /// Why.
    pub reason: Reason,
}

impl<R: Resource> Operation<R> {
    /// The operation's deadlines by the collection's own clock.
    pub(crate) fn deadlines(&self, listed: bool, config: &Config) -> Vec<(Timestamp, Reason)> {
        let mut all = Vec::new();
        if let Some(at) = self.retry_at {
            all.push((at, Reason::Retry));
        }
        if let Some(at) = self.shown_until {
            let reason = if self.is_failed() {
                Reason::ErrorShown
            } else {
                Reason::CompletionShown
            };
            all.push((at, reason));
        }
        if let Some(at) = self.send_at().filter(|at| *at > self.begun) {
            all.push((at, Reason::Send));
        }
        if let Some(at) = self.lost_at(config.retry.attempt_timeout_ms) {
            all.push((at, Reason::AttemptLost));
        }
        if let Some(at) = self.stale_at(config) {
            all.push((at, Reason::Stale));
        }
        if let Some(at) = self.stalled_at(config.progress.get(&self.kind)) {
            all.push((at, Reason::Stalled));
        }
        let awaits_server = match self.state {
            State::Acknowledged(Kind::Create | Kind::Update) => !self.lingers(),
            State::Running(Kind::Delete) | State::Acknowledged(Kind::Delete) => !self.stale,
            _ => false,
        };
        if awaits_server && !self.waiting && !self.is_unsent() {
            all.push((self.guard_end(), Reason::TtlOver));
        }
        if self.is_tombstone() {
            let reason = if listed {
                Reason::TtlOver
            } else {
                Reason::TombstoneOver
            };
            all.push((self.guard_end(), reason));
        }
        if let Some(at) = self.forgotten_at(listed, config) {
            all.push((at, Reason::Forget));
        }
        all
    }
}

/// When, for which row and operation, and why.
type Entry = (Timestamp, RowKey, OperationId, Reason);

/// All deadlines, by time. Those that act by themselves are kept apart from those that only tell
/// the caller to act: these stay when they are over, and would be passed over at every event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deadlines {
    act: BTreeSet<Entry>,
    tell: BTreeSet<Entry>,
    forget: BTreeSet<Entry>,
}

impl Deadlines {
    fn of(&mut self, reason: Reason) -> &mut BTreeSet<Entry> {
        match reason {
            Reason::Forget => &mut self.forget,
            reason if reason.acts() => &mut self.act,
            _ => &mut self.tell,
        }
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.of(entry.3).insert(entry);
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        self.of(entry.3).remove(entry);
    }

    /// The earliest that is due at `clock`: its time, and its row.
    pub(crate) fn due(&self, clock: Timestamp) -> Option<(Timestamp, RowKey)> {
        let firsts = [self.act.first(), self.forget.first()];
        let first = firsts.into_iter().flatten().min()?;
        (first.0 <= clock).then_some((first.0, first.1))
    }

    /// Those after `clock` that anybody need know of, the earliest first.
    pub(crate) fn ahead(&self, clock: Timestamp) -> impl Iterator<Item = &Entry> {
        let from = (
            clock,
            RowKey(u64::MAX),
            OperationId(u64::MAX),
            Reason::Forget,
        );
        let range = (Bound::Excluded(from), Bound::Unbounded);
        let mut act = self.act.range(range).peekable();
        let mut tell = self.tell.range(range).peekable();
        std::iter::from_fn(move || match (act.peek(), tell.peek()) {
            (Some(a), Some(t)) if t < a => tell.next(),
            (Some(_), _) => act.next(),
            _ => tell.next(),
        })
    }
}
