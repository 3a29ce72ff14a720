//! The small values that name things: resources, operations, rows, revisions, times.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// The text by which the server names a resource.
///
/// Compared by its text alone: `7` and `"7"` are the same id, and texts are not normalised (S7).
///
/// ```
/// use resourcecache::ResourceId;
/// assert_eq!(ResourceId::from("z1").as_str(), "z1");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(SmolStr);

impl ResourceId {
    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ResourceId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for ResourceId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&ResourceId> for ResourceId {
    fn from(id: &ResourceId) -> Self {
        id.clone()
    }
}

impl AsRef<str> for ResourceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for ResourceId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ResourceId {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ResourceId {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for ResourceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ResourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// Names one operation of this collection; given out in order, never reused.
    OperationId
}
number! {
    /// Names a row of the list for as long as it lives, also when a temporary id becomes a real
    /// one (V6): what a user interface keys its list by.
    RowKey
}
number! {
    /// The collection's change counter; it only grows.
    Revision
}

/// A point in time: milliseconds after 1970-01-01T00:00:00Z, by the caller's clock.
///
/// ```
/// use resourcecache::Timestamp;
/// let t = Timestamp(1_737_244_800_000);
/// assert_eq!(t.to_rfc3339(), "2025-01-19T00:00:00.000Z");
/// assert_eq!(Timestamp::parse_rfc3339("2025-01-19T01:00:00+01:00"), Some(t));
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time `ms` milliseconds later; stops at the end of the range instead of wrapping.
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }

    /// Milliseconds since `earlier`; zero when that is later.
    pub fn ms_since(self, earlier: Self) -> u64 {
        u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0)
    }

    /// The time as RFC 3339 text in UTC with milliseconds, as JavaScript's `toISOString` writes it.
    ///
    /// A time outside the calendar's range (about ±262,000 years) is written as its nearest end.
    pub fn to_rfc3339(self) -> String {
        let end = if self.0 < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        DateTime::<Utc>::from_timestamp_millis(self.0)
            .unwrap_or(end)
            .to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    /// Whether it lies within the years 0 to 9999, so that RFC 3339 can write it.
    pub(crate) fn is_writable(self) -> bool {
        (-62_167_219_200_000..=253_402_300_799_999).contains(&self.0)
    }

    /// Reads RFC 3339 text; `None` when it is not that.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|t| Self(t.timestamp_millis()))
    }
}

/// Taken before a list call starts and handed in with its snapshot: it tells when the snapshot was
/// taken, so that answers which arrive out of order are applied in the right one (S6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FetchToken {
    /// How many events the collection had seen.
    pub(crate) seq: u64,
    /// The collection's own clock, which never steps back (T1).
    pub(crate) at: Timestamp,
}
