//! Where things stand in a server's JSON.

use std::cell::Cell;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::event::{BadItem, Snapshot, WatchEvent};
use crate::json::patch::{JsonPatch, validate};
use crate::json::pointer::{Pointer, find, whole};
use crate::json::resource::JsonResource;
use crate::json::response::Response;
use crate::json::scan::unescape;
use crate::json::segment::Layout;
use crate::json::split::{Envelope, Split};
use crate::merge::Asked;
use crate::source::{Next, Source};

/// Where a server's answers keep their list, and its resources their id and the rest.
///
/// ```
/// use resourcecache::json::Schema;
/// use resourcecache::Resource;
/// let schema = Schema { items: "/data/zones".parse()?, ..Schema::default() };
/// let snapshot = schema.snapshot(br#"{"data":{"zones":[{"id":7,"name":"a.example"}]}}"#)?;
/// assert_eq!(snapshot.items[0].id(), "7");
/// assert_eq!(snapshot.items[0].body(), r#"{"id":7,"name":"a.example"}"#);
/// # Ok::<(), resourcecache::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schema {
    /// A resource's id: a string, or an integer. Default `/id`.
    pub id: Pointer,
    /// An identity that is never given out twice.
    pub uid: Option<Pointer>,
    /// A resource's version.
    pub version: Option<Pointer>,
    /// A token that the client chose and the server echoes.
    pub token: Option<Pointer>,
    /// The list within a list call's answer; the whole answer by default.
    pub items: Pointer,
    /// The list's own version within the answer.
    pub list_version: Option<Pointer>,
    /// Where the next chunk begins, within the answer of a list call that may come in chunks.
    pub continue_token: Option<Pointer>,
}

impl Default for Schema {
    fn default() -> Self {
        Self {
            id: Pointer {
                path: vec!["id".into()],
            },
            uid: None,
            version: None,
            token: None,
            items: Pointer::default(),
            list_version: None,
            continue_token: None,
        }
    }
}

pub(crate) type Found = Result<Option<Box<str>>, String>;

impl Schema {
    /// Reads the answer of a list call. `null` in the list's place is an empty list, as Kubernetes
    /// writes it. Items that are no resources are reported in [`Snapshot::bad`].
    ///
    /// # Errors
    ///
    /// [`Error::BadSnapshot`] for anything but valid JSON with an array in the list's place.
    pub fn snapshot(&self, response: &[u8]) -> Result<Snapshot<JsonResource>, Error> {
        self.snapshot_with(response, &|text| self.list_version_of(text))
    }

    /// The same, with what looks at the text around the list for its version.
    pub(crate) fn snapshot_with(
        &self,
        response: &[u8],
        look: &dyn Fn(&str) -> Result<Option<String>, String>,
    ) -> Result<Snapshot<JsonResource>, Error> {
        let (bad, (list_version, items)) = self.read_list_with(response, look, |mut split| {
            let bad = self.taken_apart(&mut split)?;
            Ok((bad, split.finish()?))
        })?;
        Ok(Snapshot {
            items: items.into_iter().flatten().collect(),
            bad,
            list_version,
            ..Snapshot::complete(Vec::new())
        })
    }

    /// Checks the answer of a list call without keeping any of it: how many resources it holds.
    ///
    /// ```
    /// use resourcecache::json::Schema;
    /// assert_eq!(Schema::default().count(br#"[{"id":"a"},{"id":"b"}]"#)?, 2);
    /// assert!(Schema::default().count(br#"[{"id":"a"},{"id":""#).is_err());
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::BadSnapshot`] as for [`snapshot`](Self::snapshot), and for an item that is no
    /// resource.
    pub fn count(&self, response: &[u8]) -> Result<usize, Error> {
        self.read_list(response, |mut split| {
            let bad = self.taken_apart(&mut split)?;
            match bad.into_iter().next() {
                Some(bad) => Err(Error::BadSnapshot {
                    position: Some(bad.position),
                    problem: bad.problem,
                }),
                None => split.checked(),
            }
        })
    }

    /// The answer of a list call, to be merged as it is read: see
    /// [`merge_response`](crate::ResourceCache::merge_response).
    pub fn response<'a>(&'a self, bytes: &'a [u8]) -> Response<'a> {
        Response {
            schema: self,
            bytes,
            asked: Asked::default(),
        }
    }

    /// Has a response read in one pass; where that cannot be, once more the slow way, which tells
    /// what is wrong.
    pub(crate) fn read_list<T>(
        &self,
        response: &[u8],
        read: impl FnMut(Split<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.read_list_with(response, &|text| self.list_version_of(text), read)
    }

    fn read_list_with<T>(
        &self,
        response: &[u8],
        look: &dyn Fn(&str) -> Result<Option<String>, String>,
        mut read: impl FnMut(Split<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let again = Cell::new(false);
        match read(self.split(response, look, &again, false)?) {
            Err(_) if again.get() => read(self.split(response, look, &again, true)?),
            answer => answer,
        }
    }

    fn taken_apart(&self, split: &mut Split<'_>) -> Result<Vec<BadItem>, Error> {
        let (mut bad, mut position) = (Vec::new(), 0);
        loop {
            match split.next_item() {
                Ok(Next::End) => return Ok(bad),
                Ok(Next::Bad(problem)) => bad.push(BadItem { position, problem }),
                Ok(_) => {}
                Err(fault) => return split.give_up(fault.to_string()),
            }
            position += 1;
        }
    }

    /// A response to be read item by item. The slow way checks it as a whole first, and tells what
    /// is wrong with it; the other leaves that to the reading.
    pub(crate) fn split<'a>(
        &'a self,
        bytes: &'a [u8],
        read: &'a dyn Fn(&str) -> Result<Option<String>, String>,
        again: &'a Cell<bool>,
        slow: bool,
    ) -> Result<Split<'a>, Error> {
        let path = &self.items.path;
        let fast = Split::locate(bytes, path).filter(|_| !slow);
        let start = match fast {
            Some(start) => start,
            None => self.check(bytes)?,
        };
        let envelope = Envelope {
            items: path,
            list_version: None,
            read,
            again,
            checked: fast.is_none(),
        };
        Ok(Split::new(bytes, self.layout(), start, envelope))
    }

    /// Checks a response as a whole; answers where its list starts. `null` is an empty list.
    fn check(&self, response: &[u8]) -> Result<usize, Error> {
        let bad = |problem: String| Error::BadSnapshot {
            position: None,
            problem,
        };
        let text = text(response).map_err(bad)?;
        validate(text).map_err(|fault| bad(fault.to_string()))?;
        let Some(range) = find(text, &self.items.path) else {
            return Err(bad(format!("no list under {:?}", self.items.to_string())));
        };
        if &text[range.clone()] != "null" && !text[range.clone()].starts_with('[') {
            return Err(bad(format!("no array under {:?}", self.items.to_string())));
        }
        Ok(range.start)
    }

    pub(crate) fn list_version_of(&self, text: &str) -> Result<Option<String>, String> {
        let Some(pointer) = &self.list_version else {
            return Ok(None);
        };
        let version = scalar(text, pointer, "the list's version")?;
        Ok(version.map(Into::into))
    }

    pub(crate) fn layout(&self) -> Arc<Layout> {
        Layout::new([
            Some(self.id.clone()),
            self.uid.clone(),
            self.version.clone(),
            self.token.clone(),
        ])
    }

    /// Reads one resource.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for anything but a JSON object with an id.
    pub fn resource(&self, body: &[u8]) -> Result<JsonResource, Error> {
        let bad = |problem: String| Error::bad_input("resource", problem);
        let text = text(body).map_err(bad)?;
        validate(text).map_err(|fault| bad(fault.to_string()))?;
        self.read(&text[whole(text)]).map_err(bad)
    }

    /// One resource from a text that is checked.
    pub(crate) fn read(&self, item: &str) -> Result<JsonResource, String> {
        let (list, again) = (format!("[{item}]"), Cell::new(false));
        let envelope = Envelope {
            items: &[],
            list_version: None,
            read: &|_| Ok(None),
            again: &again,
            checked: true,
        };
        let mut split = Split::new(list.as_bytes(), self.layout(), 0, envelope);
        match split.next_item() {
            Ok(Next::Item(_)) => {}
            Ok(Next::Bad(problem)) => return Err(problem),
            Ok(_) => return Err("is no JSON object".into()),
            Err(fault) => return Err(fault.to_string()),
        }
        let (_, items) = split.finish().map_err(|error| error.to_string())?;
        let resource = items.into_iter().flatten().next();
        resource.ok_or_else(|| "is no JSON object".into())
    }

    /// A merge patch (RFC 7396): objects go field by field, `null` takes a field away.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for anything but a JSON object.
    pub fn merge_patch(&self, patch: &[u8]) -> Result<JsonPatch, Error> {
        JsonPatch::merge(text(patch).map_err(|p| Error::bad_input("patch", p))?)
    }

    /// A part of a resource whose top-level fields replace those of the whole.
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for anything but a JSON object.
    pub fn partial(&self, fields: &[u8]) -> Result<JsonPatch, Error> {
        JsonPatch::top_level(text(fields).map_err(|p| Error::bad_input("patch", p))?)
    }

    /// Reads a watch event as Kubernetes writes it: `{"type": "ADDED", "object": {...}}`. The
    /// object of a `BOOKMARK` needs a version only; an `ERROR` of code 410 is
    /// [`WatchEvent::Expired`].
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for anything else.
    pub fn watch_event(&self, event: &[u8]) -> Result<WatchEvent<JsonResource>, Error> {
        let bad = |problem: String| Error::bad_input("watch event", problem);
        let text = text(event).map_err(bad)?;
        validate(text).map_err(|fault| bad(fault.to_string()))?;
        let member = |name: &str| find(text, &[name.to_string()]).map(|r| &text[r]);
        let kind = member("type").and_then(unescape).unwrap_or_default();
        let object = member("object").unwrap_or("null");
        let resource = || self.read(object).map_err(bad);
        Ok(match kind.as_str() {
            "ADDED" => WatchEvent::Added(resource()?),
            "MODIFIED" => WatchEvent::Modified(resource()?),
            "DELETED" => WatchEvent::Deleted(resource()?),
            "BOOKMARK" => WatchEvent::Bookmark {
                version: self.version_of(object)?,
            },
            "ERROR" if find(object, &["code".into()]).is_some_and(|r| &object[r] == "410") => {
                WatchEvent::Expired
            }
            other => {
                return Err(bad(format!(
                    "type {other:?} is not one that tells of a resource"
                )));
            }
        })
    }

    /// The version that a JSON text names; for bookmarks.
    fn version_of(&self, text: &str) -> Result<Option<String>, Error> {
        let Some(pointer) = &self.version else {
            return Ok(None);
        };
        let version = scalar(text, pointer, "the version");
        Ok(version
            .map_err(|p| Error::bad_input("bookmark", p))?
            .map(Into::into))
    }
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))
}

/// The text of a string or number; `None` where there is nothing, or `null`.
pub(crate) fn scalar(text: &str, pointer: &Pointer, what: &str) -> Found {
    let Some(range) = find(text, &pointer.path) else {
        return Ok(None);
    };
    let value = &text[range];
    match value.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => unescape(value)
            .map(|t| Some(t.into()))
            .ok_or_else(|| format!("{what} holds half a character (a lone surrogate)")),
        Some(b'-' | b'0'..=b'9') => Ok(Some(value.into())),
        _ => Err(format!("{what} is neither a string nor a number")),
    }
}
