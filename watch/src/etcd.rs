//! etcd v3 by its JSON gateway (`/v3/kv/range`, `/v3/watch`): a prefix of keys as a collection.
//!
//! What it answers is written anew as Kubernetes would write it, so that one mapping reads both:
//! `metadata.name` is the key without the prefix, `metadata.resourceVersion` the revision of its
//! last change, `metadata.uid` the revision of its creation, and `value` the value.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Url;
use resourcecache::{ListCall, WatchCall};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::adapter::Adapter;
use crate::connection::{Connection, shown};
use crate::failure::Failure;
use crate::http::{Call, Http};
use crate::limits::Limits;
use crate::lines::LineStream;
use crate::socket::Socket;
use crate::transport::{Incoming, Transport};

/// The keys of an etcd server that begin with a prefix.
///
/// A value that is JSON is the object's `value` as it is; other text is a string there, and bytes
/// that are no text a string of base64.
///
/// ```
/// use resourcecache_watch::Etcd;
/// let zones = Etcd::new("http://127.0.0.1:2379", "/zones/")?;
/// # Ok::<(), resourcecache_watch::Failure>(())
/// ```
#[derive(Clone, Debug)]
pub struct Etcd {
    http: Http,
    range: Url,
    watch: Url,
    prefix: String,
    /// Streams go over WebSocket to this URL instead.
    socket: Option<Url>,
}

impl Etcd {
    /// The keys with this prefix on a server, by its client URL.
    ///
    /// # Errors
    ///
    /// [`Failure::BadUrl`], or TLS that cannot be set up.
    pub fn new(url: &str, prefix: &str) -> Result<Self, Failure> {
        Self::over(Connection::default(), url, prefix)
    }

    /// The same, with headers, limits or TLS of your own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn over(connection: Connection, url: &str, prefix: &str) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/');
        let at = |path: &str| Connection::url(&format!("{base}{path}"), &["http", "https"]);
        let range = at("/v3/kv/range")?;
        Ok(Self {
            http: Http::new(connection, &range)?,
            range,
            watch: at("/v3/watch")?,
            prefix: prefix.into(),
            socket: None,
        })
    }

    /// The same, with streams over WebSocket, which etcd's gateway speaks too: a connection that is
    /// dead is found out by pings.
    #[must_use]
    pub fn over_websocket(mut self) -> Self {
        let mut url = self.watch.clone();
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        // It cannot be refused: both are schemes of the same kind.
        self.socket = url.set_scheme(scheme).ok().map(|()| url);
        self
    }

    fn reader(&self) -> Reader {
        Reader {
            prefix: self.prefix.clone(),
            url: shown(&self.watch),
        }
    }

    /// The request of one page; a token is the revision of the first page and the key after which
    /// to go on.
    fn page(&self, call: &ListCall) -> Result<Value, Failure> {
        let mut key = self.prefix.clone().into_bytes();
        let mut revision = None;
        if let Some(token) = &call.continue_token {
            let parts = token.split_once(':');
            let parts = parts.and_then(|(at, key)| Some((at, STANDARD.decode(key).ok()?)));
            let Some((at, last)) = parts else {
                let problem = format!("{token:?} is no token of a page");
                return Err(Failure::malformed(&shown(&self.range), problem));
            };
            (revision, key) = (Some(at.to_string()), last);
            key.push(0); // the first key after it
        }
        Ok(json!({
            "key": STANDARD.encode(key),
            "range_end": STANDARD.encode(end_of(self.prefix.as_bytes())),
            "limit": call.limit,
            "revision": revision,
        }))
    }

    fn create(&self, call: &WatchCall) -> String {
        let after = call.version.as_ref().and_then(|v| v.parse::<u64>().ok());
        let create = json!({"create_request": {
            "key": STANDARD.encode(&self.prefix),
            "range_end": STANDARD.encode(end_of(self.prefix.as_bytes())),
            "start_revision": after.map(|version| (version + 1).to_string()),
            "progress_notify": true,
        }});
        create.to_string()
    }
}

/// The first key that does not begin with the prefix; `\0` for none, which means all keys.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![0]
}

impl Adapter for Etcd {
    fn list(&self, call: &ListCall) -> BoxFuture<'static, Result<Bytes, Failure>> {
        let (http, url, reader) = (self.http.clone(), self.range.clone(), self.reader());
        let page = self.page(call);
        Box::pin(async move {
            let answer = http.whole(Call::post(url, page?.to_string())).await;
            match answer {
                Ok(answer) => reader.list(&answer),
                // gRPC's OUT_OF_RANGE: the pages' revision has been compacted.
                Err(Failure::Status { url, text, .. }) if text.contains("compacted") => {
                    Err(Failure::Expired { url, problem: text })
                }
                Err(failure) => Err(failure),
            }
        })
    }

    fn watch(&self, call: &WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>> {
        let (http, url, reader) = (self.http.clone(), self.watch.clone(), self.reader());
        let (create, socket) = (self.create(call), self.socket.clone());
        Box::pin(async move {
            let stream: Box<dyn Transport> = match socket {
                Some(url) => {
                    Box::new(Socket::open(http.connection(), &url, None, vec![create]).await?)
                }
                None => {
                    let body = http.stream(Call::post(url, create)).await?;
                    let limit = http.connection().limits().max_message;
                    Box::new(LineStream::new(body, limit))
                }
            };
            Ok(Box::new(EtcdStream::new(stream, reader)) as Box<dyn Transport>)
        })
    }

    fn limits(&self) -> Limits {
        self.http.connection().limits().clone()
    }
}

/// etcd's messages, each of which may hold several events.
struct EtcdStream {
    stream: Box<dyn Transport>,
    reader: Reader,
    waiting: std::collections::VecDeque<Bytes>,
}

impl EtcdStream {
    fn new(stream: Box<dyn Transport>, reader: Reader) -> Self {
        Self {
            stream,
            reader,
            waiting: std::collections::VecDeque::new(),
        }
    }
}

impl Transport for EtcdStream {
    fn next(&mut self) -> BoxFuture<'_, Option<Result<Incoming, Failure>>> {
        Box::pin(async {
            loop {
                if let Some(event) = self.waiting.pop_front() {
                    return Some(Ok(Incoming::Message(event)));
                }
                let message = match self.stream.next().await? {
                    Ok(Incoming::Message(message)) => message,
                    // Silence is all that a watch of quiet keys hears for ten minutes: it is opened
                    // anew from its last revision, in case that the connection is dead.
                    Err(Failure::TimedOut { .. }) => return None,
                    other => return Some(other),
                };
                match self.reader.events(&message) {
                    Ok(events) => self.waiting.extend(events),
                    Err(failure) => return Some(Err(failure)),
                }
            }
        })
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.stream.close()
    }

    fn url(&self) -> String {
        self.stream.url()
    }
}

/// Writes etcd's answers anew. Pure.
#[derive(Clone, Debug)]
struct Reader {
    prefix: String,
    url: String,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    revision: String,
}

#[derive(Deserialize)]
struct KeyValue<'a> {
    key: &'a str,
    #[serde(default)]
    create_revision: Option<&'a str>,
    #[serde(default)]
    mod_revision: &'a str,
    #[serde(default)]
    value: &'a str,
}

#[derive(Deserialize)]
struct Page<'a> {
    header: Header,
    #[serde(borrow, default)]
    kvs: Vec<KeyValue<'a>>,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    result: Option<Watched<'a>>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Watched<'a> {
    header: Header,
    #[serde(default)]
    created: bool,
    #[serde(default)]
    canceled: bool,
    #[serde(default)]
    compact_revision: Option<String>,
    #[serde(default)]
    cancel_reason: String,
    #[serde(borrow, default)]
    events: Vec<EtcdEvent<'a>>,
}

#[derive(Deserialize)]
struct EtcdEvent<'a> {
    /// `PUT` is left out.
    #[serde(rename = "type", default)]
    kind: &'a str,
    #[serde(borrow)]
    kv: KeyValue<'a>,
}

impl Reader {
    fn bad(&self, problem: impl Into<String>) -> Failure {
        Failure::malformed(&self.url, problem)
    }

    fn list(&self, answer: &[u8]) -> Result<Bytes, Failure> {
        let page: Page<'_> = serde_json::from_slice(answer)
            .map_err(|error| self.bad(format!("its list is no answer of etcd's: {error}")))?;
        let items = page.kvs.iter().map(|kv| self.object(kv));
        let items = items.collect::<Result<Vec<_>, _>>()?.join(",");
        let revision = &page.header.revision;
        let more = page.kvs.last().filter(|_| page.more);
        let more = more.map_or(String::new(), |last| format!("{revision}:{}", last.key));
        let text = format!(
            r#"{{"metadata":{{"resourceVersion":"{revision}","continue":"{more}"}},"items":[{items}]}}"#
        );
        Ok(text.into())
    }

    fn events(&self, message: &[u8]) -> Result<Vec<Bytes>, Failure> {
        let message: Message<'_> = serde_json::from_slice(message)
            .map_err(|error| self.bad(format!("its message is no answer of etcd's: {error}")))?;
        let Some(watched) = message.result else {
            let error = message.error.unwrap_or_default();
            return Err(self.bad(format!("the watch was refused: {error}")));
        };
        if let Some(revision) = watched.compact_revision.filter(|r| r != "0") {
            let problem = format!("compacted up to revision {revision}");
            let status = json!({
                "kind": "Status", "code": 410, "reason": "Expired", "message": problem,
            });
            let error = format!(r#"{{"type":"ERROR","object":{status}}}"#);
            return Ok(vec![error.into()]);
        }
        if watched.canceled {
            let reason = watched.cancel_reason;
            return Err(self.bad(format!("the watch was cancelled: {reason}")));
        }
        if watched.events.is_empty() {
            if watched.created {
                return Ok(Vec::new());
            }
            // A progress notification: all events up to here have been sent.
            let version = watched.header.revision;
            let bookmark = format!(
                r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{version}"}}}}}}"#
            );
            return Ok(vec![bookmark.into()]);
        }
        let written = watched.events.iter().map(|event| {
            let kv = &event.kv;
            let kind = match event.kind {
                "DELETE" => "DELETED",
                _ if kv.create_revision == Some(kv.mod_revision) => "ADDED",
                _ => "MODIFIED",
            };
            let object = self.object(kv)?;
            Ok(format!(r#"{{"type":"{kind}","object":{object}}}"#).into())
        });
        written.collect()
    }

    fn object(&self, kv: &KeyValue<'_>) -> Result<String, Failure> {
        let decoded = |text: &str| {
            let bytes = STANDARD.decode(text);
            bytes.map_err(|error| self.bad(format!("{text:?} is no base64: {error}")))
        };
        let key = decoded(kv.key)?;
        let key = str::from_utf8(&key)
            .map_err(|_| self.bad(format!("the key {:?} (base64) is no text", kv.key)))?;
        let name = key.strip_prefix(&self.prefix).unwrap_or(key);
        let value = decoded(kv.value)?;
        let value = match str::from_utf8(&value) {
            _ if value.is_empty() => "null".into(),
            Ok(text) if serde_json::from_str::<&RawValue>(text).is_ok() => text.into(),
            Ok(text) => Value::from(text).to_string(),
            Err(_) => Value::from(kv.value).to_string(),
        };
        let name = Value::from(name);
        // A deletion does not say when its key was created.
        let uid = kv.create_revision.filter(|uid| *uid != "0");
        let uid = uid.map_or(String::new(), |uid| format!(r#""uid":"{uid}","#));
        let version = kv.mod_revision;
        Ok(format!(
            r#"{{"metadata":{{"name":{name},{uid}"resourceVersion":"{version}"}},"value":{value}}}"#
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader() -> Reader {
        let zones = Etcd::new("http://127.0.0.1:2379/", "/zones/");
        zones.expect("a URL").reader()
    }

    fn texts(events: Vec<Bytes>) -> Vec<String> {
        let text = |event: Bytes| String::from_utf8_lossy(&event).into_owned();
        events.into_iter().map(text).collect()
    }

    // What etcd 3.4.23 answered to a watch of "/zones/" while "a" was put, put and deleted.
    #[test]
    fn events_are_written_as_kubernetes_does() {
        let seen = [
            r#"{"result":{"header":{"revision":"2"},"created":true}}"#,
            r#"{"result":{"header":{"revision":"2"},"events":[{"kv":{"key":"L3pvbmVzL2E=","create_revision":"2","mod_revision":"2","version":"1","value":"eyJuIjoxfQ=="}}]}}"#,
            r#"{"result":{"header":{"revision":"3"},"events":[{"kv":{"key":"L3pvbmVzL2E=","create_revision":"2","mod_revision":"3","version":"2","value":"aGk="}}]}}"#,
            r#"{"result":{"header":{"revision":"4"},"events":[{"type":"DELETE","kv":{"key":"L3pvbmVzL2E=","mod_revision":"4"}}]}}"#,
            r#"{"result":{"header":{"revision":"9"}}}"#,
            r#"{"result":{"header":{},"canceled":true,"compact_revision":"4"}}"#,
        ];
        let reader = reader();
        let written = seen.map(|text| texts(reader.events(text.as_bytes()).expect("etcd's")));
        assert_eq!(
            written.concat(),
            [
                r#"{"type":"ADDED","object":{"metadata":{"name":"a","uid":"2","resourceVersion":"2"},"value":{"n":1}}}"#,
                r#"{"type":"MODIFIED","object":{"metadata":{"name":"a","uid":"2","resourceVersion":"3"},"value":"hi"}}"#,
                r#"{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"4"},"value":null}}"#,
                r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}"#,
                r#"{"type":"ERROR","object":{"code":410,"kind":"Status","message":"compacted up to revision 4","reason":"Expired"}}"#,
            ]
        );
    }

    #[test]
    fn a_page_tells_where_to_go_on() {
        let page = r#"{"header":{"revision":"7"},"kvs":[{"key":"L3pvbmVzL2E=","create_revision":"2","mod_revision":"3","version":"2","value":"/w=="}],"more":true,"count":"2"}"#;
        let list = reader().list(page.as_bytes()).expect("a page");
        let list: Value = serde_json::from_slice(&list).expect("JSON");
        let metadata = json!({"resourceVersion": "7", "continue": "7:L3pvbmVzL2E="});
        assert_eq!(list["metadata"], metadata);
        assert_eq!(list["items"][0]["value"], "/w==");
        let etcd = Etcd::new("http://127.0.0.1:2379", "/zones/").expect("a URL");
        let next = ListCall {
            call: resourcecache::CallId(1),
            limit: Some(1),
            continue_token: Some("7:L3pvbmVzL2E=".into()),
            not_older_than: None,
        };
        let asked = etcd.page(&next).expect("a token");
        assert_eq!(asked["revision"], "7");
        assert_eq!(asked["key"], STANDARD.encode("/zones/a\0"));
        assert_eq!(asked["range_end"], STANDARD.encode("/zones0"));
    }

    #[test]
    fn what_is_not_etcds_is_named() {
        for text in ["", "[]", r#"{"result":{}}"#, r#"{"error":{"code":3}}"#] {
            let refused = reader().events(text.as_bytes());
            assert!(
                matches!(refused, Err(Failure::Malformed { .. })),
                "{text:?}"
            );
        }
        let bad = r#"{"header":{"revision":"7"},"kvs":[{"key":"%%"}]}"#;
        let refused = reader().list(bad.as_bytes()).expect_err("no base64");
        assert!(
            refused.to_string().contains("\"%%\" is no base64"),
            "{refused}"
        );
    }

    #[test]
    fn a_prefix_ends_before_the_next_key() {
        assert_eq!(end_of(b"/zones/"), b"/zones0");
        assert_eq!(end_of(b"a\xff\xff"), b"b");
        assert_eq!(end_of(b"\xff"), [0]);
        assert_eq!(end_of(b""), [0]);
    }
}
