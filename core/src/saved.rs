//! The saved form in parts, so that what changed can be written by itself.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cache::ResourceCache;
use crate::changes::Outcome;
use crate::dropped::At;
use crate::error::Error;
use crate::history::Step;
use crate::ids::{OperationId, ResourceId, Revision, RowKey, Timestamp};
use crate::operation::Operation;
use crate::resource::Resource;
use crate::row::{LISTED, Row};
use crate::stored::Stored;

/// The version of the parts that this build writes.
pub(crate) const VERSION: u32 = 1;

/// Which part of a saved collection. All parts together are what a [`Record`](crate::Record) holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SavedKey {
    /// Counters, the clock, and what else there is once. Part of every saved collection.
    Head,
    /// The server's copy of a row.
    Body(RowKey),
    /// Where a row stands.
    Place(RowKey),
    /// What a row has that operations touched, and which these are.
    Marks(RowKey),
    /// One operation.
    Operation(OperationId),
    /// An id that an answer dropped (S6).
    Dropped(ResourceId),
    /// How an operation settled, by its number among all outcomes.
    Outcome(u64),
    /// A step that can be undone or redone, by its number.
    Step(u64),
}

/// The content of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved<R: Resource>(pub(crate) Content<R>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content<R: Resource> {
    Head(Head),
    Body(R),
    Place(SavedPlace),
    Marks(Box<Marks<R>>),
    Operation(Box<Operation<R>>),
    Dropped(At),
    Outcome(Revision, Outcome),
    Step(Step<R>),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) version: u32,
    pub(crate) next_key: u64,
    pub(crate) next_operation: u64,
    pub(crate) next_place: i64,
    pub(crate) revision: Revision,
    pub(crate) seq: u64,
    pub(crate) clock: Timestamp,
    pub(crate) skew: i64,
    pub(crate) started: bool,
    pub(crate) last_complete: u64,
    pub(crate) relist: bool,
    pub(crate) online: bool,
    pub(crate) online_since: Timestamp,
    pub(crate) next_step: u64,
    pub(crate) next_outcome: u64,
}

impl Head {
    /// Whether the other one is no more than a later time.
    pub(crate) fn is_but_earlier_than(&self, later: &Self) -> bool {
        let same_time = Self {
            seq: later.seq,
            clock: later.clock,
            skew: later.skew,
            started: later.started,
            ..*self
        };
        same_time == *later
    }
}

/// Where a row stands, and when its copy was observed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SavedPlace {
    /// A zone of [`Place`](crate::row::Place); `NOWHERE` for a row without a place.
    pub(crate) zone: u8,
    /// The place within the zone; in the server's list, a rank: only its order counts.
    pub(crate) at: i64,
    pub(crate) taken: u64,
}

pub(crate) const NOWHERE: u8 = u8::MAX;

/// What a row has that is not quiet, but its base, its place and its operations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "R: Serialize", deserialize = "R: Deserialize<'de>"))]
pub(crate) struct Marks<R> {
    pub(crate) id: ResourceId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) aliases: Vec<ResourceId>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<R>,
    pub(crate) operations: Vec<OperationId>,
}

fn none<R>() -> Option<R> {
    None
}

impl<R: Resource> Marks<R> {
    /// Those of a row; `None` when all of it is the server's copy in the server's list.
    pub(crate) fn of(row: &Row<R>) -> Option<Self> {
        let plain = row.operations.is_empty()
            && row.aliases.is_empty()
            && row.last.is_none()
            && row.base.as_ref().is_some_and(|base| row.id == *base.id())
            && row.place.is_some_and(|place| place.0 == LISTED);
        (!plain).then(|| Self {
            id: row.id.clone(),
            aliases: row.aliases.clone(),
            last: row.last.clone(),
            operations: row.operations.iter().map(|o| o.id).collect(),
        })
    }
}

/// A letter and a number, or a letter and an id: `h`, `b12`, `p12`, `m12`, `o3`, `d:example`, `u7`,
/// `s1`.
impl fmt::Display for SavedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("h"),
            Self::Body(key) => write!(f, "b{key}"),
            Self::Place(key) => write!(f, "p{key}"),
            Self::Marks(key) => write!(f, "m{key}"),
            Self::Operation(id) => write!(f, "o{id}"),
            Self::Dropped(id) => write!(f, "d:{id}"),
            Self::Outcome(number) => write!(f, "u{number}"),
            Self::Step(serial) => write!(f, "s{serial}"),
        }
    }
}

/// Reads what `to_string` wrote.
impl FromStr for SavedKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::bad_input(text, "names no part of a saved state");
        if let Some(id) = text.strip_prefix("d:") {
            return Ok(Self::Dropped(id.into()));
        }
        let (kind, number) = text.split_at_checked(1).ok_or_else(bad)?;
        if (kind, number) == ("h", "") {
            return Ok(Self::Head);
        }
        let number: u64 = number.parse().map_err(|_| bad())?;
        Ok(match kind {
            "b" => Self::Body(RowKey(number)),
            "p" => Self::Place(RowKey(number)),
            "m" => Self::Marks(RowKey(number)),
            "o" => Self::Operation(OperationId(number)),
            "u" => Self::Outcome(number),
            "s" => Self::Step(number),
            _ => return Err(bad()),
        })
    }
}

impl<R: Resource> Saved<R> {
    /// A row's body.
    pub(crate) fn of_body(body: R) -> Self {
        Self(Content::Body(body))
    }

    /// The part as bytes: bodies as their type writes them ([`Stored`]), places as 17 bytes (zone,
    /// place and time of observation, little-endian), all else as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] when a body or a patch cannot be written.
    pub fn encode(&self) -> Result<Vec<u8>, Error>
    where
        R: Stored,
    {
        let json = match &self.0 {
            Content::Head(head) => serde_json::to_vec(head),
            Content::Body(body) => return body.to_bytes(),
            Content::Place(place) => {
                let mut bytes = Vec::with_capacity(17);
                bytes.push(place.zone);
                bytes.extend(place.at.to_le_bytes());
                bytes.extend(place.taken.to_le_bytes());
                return Ok(bytes);
            }
            Content::Marks(marks) => serde_json::to_vec(marks),
            Content::Operation(operation) => serde_json::to_vec(operation),
            Content::Dropped(at) => serde_json::to_vec(at),
            Content::Outcome(revision, outcome) => serde_json::to_vec(&(revision, outcome)),
            Content::Step(step) => serde_json::to_vec(step),
        };
        json.map_err(|error| Error::bad_input("saved state", format!("is not writable: {error}")))
    }

    /// Reads what [`encode`](Self::encode) wrote for this key.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for bytes that it did not write.
    pub fn decode(key: &SavedKey, bytes: &[u8]) -> Result<Self, Error>
    where
        R: Stored,
    {
        let damaged = |problem: String| Error::bad_input(format!("{key:?}"), problem);
        let json = match key {
            SavedKey::Place(_) => {
                return SavedPlace::read(bytes)
                    .map(|place| Self(Content::Place(place)))
                    .ok_or_else(|| damaged("is no place; the saved state is damaged".into()));
            }
            SavedKey::Head => serde_json::from_slice(bytes).map(Content::Head),
            SavedKey::Body(_) => {
                let body = R::from_bytes(&[bytes])?.pop();
                return body
                    .map(Self::of_body)
                    .ok_or_else(|| damaged("is no body".into()));
            }
            SavedKey::Marks(_) => serde_json::from_slice(bytes).map(Content::Marks),
            SavedKey::Operation(_) => serde_json::from_slice(bytes).map(Content::Operation),
            SavedKey::Dropped(_) => serde_json::from_slice(bytes).map(Content::Dropped),
            SavedKey::Outcome(_) => {
                serde_json::from_slice(bytes).map(|(r, outcome)| Content::Outcome(r, outcome))
            }
            SavedKey::Step(_) => serde_json::from_slice(bytes).map(Content::Step),
        };
        json.map(Self).map_err(|error| {
            damaged(format!(
                "cannot be read, the saved state is damaged: {error}"
            ))
        })
    }
}

impl SavedPlace {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (zone, rest) = bytes.split_first()?;
        let (at, taken) = rest.split_first_chunk::<8>()?;
        Some(Self {
            zone: *zone,
            at: i64::from_le_bytes(*at),
            taken: u64::from_le_bytes(taken.try_into().ok()?),
        })
    }
}

impl<R: Resource> ResourceCache<R> {
    pub(crate) fn head(&self) -> Head {
        let next_outcome = self.tracking.as_ref().map_or(0, |t| t.next_outcome());
        Head {
            version: VERSION,
            next_key: self.next_key,
            next_operation: self.next_operation,
            next_place: self.next_place,
            revision: self.revision,
            seq: self.seq,
            clock: self.clock,
            skew: self.skew,
            started: self.started,
            last_complete: self.last_complete,
            relist: self.relist,
            online: self.outbox.online,
            online_since: self.outbox.online_since,
            next_step: self.history.next(),
            next_outcome,
        }
    }

    /// Takes a saved head, but what is told apart: steps and outcomes.
    pub(crate) fn set_head(&mut self, head: &Head) {
        self.next_key = head.next_key;
        self.next_operation = head.next_operation;
        self.next_place = head.next_place;
        self.revision = head.revision;
        self.seq = head.seq;
        self.clock = head.clock;
        self.skew = head.skew;
        self.started = head.started;
        self.last_complete = head.last_complete;
        self.relist = head.relist;
        self.outbox.online = head.online;
        self.outbox.online_since = head.online_since;
    }
}
