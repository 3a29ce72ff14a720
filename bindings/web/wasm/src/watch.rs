//! A watch without IO: messages in, actions out.

use resourcecache::json::{Feed, JsonResource, Schema};
use resourcecache::{
    CallId, Error, ListCall, WatchAction, WatchCall, WatchConfig, WatchFailure, WatchMessage,
    WatchPosition, WatchState,
};
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::applied::{self, json as written};
use crate::cache::{Cache, at, read, whole};
use crate::error::Refusal;

/// Keeps a cache right by lists and a stream of events. It opens no connection: make the calls that it
/// asks for, and hand in what comes of them.
#[wasm_bindgen]
pub struct WatchSession {
    /// How messages are read; as Kubernetes' without it.
    feed: Option<Feed>,
    schema: Schema,
    session: resourcecache::WatchSession<JsonResource>,
}

#[wasm_bindgen]
impl WatchSession {
    /// A session that reads by this cache's schema: its settings over the defaults of the kind of
    /// stream, its feed, and the position from which it goes on, each as JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(
        cache: &Cache,
        settings: &str,
        feed: Option<String>,
        position: Option<String>,
        seed: f64,
    ) -> Result<WatchSession, Refusal> {
        let feed: Option<Feed> = feed.map(|text| read(&text, "feed")).transpose()?;
        let position = position
            .map(|text| read::<Value>(&text, "position"))
            .transpose()?;
        let base = match feed {
            Some(_) => WatchConfig::feed(),
            None => WatchConfig::kubernetes(),
        };
        let config = over(&base, settings)?;
        let session = match position {
            Some(position) => {
                let position = WatchPosition {
                    version: position["version"].as_str().map(Into::into),
                    sequence: position["sequence"].as_u64(),
                };
                resourcecache::WatchSession::resume(config, whole(seed), position)
            }
            None => resourcecache::WatchSession::new(config, whole(seed)),
        };
        Ok(Self {
            feed,
            schema: cache.schema.clone(),
            session,
        })
    }

    /// What to do next, as JSON: `list`, `watch`, `close`, `applied` or `refused`; none when there is
    /// nothing to do before something is handed in or the time has come.
    pub fn poll(&mut self, cache: &mut Cache, now: f64) -> Option<String> {
        let now = at(now);
        Some(match self.session.poll(now)? {
            WatchAction::List(call) => written(&json!({ "list": list_call(&call) })),
            WatchAction::Watch(call) => written(&json!({ "watch": watch_call(&call) })),
            WatchAction::Close(call) => written(&json!({ "close": call.0 })),
            WatchAction::Apply(event) => {
                let line = cache.journal.line(&event, now);
                match cache.cache.apply(*event, now) {
                    Ok(applied) => {
                        self.session.handle_applied(Ok(&applied), now);
                        cache.journal.push(line);
                        format!("{{\"applied\":{}}}", applied::applied(cache, &applied))
                    }
                    Err(error) => {
                        self.session.handle_applied(Err(&error), now);
                        written(&json!({ "refused": error.to_string() }))
                    }
                }
            }
        })
    }

    /// When to call `poll` again at the latest.
    pub fn poll_timeout(&self) -> Option<f64> {
        self.session.poll_timeout().map(|at| at.0 as f64)
    }

    /// A list call was answered with so many bytes in the cache's buffer. Answers what is wrong with
    /// them.
    pub fn handle_list(
        &mut self,
        cache: &Cache,
        call: f64,
        bytes: usize,
        now: f64,
    ) -> Option<String> {
        let answer = cache.buffer.get(..bytes).unwrap_or_default();
        let answer = self.schema.list_answer(answer);
        let taken = self
            .session
            .handle_list(CallId(whole(call)), answer, at(now));
        taken.err().map(|error| error.to_string())
    }

    /// A stream is open.
    pub fn handle_opened(&mut self, call: f64, now: f64) {
        self.session.handle_opened(CallId(whole(call)), at(now));
    }

    /// Something was heard of the stream that is no message.
    pub fn handle_heard(&mut self, call: f64, now: f64) {
        self.session.handle_heard(CallId(whole(call)), at(now));
    }

    /// A stream told this message, perhaps with a word beside it. Answers what is wrong with it.
    pub fn handle_message(
        &mut self,
        call: f64,
        message: &str,
        word: Option<String>,
        now: f64,
    ) -> Option<String> {
        let message = self.message(message.as_bytes(), word.as_deref());
        let taken = self
            .session
            .handle_message(CallId(whole(call)), message, at(now));
        taken.err().map(|error| error.to_string())
    }

    /// A list call failed, or a stream broke.
    pub fn handle_failed(&mut self, call: f64, problem: String, now: f64) {
        let failure = WatchFailure {
            status: None,
            reason: None,
            message: problem,
            retry_after_ms: None,
        };
        self.session
            .handle_failed(CallId(whole(call)), failure, at(now));
    }

    /// The server answered with another HTTP status than 200, with a body that may be a `Status` of
    /// Kubernetes, and perhaps with `Retry-After`, here in milliseconds.
    pub fn handle_status(
        &mut self,
        call: f64,
        status: u16,
        body: &str,
        retry_after_ms: Option<f64>,
        now: f64,
    ) {
        let mut failure = WatchFailure::kubernetes(status, body.as_bytes());
        failure.retry_after_ms = failure.retry_after_ms.or(retry_after_ms.map(whole));
        self.session
            .handle_failed(CallId(whole(call)), failure, at(now));
    }

    /// A stream ended as streams end.
    pub fn handle_closed(&mut self, call: f64, now: f64) {
        self.session.handle_closed(CallId(whole(call)), at(now));
    }

    /// Whether there is a network.
    pub fn set_online(&mut self, online: bool, now: f64) {
        self.session.set_online(online, at(now));
    }

    /// Lists again, as soon as the settings allow.
    pub fn relist(&mut self, now: f64) {
        self.session.relist(at(now));
    }

    /// What it is about: `listing`, `watching`, `backing_off` or `offline`.
    pub fn state(&self) -> String {
        let word = match self.session.state() {
            WatchState::Listing => "listing",
            WatchState::Watching => "watching",
            WatchState::BackingOff => "backing_off",
            WatchState::Offline => "offline",
        };
        word.into()
    }

    /// Whether all that the server has told so far is in the cache, and nothing was missed.
    pub fn is_synced(&self) -> bool {
        self.session.is_synced()
    }

    /// From where another session could go on, as JSON.
    pub fn position(&self) -> Option<String> {
        let position = self.session.position()?;
        let (version, sequence) = (&position.version, position.sequence);
        Some(written(
            &json!({ "version": version, "sequence": sequence }),
        ))
    }

    /// Why it last failed, as JSON, until something goes well.
    pub fn failure(&self) -> Option<String> {
        let failure = self.session.failure()?;
        Some(written(&json!({
            "status": failure.status,
            "reason": failure.reason,
            "problem": failure.message,
            "retryAfter": failure.retry_after_ms,
        })))
    }
}

impl WatchSession {
    fn message(
        &self,
        message: &[u8],
        word: Option<&str>,
    ) -> Result<WatchMessage<JsonResource>, Error> {
        match (&self.feed, word) {
            (None, _) => self.schema.watch_message(message),
            (Some(feed), Some(word)) => feed.named_message(&self.schema, word, message),
            (Some(feed), None) => feed.message(&self.schema, message),
        }
    }
}

fn list_call(call: &ListCall) -> Value {
    json!({
        "call": call.call.0,
        "limit": call.limit,
        "continueToken": call.continue_token,
        "notOlderThan": call.not_older_than,
        "query": call.query(),
    })
}

fn watch_call(call: &WatchCall) -> Value {
    json!({
        "call": call.call.0,
        "version": call.version,
        "sequence": call.sequence,
        "bookmarks": call.bookmarks,
        "initialEvents": call.initial_events,
        "query": call.query(),
    })
}

/// Those settings that are set, over the defaults.
fn over(base: &WatchConfig, settings: &str) -> Result<WatchConfig, Refusal> {
    let bad = |error| Refusal::bad_input("watch settings", error);
    let mut all = serde_json::to_value(base).map_err(bad)?;
    let set: Value = read(settings, "watch settings")?;
    if let (Value::Object(all), Value::Object(set)) = (&mut all, set) {
        all.extend(set);
    }
    read(&all.to_string(), "watch settings")
}
