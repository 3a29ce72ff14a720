//! Where things stand in the messages of any feed: a WebSocket's, or server-sent events.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::{Named, WatchEvent};
use crate::ids::ResourceId;
use crate::json::pointer::{Pointer, elements, find};
use crate::json::resource::JsonResource;
use crate::json::schema::{Schema, scalar, text};
use crate::watch_message::{StreamEvent, WatchMessage};

/// Where a feed's messages keep what they tell, by JSON pointers, and which words they use.
///
/// ```
/// use resourcecache::json::{Feed, Schema};
/// use resourcecache::{StreamEvent, WatchEvent};
/// let feed: Feed = serde_json::from_str(r#"{
///     "word": "/op", "resource": "/doc", "id": "/key", "sequence": "/n",
///     "words": {"modified": ["set"], "deleted": ["del"], "ignored": ["ping"]}
/// }"#)?;
/// let message = feed.message(&Schema::default(), br#"{"op":"del","key":"z1","n":7}"#)?;
/// let deleted = WatchEvent::DeletedId { id: "z1".into(), version: None };
/// assert_eq!(message.events, [StreamEvent::Observe(deleted)]);
/// assert_eq!(message.sequence, Some(7));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Feed {
    /// The array of events within a message that may have several. The pointers down to `error` lead
    /// on from each of them; without it, from the message.
    pub events: Option<Pointer>,
    /// The word that says what an event tells. Without it, every event tells a resource as it is now.
    pub word: Option<Pointer>,
    /// The resource; an array of them in a snapshot. The whole event by default.
    pub resource: Pointer,
    /// The id of the resource, for events that do not tell its body. By default, where the schema
    /// has it within the resource.
    pub id: Option<Pointer>,
    /// The version at which it went, for deletions that do not tell the body.
    pub deleted_version: Option<Pointer>,
    /// The idempotency key, or the client's token, of an operation that has failed. By default, the
    /// newest operation on the resource is meant.
    pub key: Option<Pointer>,
    /// Why it has failed.
    pub error: Option<Pointer>,
    /// The version from which the stream goes on behind the message.
    pub version: Option<Pointer>,
    /// The message's number, one more than that of the message before.
    pub sequence: Option<Pointer>,
    /// What the words mean.
    pub words: FeedWords,
}

/// What the words of a feed mean. A word that stands nowhere is an error, unless `ignored` has `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FeedWords {
    /// A resource came into being. Default `added`, `created`.
    pub added: Vec<String>,
    /// A resource changed, or is as told. Default `modified`, `updated`.
    pub modified: Vec<String>,
    /// A resource is gone. Default `deleted`, `removed`.
    pub deleted: Vec<String>,
    /// Everything else is as it was. Default `bookmark`.
    pub bookmark: Vec<String>,
    /// The stream cannot go on: list again. Default `expired`.
    pub expired: Vec<String>,
    /// All there is. Default `snapshot`.
    pub snapshot: Vec<String>,
    /// All there is was told. Default none.
    pub initial_end: Vec<String>,
    /// Something changed, and the message does not tell what. Default none.
    pub touched: Vec<String>,
    /// The subscription holds. Default none.
    pub ready: Vec<String>,
    /// An operation has failed. Default `failed`.
    pub failed: Vec<String>,
    /// Passed over: heartbeats, and what others are meant by. `*` is every other word. Default
    /// `heartbeat`, `ping`.
    pub ignored: Vec<String>,
}

impl Default for FeedWords {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        Self {
            added: words(&["added", "created"]),
            modified: words(&["modified", "updated"]),
            deleted: words(&["deleted", "removed"]),
            bookmark: words(&["bookmark"]),
            expired: words(&["expired"]),
            snapshot: words(&["snapshot"]),
            initial_end: Vec::new(),
            touched: Vec::new(),
            ready: Vec::new(),
            failed: words(&["failed"]),
            ignored: words(&["heartbeat", "ping"]),
        }
    }
}

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Expired,
    Snapshot,
    InitialEnd,
    Touched,
    Ready,
    Failed,
    Ignored,
}

impl FeedWords {
    fn table(&self) -> [(&[String], Meaning); 11] {
        [
            (&self.added, Meaning::Added),
            (&self.modified, Meaning::Modified),
            (&self.deleted, Meaning::Deleted),
            (&self.bookmark, Meaning::Bookmark),
            (&self.expired, Meaning::Expired),
            (&self.snapshot, Meaning::Snapshot),
            (&self.initial_end, Meaning::InitialEnd),
            (&self.touched, Meaning::Touched),
            (&self.ready, Meaning::Ready),
            (&self.failed, Meaning::Failed),
            (&self.ignored, Meaning::Ignored),
        ]
    }

    fn meaning(&self, word: &str) -> Result<Meaning, String> {
        let is = |words: &[String], word: &str| words.iter().any(|w| w == word);
        let table = self.table();
        let found = table.iter().find(|(words, _)| is(words, word));
        match found {
            Some((_, meaning)) => Ok(*meaning),
            None if is(&self.ignored, "*") => Ok(Meaning::Ignored),
            None => {
                let known: Vec<&str> = table
                    .iter()
                    .flat_map(|(w, _)| w.iter())
                    .map(|w| &**w)
                    .collect();
                let known = known.join(", ");
                Err(format!(
                    "the word {word:?} is none of {known}; FeedWords says what words mean"
                ))
            }
        }
    }
}

impl Feed {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for what cannot be read, with the byte, event or field that is wrong.
    pub fn message(
        &self,
        schema: &Schema,
        bytes: &[u8],
    ) -> Result<WatchMessage<JsonResource>, Error> {
        self.read(schema, None, bytes)
    }

    /// The same for a feed that says its word beside the message, as server-sent events do by
    /// `event:`.
    ///
    /// # Errors
    ///
    /// As [`message`](Self::message).
    pub fn named_message(
        &self,
        schema: &Schema,
        word: &str,
        bytes: &[u8],
    ) -> Result<WatchMessage<JsonResource>, Error> {
        self.read(schema, Some(word), bytes)
    }

    fn read(
        &self,
        schema: &Schema,
        word: Option<&str>,
        bytes: &[u8],
    ) -> Result<WatchMessage<JsonResource>, Error> {
        let bad = |problem: String| Error::bad_input("feed message", problem);
        let text = text(bytes).map_err(bad)?;
        crate::json::patch::validate(text).map_err(|fault| bad(fault.to_string()))?;
        let mut message = WatchMessage {
            version: named(text, self.version.as_ref(), "the message's version").map_err(bad)?,
            sequence: self.sequence_of(text).map_err(bad)?,
            ..WatchMessage::default()
        };
        let Some(events) = &self.events else {
            message
                .events
                .extend(self.event(schema, word, text).map_err(bad)?);
            return Ok(message);
        };
        let Some(events_at) = find(text, &events.path) else {
            return Ok(message); // such as a heartbeat
        };
        let found = elements(text, &events_at);
        let found = found.ok_or_else(|| bad(format!("no array under {:?}", events.to_string())))?;
        for (place, at) in found.into_iter().enumerate() {
            let event = self.event(schema, word, &text[at]);
            let event = event.map_err(|problem| bad(format!("event {place}: {problem}")))?;
            message.events.extend(event);
        }
        Ok(message)
    }

    fn sequence_of(&self, text: &str) -> Result<Option<u64>, String> {
        let what = "the message's sequence number";
        let Some(number) = named(text, self.sequence.as_ref(), what)? else {
            return Ok(None);
        };
        let read = number.parse();
        read.map(Some)
            .map_err(|_| format!("{what} is {number}, and should be 0 or more, and whole"))
    }

    /// One event; `None` for what is passed over.
    fn event(
        &self,
        schema: &Schema,
        word: Option<&str>,
        text: &str,
    ) -> Result<Option<StreamEvent<JsonResource>>, String> {
        let meaning = match (&self.word, word) {
            (_, Some(word)) => self.words.meaning(word)?,
            (None, None) => Meaning::Modified,
            (Some(pointer), None) => match scalar(text, pointer, "the word")? {
                Some(word) => self.words.meaning(&word)?,
                None if self.words.ignored.iter().any(|w| w == "*") => Meaning::Ignored,
                None => return Err(format!("has no word under {:?}", pointer.to_string())),
            },
        };
        let body = find(text, &self.resource.path).map(|at| &text[at]);
        let resource = || match body {
            Some(body) => schema
                .read(body)
                .map_err(|problem| format!("the resource {problem}")),
            None => Err(format!(
                "has no resource under {:?}",
                self.resource.to_string()
            )),
        };
        let observed = match meaning {
            Meaning::Ignored => return Ok(None),
            Meaning::Touched => return Ok(Some(StreamEvent::Touched)),
            Meaning::Ready => return Ok(Some(StreamEvent::Ready)),
            Meaning::InitialEnd => return Ok(Some(StreamEvent::InitialEnd)),
            Meaning::Snapshot => {
                let list = Schema {
                    items: Pointer::default(),
                    list_version: None,
                    ..schema.clone()
                };
                let list = list.snapshot(body.unwrap_or("null").as_bytes());
                let list = list.map_err(|error| format!("the snapshot: {error}"))?;
                return Ok(Some(StreamEvent::Snapshot(list)));
            }
            Meaning::Added => WatchEvent::Added(resource()?),
            Meaning::Modified => WatchEvent::Modified(resource()?),
            Meaning::Deleted => match body
                .filter(|body| body.starts_with('{'))
                .map(|_| resource())
            {
                Some(Ok(resource)) => WatchEvent::Deleted(resource),
                _ => WatchEvent::DeletedId {
                    id: self.id_of(schema, text)?,
                    version: named(text, self.deleted_version.as_ref(), "the version")?,
                },
            },
            Meaning::Bookmark => WatchEvent::Bookmark {
                version: named(text, self.version.as_ref(), "the bookmark's version")?,
            },
            Meaning::Expired => WatchEvent::Expired,
            Meaning::Failed => self.failure(schema, text)?,
        };
        Ok(Some(StreamEvent::Observe(observed)))
    }

    fn failure(&self, schema: &Schema, text: &str) -> Result<WatchEvent<JsonResource>, String> {
        let key = named(text, self.key.as_ref(), "the key of the operation")?;
        let error = named(text, self.error.as_ref(), "the error")?;
        Ok(WatchEvent::Failed {
            operation: match key {
                Some(key) => Named::Key(key),
                None => Named::Id(self.id_of(schema, text)?),
            },
            error: error.unwrap_or_else(|| "the server gave it up, and did not say why".into()),
        })
    }

    fn id_of(&self, schema: &Schema, text: &str) -> Result<ResourceId, String> {
        let within = || Pointer {
            path: [&self.resource.path[..], &schema.id.path[..]].concat(),
        };
        let pointer = self.id.clone().unwrap_or_else(within);
        let id = scalar(text, &pointer, "the id")?.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| format!("has no id under {:?}", pointer.to_string()))?;
        Ok(ResourceId::from(&*id))
    }
}

fn named(text: &str, pointer: Option<&Pointer>, what: &str) -> Result<Option<String>, String> {
    match pointer {
        None => Ok(None),
        Some(pointer) => Ok(scalar(text, pointer, what)?.map(Into::into)),
    }
}
