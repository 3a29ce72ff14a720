//! Kubernetes' API, and those made like it: lists in pages, watches of one JSON line an event.
//!
//! As of "Kubernetes API Concepts": `limit` and `continue`, `watch=1`, `resourceVersion`,
//! `allowWatchBookmarks`, `sendInitialEvents` with `resourceVersionMatch=NotOlderThan`,
//! `timeoutSeconds`.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::Url;
use resourcecache::{ListCall, WatchCall};

use crate::adapter::Adapter;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::http::{Call, Http};
use crate::limits::Limits;
use crate::lines::LineStream;
use crate::transport::Transport;

/// After so long the server is asked to end a watch, which then goes on from its last version: less
/// than the five minutes after which many a proxy cuts a silent connection.
const WATCH: Duration = Duration::from_secs(290);
/// How long after that its end may take to arrive.
const GRACE: Duration = Duration::from_secs(5);

/// A collection of a Kubernetes-like API.
///
/// ```
/// use resourcecache_watch::Kubernetes;
/// let pods = Kubernetes::new("http://127.0.0.1:8001/api/v1/namespaces/default/pods")?;
/// let mine = pods.selecting("labelSelector", "app=web");
/// # Ok::<(), resourcecache_watch::Failure>(())
/// ```
#[derive(Clone, Debug)]
pub struct Kubernetes {
    http: Http,
    url: Url,
}

impl Kubernetes {
    /// The collection under this URL, such as that of `kubectl proxy`.
    ///
    /// # Errors
    ///
    /// [`Failure::BadUrl`], or TLS that cannot be set up.
    pub fn new(url: &str) -> Result<Self, Failure> {
        Self::over(Connection::default(), url)
    }

    /// The same, with headers, limits or TLS of your own.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn over(connection: Connection, url: &str) -> Result<Self, Failure> {
        let url = Connection::url(url, &["http", "https"])?;
        let http = Http::new(connection, &url)?;
        Ok(Self { http, url })
    }

    /// The same, with a query parameter in every call: `labelSelector`, `fieldSelector`.
    #[must_use]
    pub fn selecting(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    fn with(&self, query: &[(&str, String)]) -> Url {
        let mut url = self.url.clone();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    fn watch_url(&self, call: &WatchCall) -> Url {
        let mut query = call.query();
        query.push(("timeoutSeconds", WATCH.as_secs().to_string()));
        self.with(&query)
    }
}

impl Adapter for Kubernetes {
    fn list(&self, call: &ListCall) -> BoxFuture<'static, Result<Bytes, Failure>> {
        let (http, url) = (self.http.clone(), self.with(&call.query()));
        Box::pin(async move { http.whole(Call::get(url)).await })
    }

    fn watch(&self, call: &WatchCall) -> BoxFuture<'static, Result<Box<dyn Transport>, Failure>> {
        let (http, url) = (self.http.clone(), self.watch_url(call));
        Box::pin(async move {
            let body = http.stream(Call::get(url)).await?.patient(WATCH + GRACE);
            let limit = http.connection().limits().max_message;
            Ok(Box::new(LineStream::new(body, limit)) as Box<dyn Transport>)
        })
    }

    fn limits(&self) -> Limits {
        self.http.connection().limits().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resourcecache::CallId;

    fn pods() -> Kubernetes {
        let pods = Kubernetes::new("http://127.0.0.1:8001/api/v1/pods");
        pods.expect("a URL").selecting("labelSelector", "app=web")
    }

    fn list(continue_token: Option<&str>) -> ListCall {
        ListCall {
            call: CallId(1),
            limit: Some(500),
            continue_token: continue_token.map(Into::into),
            not_older_than: None,
        }
    }

    #[test]
    fn a_page_is_asked_for_by_limit_and_continue() {
        let first = pods().with(&list(None).query());
        assert_eq!(first.query(), Some("labelSelector=app%3Dweb&limit=500"));
        let next = pods().with(&list(Some("ey+/=")).query());
        let selected = "labelSelector=app%3Dweb&limit=500&continue=ey%2B%2F%3D";
        assert_eq!(next.query(), Some(selected));
        let plain = Kubernetes::new("http://127.0.0.1/pods").expect("a URL");
        assert_eq!(plain.with(&[]).as_str(), "http://127.0.0.1/pods");
    }

    #[test]
    fn a_watch_says_from_where_and_asks_for_an_end() {
        let call = WatchCall {
            call: CallId(2),
            version: Some("10245".into()),
            sequence: None,
            bookmarks: true,
            initial_events: false,
        };
        let url = pods().watch_url(&call);
        assert_eq!(
            url.query().unwrap_or_default(),
            "labelSelector=app%3Dweb&watch=true&resourceVersion=10245&allowWatchBookmarks=true\
             &timeoutSeconds=290"
        );
    }

    #[test]
    fn what_is_no_url_of_http_is_refused() {
        for url in ["pods", "ws://127.0.0.1/pods", ""] {
            let refused = Kubernetes::new(url);
            assert!(matches!(refused, Err(Failure::BadUrl { .. })), "{url:?}");
        }
    }
}
