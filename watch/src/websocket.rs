//! A collection that tells its changes over a WebSocket, and is listed by a `GET`.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Url;
use resourcecache::{ListCall, WatchCall};

use crate::adapter::Adapter;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::http::{Call, Http};
use crate::limits::Limits;
use crate::list_query::ListQuery;
use crate::socket::Socket;
use crate::transport::Transport;
use crate::version_in::{VersionIn, from_where};

type Subscribe = dyn Fn(Option<&str>) -> Vec<String> + Send + Sync;

/// A list at one URL, and a WebSocket at another.
///
/// ```
/// use resourcecache_watch::WebSocket;
/// let zones = WebSocket::new("http://127.0.0.1:8080/zones", "ws://127.0.0.1:8080/feed")?
///     .subscribing(|from| vec![format!(r#"{{"subscribe":"zones","after":{}}}"#, from.unwrap_or("0"))]);
/// # Ok::<(), resourcecache_watch::Failure>(())
/// ```
#[derive(Clone)]
pub struct WebSocket {
    http: Http,
    list: Url,
    query: ListQuery,
    watch: Url,
    resume: VersionIn,
    protocol: Option<String>,
    subscribe: Option<Arc<Subscribe>>,
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocket")
            .field("list", &self.list)
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

impl WebSocket {
    /// The URL of the list (`http` or `https`), and that of the WebSocket (`ws` or `wss`).
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
        let list = Connection::url(list, &["http", "https"])?;
        Ok(Self {
            http: Http::new(connection, &list)?,
            list,
            query: ListQuery::default(),
            watch: Connection::url(watch, &["ws", "wss"])?,
            resume: VersionIn::default(),
            protocol: None,
            subscribe: None,
        })
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

    /// The same, with this subprotocol (`Sec-WebSocket-Protocol`).
    #[must_use]
    pub fn speaking(mut self, protocol: &str) -> Self {
        self.protocol = Some(protocol.into());
        self
    }

    /// The same, with texts that are sent first, made from the version from which to go on.
    #[must_use]
    pub fn subscribing(
        mut self,
        texts: impl Fn(Option<&str>) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.subscribe = Some(Arc::new(texts));
        self
    }

    /// The same, with connections that say in their URL where the last one ended.
    #[must_use]
    pub fn resuming(mut self, parameter: &str) -> Self {
        self.resume = VersionIn::Query(parameter.into());
        self
    }
}

impl Adapter for WebSocket {
    fn list(&self, call: &ListCall) -> BoxFuture<'static, Result<Bytes, Failure>> {
        let http = self.http.clone();
        let url = self.query.in_url(&self.list, call);
        Box::pin(async move { http.whole(Call::get(url?)).await })
    }

    fn watch(&self, call: &WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>> {
        let from = from_where(call);
        let from = from.as_deref();
        let url = self.resume.in_url(&self.watch, from);
        let first = self.subscribe.as_ref().map(|texts| texts(from));
        let first = first.unwrap_or_default();
        let (http, protocol) = (self.http.clone(), self.protocol.clone());
        Box::pin(async move {
            let opened = Socket::open(http.connection(), &url, protocol.as_deref(), first);
            Ok(Box::new(opened.await?) as Box<dyn Transport>)
        })
    }

    fn limits(&self) -> Limits {
        self.http.connection().limits().clone()
    }

    fn asks_for_versions(&self) -> bool {
        self.query.is_said()
    }
}
