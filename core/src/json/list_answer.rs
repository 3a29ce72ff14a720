//! The answer of a list call as a watch session takes it: whole and unread, or a chunk.

use std::cell::RefCell;

use crate::error::Error;
use crate::event::Snapshot;
use crate::ids::Timestamp;
use crate::json::pointer::find;
use crate::json::resource::JsonResource;
use crate::json::response::Response;
use crate::json::schema::{Schema, scalar, text};
use crate::json::split::Split;
use crate::watch_action::CallId;
use crate::watch_failure::WatchFailure;
use crate::watch_message::ListAnswer;
use crate::watch_session::{Purpose, WatchSession};

/// What stands beside a list.
#[derive(Default)]
struct Beside {
    version: Option<String>,
    continue_token: Option<String>,
}

impl Schema {
    /// Reads the answer of a list call, or a chunk of it.
    ///
    /// ```
    /// use resourcecache::json::Schema;
    /// let chunk = br#"{"metadata":{"resourceVersion":"7","continue":"k"},"items":[]}"#;
    /// let answer = Schema::kubernetes().list_answer(chunk)?;
    /// assert_eq!(answer.continue_token.as_deref(), Some("k"));
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::BadSnapshot`] as for [`snapshot`](Self::snapshot).
    pub fn list_answer(&self, response: &[u8]) -> Result<ListAnswer<JsonResource>, Error> {
        let found = RefCell::new(None);
        let look = |text: &str| {
            found.replace(self.continue_token_of(text)?);
            self.list_version_of(text)
        };
        let snapshot: Snapshot<JsonResource> = self.snapshot_with(response, &look)?;
        Ok(ListAnswer {
            continue_token: found.into_inner(),
            ..snapshot.into()
        })
    }

    fn continue_token_of(&self, text: &str) -> Result<Option<String>, String> {
        let Some(pointer) = &self.continue_token else {
            return Ok(None);
        };
        let token = scalar(text, pointer, "the token of the next chunk")?;
        Ok(token.filter(|token| !token.is_empty()).map(Into::into))
    }

    /// What stands beside the list, without reading the list where that can be.
    fn beside(&self, response: &[u8]) -> Result<Beside, String> {
        let read = |text: &str| -> Result<Beside, String> {
            Ok(Beside {
                version: self.list_version_of(text)?,
                continue_token: self.continue_token_of(text)?,
            })
        };
        let text = |bytes| text(bytes);
        if let Some(start) = Split::locate(response, &self.items.path) {
            let head = text(response.get(..start).unwrap_or_default())?;
            let closed = format!("{head}null{}", "}".repeat(self.items.path.len()));
            let beside = read(&closed)?;
            if beside.version.is_some() || beside.continue_token.is_some() {
                return Ok(beside);
            }
            if self.list_version.is_none() && self.continue_token.is_none() {
                return Ok(beside);
            }
        }
        // It stands behind the list, if anywhere.
        let whole = text(response)?;
        find(whole, &self.items.path).map_or_else(|| Ok(Beside::default()), |_| read(whole))
    }
}

impl WatchSession<JsonResource> {
    /// Takes the bytes of the answer of a list call. A whole list is given back, to be merged by
    /// [`merge_response`](crate::ResourceCache::merge_response), which reads only what has changed;
    /// what comes of that is handed in by [`handle_applied`](Self::handle_applied). Of a chunk
    /// nothing is given back: the session keeps it.
    ///
    /// ```
    /// # use resourcecache::{Config, JsonCache, Timestamp, WatchAction, WatchConfig, WatchSession};
    /// # use resourcecache::json::Schema;
    /// # let (schema, now) = (Schema::kubernetes(), Timestamp(0));
    /// # let mut cache = JsonCache::new(Config::default());
    /// # let mut session = WatchSession::new(WatchConfig::kubernetes(), 1);
    /// # let Some(WatchAction::Apply(event)) = session.poll(now) else { panic!() };
    /// # session.handle_applied(cache.apply(*event, now).as_ref(), now);
    /// # let Some(WatchAction::List(list)) = session.poll(now) else { panic!() };
    /// let bytes = br#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}}]}"#;
    /// if let Some(response) = session.handle_response(list.call, &schema, bytes, now)? {
    ///     session.handle_applied(cache.merge_response(response, now).as_ref(), now);
    /// }
    /// assert_eq!(session.position().and_then(|p| p.version.as_deref()), Some("7"));
    /// # Ok::<(), resourcecache::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`handle_list`](Self::handle_list), for what cannot be read: the list counts as failed.
    pub fn handle_response<'a>(
        &mut self,
        call: CallId,
        schema: &'a Schema,
        bytes: &'a [u8],
        now: Timestamp,
    ) -> Result<Option<Response<'a>>, Error> {
        self.advance(now);
        // What waits to be applied came before it, and goes first.
        let waits = self.applying.is_some() || !self.queue.is_empty();
        let Some(list) = self.listing(call) else {
            return Ok(None);
        };
        let (first, token) = (list.chunks == 0, list.token);
        let beside = match schema.beside(bytes) {
            Ok(beside) => beside,
            Err(problem) => {
                self.list_failed(WatchFailure::network(problem.clone()));
                let position = None;
                return Err(Error::BadSnapshot { position, problem });
            }
        };
        if waits || !first || beside.continue_token.is_some() {
            return self
                .handle_list(call, schema.list_answer(bytes), now)
                .map(|()| None);
        }
        if let Some(list) = self.listing(call) {
            list.call = None;
        }
        self.applying = Some(Purpose::List(beside.version));
        let response = schema.response(bytes);
        Ok(Some(match token {
            Some(token) => response.with_token(token),
            None => response,
        }))
    }
}
