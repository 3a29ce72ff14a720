//! A collection that tells its changes by server-sent events, and is listed by a `GET`.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Url;
use resourcecache::{ListCall, WatchCall};

use crate::adapter::Adapter;
use crate::connection::Connection;
use crate::event_stream::{EventStream, Framing};
use crate::failure::Failure;
use crate::http::{Call, Http};
use crate::limits::Limits;
use crate::list_query::ListQuery;
use crate::transport::Transport;
use crate::version_in::{VersionIn, from_where};

/// A list at one URL, and a stream of server-sent events at another.
///
/// ```
/// use resourcecache_watch::{Framing, VersionIn, Sse};
/// let zones = Sse::new("http://127.0.0.1:8080/zones", "http://127.0.0.1:8080/zones/events")?
///     .framed(Framing::Envelope)
///     .resuming(VersionIn::LastEventId);
/// # Ok::<(), resourcecache_watch::Failure>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sse {
    http: Http,
    list: Url,
    query: ListQuery,
    watch: Url,
    framing: Framing,
    resume: VersionIn,
}

impl Sse {
    /// The URL of the list, and that of the stream; the events' data are the messages.
    ///
    /// # Errors
    ///
    /// [`Failure::BadUrl`], or TLS that cannot be set up.
    pub fn new(list: &str, watch: &str) -> Result<Self, Failure> {
        Self::over(Connection::default(), list, watch)
    }

    /// The same, with headers, limits or TLS of your own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn over(connection: Connection, list: &str, watch: &str) -> Result<Self, Failure> {
        let watch = Connection::url(watch, &["http", "https"])?;
        Ok(Self {
            http: Http::new(connection, &watch)?,
            list: Connection::url(list, &["http", "https"])?,
            query: ListQuery::default(),
            watch,
            framing: Framing::default(),
            resume: VersionIn::default(),
        })
    }

    /// The same, with messages that are made so of the events.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// The same, with query parameters of list calls that are made so: for a server whose lists come in
    /// chunks, or that can answer no older list than a version. [`ListCall::query`] has Kubernetes'
    /// words.
    ///
    /// Without this a list is a plain `GET`; one that must go on, or reach a version
    /// ([`Resume::Version`](resourcecache::Resume::Version), after something was missed), fails with
    /// [`Failure::CannotAsk`]. Say `listing(|_| Vec::new())` where any list will do: the stream goes on
    /// from its version, and until then the view may go back to it.
    #[must_use]
    pub fn listing(
        mut self,
        query: impl Fn(&ListCall) -> Vec<(String, String)> + Send + Sync + 'static,
    ) -> Self {
        self.query = ListQuery::new(query);
        self
    }

    /// The same, with streams that go on where the last one ended.
    #[must_use]
    pub fn resuming(mut self, resume: VersionIn) -> Self {
        self.resume = resume;
        self
    }
}

impl Adapter for Sse {
    fn list(&self, call: &ListCall) -> BoxFuture<'static, Result<Bytes, Failure>> {
        let http = self.http.clone();
        let url = self.query.in_url(&self.list, call);
        Box::pin(async move { http.whole(Call::get(url?)).await })
    }

    fn watch(&self, call: &WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>> {
        let (http, framing) = (self.http.clone(), self.framing);
        let from = from_where(call);
        let url = self.resume.in_url(&self.watch, from.as_deref());
        let last = from.filter(|_| self.resume == VersionIn::LastEventId);
        Box::pin(async move {
            let call = Call {
                accept: "text/event-stream",
                last_event_id: last,
                ..Call::get(url)
            };
            let body = http.stream(call).await?;
            let limit = http.connection().limits().max_message;
            Ok(Box::new(EventStream::new(body, framing, limit)?) as Box<dyn Transport>)
        })
    }

    fn limits(&self) -> Limits {
        self.http.connection().limits().clone()
    }

    fn asks_for_versions(&self) -> bool {
        self.query.is_said()
    }
}
