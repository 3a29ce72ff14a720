//! What a user is told about a resource's operation: the document's `CacheMetadata` (M1).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::ids::Timestamp;
use crate::state::{Kind, State};

/// The status of a resource, as the document has it. An idle, created or updated resource has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is being deleted, or was and is guarded by its tombstone.
    Deleting,
    /// It is being created.
    Creating,
    /// It is being changed.
    Updating,
    /// Something else goes on, or was just completed.
    Processing,
    /// An attempt failed, and another is to come.
    Retrying,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Deleting,
        Self::Creating,
        Self::Updating,
        Self::Processing,
        Self::Retrying,
    ];

    /// Its word, as it is written in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deleting => "deleting",
            Self::Creating => "creating",
            Self::Updating => "updating",
            Self::Processing => "processing",
            Self::Retrying => "retrying",
        }
    }

    /// The kind of operation whose status this is; `None` for `retrying`.
    pub fn kind(self) -> Option<Kind> {
        match self {
            Self::Deleting => Some(Kind::Delete),
            Self::Creating => Some(Kind::Create),
            Self::Updating => Some(Kind::Update),
            Self::Processing => Some(Kind::Process),
            Self::Retrying => None,
        }
    }

    /// The status of an operation of this kind that runs.
    pub fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Create => Self::Creating,
            Kind::Update => Self::Updating,
            Kind::Process => Self::Processing,
            Kind::Delete => Self::Deleting,
        }
    }

    /// The status of an operation in this state (M7): none for what is done as far as the user is
    /// concerned.
    pub fn of(state: State) -> Option<Self> {
        match state {
            State::Running(kind) | State::Failed(kind) => Some(Self::of_kind(kind)),
            State::Acknowledged(Kind::Delete) => Some(Self::Deleting),
            State::Acknowledged(Kind::Process) => Some(Self::Processing),
            State::Retrying(_) => Some(Self::Retrying),
            State::Acknowledged(Kind::Create | Kind::Update)
            | State::Idle
            | State::Gone
            | State::Forgotten => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a user is told about a resource's operation. In JSON it is the document's `CacheMetadata`:
/// the same field names and types, and whatever fields of the user's own there are.
///
/// ```
/// use resourcecache::{Metadata, Status};
/// let meta: Metadata = serde_json::from_str(
///     r#"{"status":"deleting","deletedAt":"2025-01-19T00:00:00.000Z","minTtl":60000,"team":"dns"}"#,
/// ).unwrap();
/// assert_eq!(meta.status, Some(Status::Deleting));
/// assert_eq!(meta.min_ttl, Some(60_000));
/// assert_eq!(meta.extra["team"], "dns");
/// ```
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// What goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// When the operation began.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was acknowledged, completed or failed.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// When the resource was marked as being deleted.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// When it was marked as being created.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was marked as being updated.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// How far it is, 0 to 100.
    #[serde(with = "number", skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// The step of a longer work, such as `verifying`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// How far it is within its stage, 0 to 100.
    #[serde(with = "number", skip_serializing_if = "Option::is_none")]
    pub stage_progress: Option<f64>,
    /// When it will be done, if its stages take as long as they are said to.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub expected_at: Option<Timestamp>,
    /// Nothing was heard of it for as long as its plan says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled: Option<bool>,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many attempts failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_count: Option<u32>,
    /// How many the caller means to make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// What to tell the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When the outbox tries again.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// After how many milliseconds unheard of the operation is given up (K1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// How many milliseconds the operation guards at least (G1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ttl: Option<u64>,
    /// Fields of the user's own; kept and given back.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a patch does to one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// Leaves it. In JSON: the field is absent.
    #[default]
    Keep,
    /// Takes it away. In JSON: `null`.
    Clear,
    /// Gives it this value.
    Set(T),
}

impl<T> Change<T> {
    /// Whether it leaves the field as it is.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    fn onto(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *field = None,
            Self::Set(value) => *field = Some(value),
        }
    }
}

impl<T> From<T> for Change<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => serializer.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// A change of some metadata fields; those it does not name are left (M3). The times are set by the
/// operation itself and cannot be patched; a v1.0 list brings its own.
///
/// ```
/// use resourcecache::MetadataPatch;
/// let patch: MetadataPatch = serde_json::from_str(
///     r#"{"progress": 25, "stage": "verifying", "message": null}"#,
/// ).unwrap();
/// assert_eq!(patch, MetadataPatch {
///     progress: 25.0.into(),
///     stage: "verifying".to_string().into(),
///     message: resourcecache::Change::Clear,
///     ..MetadataPatch::default()
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MetadataPatch {
    /// A trigger: begins, backs off or attempts an operation, by the lifecycle.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub status: Change<Status>,
    /// 0 to 100 (M2).
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub progress: Change<f64>,
    /// The step of a longer work.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub stage: Change<String>,
    /// How far it is within its stage, 0 to 100; `progress` follows where stages are declared.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub stage_progress: Change<f64>,
    /// An error to show; it fails nothing.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub error: Change<String>,
    /// How many attempts failed.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub retry_count: Change<u32>,
    /// How many the caller means to make.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub max_retries: Change<u32>,
    /// What to tell the user.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub message: Change<String>,
    /// When the operation began, if the server knows better.
    #[serde(with = "rfc3339_change", skip_serializing_if = "Change::is_keep")]
    pub started_at: Change<Timestamp>,
    /// When it was done, if the server knows better.
    #[serde(with = "rfc3339_change", skip_serializing_if = "Change::is_keep")]
    pub completed_at: Change<Timestamp>,
    /// When it was marked as being deleted, likewise.
    #[serde(with = "rfc3339_change", skip_serializing_if = "Change::is_keep")]
    pub deleted_at: Change<Timestamp>,
    /// When it was marked as being created, likewise.
    #[serde(with = "rfc3339_change", skip_serializing_if = "Change::is_keep")]
    pub created_at: Change<Timestamp>,
    /// When it was marked as being updated, likewise.
    #[serde(with = "rfc3339_change", skip_serializing_if = "Change::is_keep")]
    pub updated_at: Change<Timestamp>,
    /// Milliseconds unheard of after which the operation is given up (K1).
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub ttl: Change<u64>,
    /// Milliseconds that the operation guards at least; it can only grow.
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub min_ttl: Change<u64>,
    /// Fields of the user's own; `null` takes one away.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl MetadataPatch {
    /// A patch that sets only the status.
    pub fn status(status: Status) -> Self {
        Self {
            status: Change::Set(status),
            ..Self::default()
        }
    }

    /// Refuses values out of range (M2).
    pub(crate) fn check(&self) -> Result<(), Error> {
        for progress in [self.progress, self.stage_progress] {
            if let Change::Set(p) = progress {
                check_progress(p)?;
            }
        }
        let times = [
            self.started_at,
            self.completed_at,
            self.deleted_at,
            self.created_at,
            self.updated_at,
        ];
        if times
            .iter()
            .any(|t| matches!(t, Change::Set(t) if !t.is_writable()))
        {
            let problem = "a time is outside the years 0 to 9999, which RFC 3339 can write";
            return Err(Error::bad_input("metadata", problem));
        }
        if self.status == Change::Clear {
            return Err(Error::bad_input(
                "status",
                "null: end an operation by complete, revert or cancel",
            ));
        }
        Ok(())
    }

    /// Lays the fields over `meta`; the status and the guard's time are the operation's to set.
    pub(crate) fn lay_over(self, meta: &mut Metadata) {
        self.progress.onto(&mut meta.progress);
        self.stage.onto(&mut meta.stage);
        self.stage_progress.onto(&mut meta.stage_progress);
        self.error.onto(&mut meta.error);
        self.retry_count.onto(&mut meta.retry_count);
        self.max_retries.onto(&mut meta.max_retries);
        self.message.onto(&mut meta.message);
        self.started_at.onto(&mut meta.started_at);
        self.completed_at.onto(&mut meta.completed_at);
        self.deleted_at.onto(&mut meta.deleted_at);
        self.created_at.onto(&mut meta.created_at);
        self.updated_at.onto(&mut meta.updated_at);
        self.ttl.onto(&mut meta.ttl);
        for (name, value) in self.extra {
            match value {
                Value::Null => drop(meta.extra.remove(&name)),
                value => drop(meta.extra.insert(name, value)),
            }
        }
    }
}

pub(crate) fn check_progress(progress: f64) -> Result<(), Error> {
    if (0.0..=100.0).contains(&progress) {
        return Ok(());
    }
    Err(Error::bad_input(
        "progress",
        format!("{progress} is not within 0 to 100"),
    ))
}

/// Times as RFC 3339 text.
mod rfc3339 {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};
    use serde::de::Error as _;

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.serialize_str(&time.to_rfc3339()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        Timestamp::parse_rfc3339(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not an RFC 3339 time")))
    }
}

mod rfc3339_change {
    use super::{Change, Deserializer, Serializer, Timestamp, rfc3339};

    pub(super) fn serialize<S: Serializer>(
        change: &Change<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match change {
            Change::Set(time) => rfc3339::serialize(&Some(*time), serializer),
            Change::Keep | Change::Clear => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Change<Timestamp>, D::Error> {
        Ok(rfc3339::deserialize(deserializer)?.map_or(Change::Clear, Change::Set))
    }
}

/// Whole numbers without a fraction, as the document and JavaScript write them.
mod number {
    use super::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        number: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match *number {
            #[allow(clippy::cast_possible_truncation)] // 0 to 100
            Some(n) if n.fract() == 0.0 && n.abs() < 1e9 => serializer.serialize_i64(n as i64),
            Some(n) => serializer.serialize_f64(n),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        Option::deserialize(deserializer)
    }
}
