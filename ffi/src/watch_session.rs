//! A watch without IO: bytes in, actions out.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use resourcecache::json::{Feed, JsonResource, Schema};
use resourcecache::{CallId, Error, Timestamp, WatchMessage};

use crate::applied::Applied;
use crate::cache::JsonCache;
use crate::error::CacheError;
use crate::watch_call::{WatchAction, WatchFailure};
use crate::watch_settings::{WatchPosition, WatchSettings, WatchState};

/// Keeps a cache right by lists and a stream of events: decides when to list, from where to watch, and
/// when to try again. It opens no connection: make the calls that it asks for, and hand in what comes
/// of them.
///
/// `poll` tells what to do next: call it until it answers none, after every other call, and at each
/// `poll_timeout_ms`. Handed in late, early or twice, everything is as when handed in on time; what
/// comes of a call that is closed is passed over.
#[derive(uniffi::Object)]
pub struct WatchSession {
    cache: Arc<JsonCache>,
    /// How messages are read; as Kubernetes' without it.
    feed: Option<Feed>,
    schema: Schema,
    /// Never locked while the cache is asked for, only within.
    session: Mutex<resourcecache::WatchSession<JsonResource>>,
}

#[uniffi::export]
impl WatchSession {
    /// A session that keeps this cache, and reads by its schema. From a position that was saved with
    /// the cache's state, no later than it, it goes on with the stream; otherwise it begins with all
    /// there is.
    #[uniffi::constructor(default(settings = None, position = None))]
    pub fn new(
        cache: Arc<JsonCache>,
        settings: Option<WatchSettings>,
        position: Option<WatchPosition>,
    ) -> Result<Arc<Self>, CacheError> {
        let settings = settings.unwrap_or_default();
        let config = settings.read()?;
        let feed = settings.feed.as_ref().map(|feed| feed.read());
        let schema = cache.read(|inner| inner.schema.clone())?;
        let random = || RandomState::new().hash_one("watch");
        let seed = settings.seed.unwrap_or_else(random);
        let session = match position {
            Some(position) => resourcecache::WatchSession::resume(config, seed, position.into()),
            None => resourcecache::WatchSession::new(config, seed),
        };
        Ok(Arc::new(Self {
            cache,
            feed: feed.transpose()?,
            schema,
            session: Mutex::new(session),
        }))
    }

    /// What to do next; none when there is nothing to do before something is handed in, or the time of
    /// `poll_timeout_ms` has come. What is to be applied to the cache it applies itself.
    pub fn poll(&self) -> Result<Option<WatchAction>, CacheError> {
        self.cache.change(|inner, now| {
            let mut session = self.session();
            let Some(action) = session.poll(now) else {
                return Ok(None);
            };
            Ok(Some(match action {
                resourcecache::WatchAction::List(call) => call.into(),
                resourcecache::WatchAction::Watch(call) => call.into(),
                resourcecache::WatchAction::Close(call) => WatchAction::Close { call: call.0 },
                resourcecache::WatchAction::Apply(event) => {
                    let line = inner.journal.line(&event, now);
                    match inner.cache.apply(*event, now) {
                        Ok(applied) => {
                            session.handle_applied(Ok(&applied), now);
                            inner.journal.push(line);
                            let applied = Applied::of(inner, applied);
                            WatchAction::Applied { applied }
                        }
                        Err(error) => {
                            let problem = error.to_string();
                            let error = match error {
                                resourcecache_storage::Error::Core(error) => error,
                                error => Error::bad_input("store", error.to_string()),
                            };
                            session.handle_applied(Err(&error), now);
                            WatchAction::Refused { problem }
                        }
                    }
                }
            }))
        })
    }

    /// When to call `poll` again at the latest, in milliseconds after 1970-01-01T00:00:00Z.
    pub fn poll_timeout_ms(&self) -> Option<i64> {
        self.session().poll_timeout().map(|at| at.0)
    }

    /// A list call was answered with these bytes. Answers what is wrong with them, to be told; it
    /// counts as a failure then.
    pub fn handle_list(&self, call: u64, answer: &[u8]) -> Option<String> {
        let answer = self.schema.list_answer(answer);
        let now = self.now();
        let taken = self.session().handle_list(CallId(call), answer, now);
        taken.err().map(|error| error.to_string())
    }

    /// A stream is open: the server has answered, and tells what happens from now on.
    pub fn handle_opened(&self, call: u64) {
        let now = self.now();
        self.session().handle_opened(CallId(call), now);
    }

    /// Something was heard of the stream that is no message, such as a comment or a ping.
    pub fn handle_heard(&self, call: u64) {
        let now = self.now();
        self.session().handle_heard(CallId(call), now);
    }

    /// A stream told this message: a line of a watch of Kubernetes, the text of a WebSocket's message,
    /// the data of a server-sent event. The word is for a feed that says it beside the message, as
    /// server-sent events do by `event:`. Answers what is wrong with it, to be told.
    #[uniffi::method(default(word = None))]
    pub fn handle_message(
        &self,
        call: u64,
        message: &[u8],
        word: Option<String>,
    ) -> Option<String> {
        let message = self.message(message, word.as_deref());
        let now = self.now();
        let taken = self.session().handle_message(CallId(call), message, now);
        taken.err().map(|error| error.to_string())
    }

    /// A list call failed, or a stream broke.
    pub fn handle_failed(&self, call: u64, failure: WatchFailure) {
        let now = self.now();
        self.session()
            .handle_failed(CallId(call), failure.into(), now);
    }

    /// The server answered with another HTTP status than 200, with a body that may be a `Status` of
    /// Kubernetes, and perhaps with `Retry-After`, here in milliseconds.
    #[uniffi::method(default(retry_after_ms = None))]
    pub fn handle_status(&self, call: u64, status: u16, body: &[u8], retry_after_ms: Option<u64>) {
        let mut failure = resourcecache::WatchFailure::kubernetes(status, body);
        failure.retry_after_ms = failure.retry_after_ms.or(retry_after_ms);
        let now = self.now();
        self.session().handle_failed(CallId(call), failure, now);
    }

    /// A stream ended as streams end.
    pub fn handle_closed(&self, call: u64) {
        let now = self.now();
        self.session().handle_closed(CallId(call), now);
    }

    /// Whether there is a network. The cache's outbox is told by the cache's `set_online`.
    pub fn set_online(&self, online: bool) {
        let now = self.now();
        self.session().set_online(online, now);
    }

    /// Lists again, as soon as the settings allow: something may have been missed.
    pub fn relist(&self) {
        let now = self.now();
        self.session().relist(now);
    }

    /// What it is about.
    pub fn state(&self) -> WatchState {
        self.session().state().into()
    }

    /// Whether all that the server has told so far is in the cache, and nothing was missed.
    pub fn is_synced(&self) -> bool {
        self.session().is_synced()
    }

    /// From where another session could go on, with the cache as it is now; none when it would have to
    /// begin with a list.
    pub fn position(&self) -> Option<WatchPosition> {
        let session = self.session();
        let position = session.position()?;
        Some(WatchPosition {
            version: position.version.clone(),
            sequence: position.sequence,
        })
    }

    /// Why it last failed, until something goes well.
    pub fn failure(&self) -> Option<WatchFailure> {
        self.session().failure().map(Into::into)
    }
}

impl WatchSession {
    fn session(&self) -> MutexGuard<'_, resourcecache::WatchSession<JsonResource>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.cache.now_ms())
    }

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
