//! What the API of Kubernetes sends: lists, watch messages, and why it refuses.
//!
//! After "Kubernetes API Concepts" (efficient detection of changes, chunked lists, streaming lists)
//! and `metav1.Status`.

use serde::Deserialize;

use crate::error::Error;
use crate::event::WatchEvent;
use crate::json::pointer::{Pointer, find};
use crate::json::resource::JsonResource;
use crate::json::scan::unescape;
use crate::json::schema::{Schema, scalar, text};
use crate::watch_failure::WatchFailure;
use crate::watch_message::{StreamEvent, WatchMessage};

/// `metav1.Status`, as far as it tells what to do.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    code: Option<u16>,
    reason: Option<String>,
    message: Option<String>,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    retry_after_seconds: Option<u64>,
    causes: Option<Vec<Cause>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: Option<String>,
}

impl From<Status> for WatchFailure {
    fn from(status: Status) -> Self {
        let details = status.details.unwrap_or_default();
        let mut causes = details.causes.unwrap_or_default().into_iter();
        let ahead = causes.any(|cause| cause.reason.as_deref() == Some("ResourceVersionTooLarge"));
        Self {
            status: status.code,
            reason: match ahead {
                true => Some("ResourceVersionTooLarge".into()),
                false => status.reason.filter(|reason| !reason.is_empty()),
            },
            message: status.message.unwrap_or_else(|| "no message".into()),
            retry_after_ms: details.retry_after_seconds.map(|s| s.saturating_mul(1_000)),
        }
    }
}

impl WatchFailure {
    /// An HTTP answer of Kubernetes other than 200: its status, and a body that is a `Status`, if it
    /// is one.
    ///
    /// ```
    /// use resourcecache::WatchFailure;
    /// let body = br#"{"kind":"Status","code":410,"reason":"Expired","message":"too old"}"#;
    /// assert!(WatchFailure::kubernetes(410, body).is_expired());
    /// let busy = br#"{"kind":"Status","code":429,"details":{"retryAfterSeconds":3}}"#;
    /// assert_eq!(WatchFailure::kubernetes(429, busy).retry_after_ms, Some(3_000));
    /// assert_eq!(WatchFailure::kubernetes(502, b"<html>").message, "the answer is no Status");
    /// ```
    pub fn kubernetes(status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Status>(body) {
            Ok(told) => Self {
                status: Some(status),
                ..told.into()
            },
            Err(_) => Self::status(status, "the answer is no Status"),
        }
    }
}

impl Schema {
    /// The schema of Kubernetes' resources of one namespace, or of none: known by their names, in
    /// lists that may be in chunks. Versions are integers: see
    /// [`VersionOrder`](crate::VersionOrder).
    ///
    /// ```
    /// use resourcecache::{Resource, json::Schema};
    /// let list = br#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}}]}"#;
    /// let snapshot = Schema::kubernetes().snapshot(list)?;
    /// assert_eq!((snapshot.items[0].id(), snapshot.list_version.as_deref()), ("a", Some("7")));
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    pub fn kubernetes() -> Self {
        let of_metadata = |name: &str| Pointer {
            path: vec!["metadata".into(), name.into()],
        };
        Self {
            id: of_metadata("name"),
            uid: Some(of_metadata("uid")),
            version: Some(of_metadata("resourceVersion")),
            token: None,
            items: Pointer {
                path: vec!["items".into()],
            },
            list_version: Some(of_metadata("resourceVersion")),
            continue_token: Some(of_metadata("continue")),
        }
    }

    /// Reads a message of a watch as Kubernetes writes it, one line of its answer:
    /// `{"type": "ADDED", "object": {...}}`, and so `MODIFIED`, `DELETED`, `BOOKMARK` (which may
    /// end the initial events) and `ERROR`.
    ///
    /// ```
    /// use resourcecache::{StreamEvent, WatchEvent, json::Schema};
    /// let line = br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8"}}}"#;
    /// let message = Schema::kubernetes().watch_message(line)?;
    /// let bookmark = WatchEvent::Bookmark { version: Some("8".into()) };
    /// assert_eq!(message.events, [StreamEvent::Observe(bookmark)]);
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::BadInput`] for anything else, with the byte or the field that is wrong.
    pub fn watch_message(&self, message: &[u8]) -> Result<WatchMessage<JsonResource>, Error> {
        let bad = |problem: String| Error::bad_input("watch message", problem);
        let text = text(message).map_err(bad)?;
        crate::json::patch::validate(text).map_err(|fault| bad(fault.to_string()))?;
        let member = |name: &str| find(text, &[name.to_string()]).map(|r| &text[r]);
        let kind = member("type").and_then(unescape);
        let object = member("object").unwrap_or("null");
        let resource = || {
            self.read(object)
                .map_err(|problem| bad(format!("/object {problem}")))
        };
        let event = match kind.as_deref() {
            Some("ADDED") => WatchEvent::Added(resource()?),
            Some("MODIFIED") => WatchEvent::Modified(resource()?),
            Some("DELETED") => WatchEvent::Deleted(resource()?),
            Some("BOOKMARK") => return self.bookmark(object).map_err(bad),
            Some("ERROR") => {
                let status: Status = serde_json::from_slice(object.as_bytes())
                    .map_err(|error| bad(format!("/object is no Status: {error}")))?;
                return Ok(StreamEvent::Failed(status.into()).into());
            }
            Some(other) => {
                let known = "ADDED, MODIFIED, DELETED, BOOKMARK, ERROR";
                return Err(bad(format!("/type is {other:?}, which is none of {known}")));
            }
            None => return Err(bad("has no word under /type".into())),
        };
        Ok(event.into())
    }

    /// A bookmark: of a version, and perhaps of the end of the initial events.
    fn bookmark(&self, object: &str) -> Result<WatchMessage<JsonResource>, String> {
        let pointer = self.version.as_ref();
        let pointer = pointer.ok_or("a bookmark needs Schema::version, to read what it tells")?;
        let version = scalar(object, pointer, "/object: the bookmark's version")?;
        let version = version.ok_or_else(|| format!("a bookmark without /object{pointer}"))?;
        let version: Option<String> = Some(version.into());
        let end = ["metadata", "annotations", "k8s.io/initial-events-end"].map(String::from);
        let ends = find(object, &end).is_some_and(|at| &object[at] == r#""true""#);
        let event = match ends {
            true => StreamEvent::InitialEnd,
            false => StreamEvent::Observe(WatchEvent::Bookmark {
                version: version.clone(),
            }),
        };
        Ok(WatchMessage {
            version,
            ..event.into()
        })
    }
}
