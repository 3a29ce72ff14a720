//! How to reach a server: TLS, headers and limits, shared by the connections of an adapter.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Url;
use reqwest::header::HeaderMap;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

use crate::failure::{Failure, spelled_out};
use crate::limits::Limits;

type AnyError = Box<dyn std::error::Error + Send + Sync>;
type Callback = dyn Fn() -> BoxFuture<'static, Result<HeaderMap, AnyError>> + Send + Sync;

/// How to reach a server. Cheap to clone; clones share their connections.
///
/// ```
/// use resourcecache_watch::{Connection, HeaderMap, Limits};
/// # async fn fresh_token() -> Result<String, std::io::Error> { Ok("t".into()) }
/// let connection = Connection::new(Limits::default()).with_headers(|| async {
///     let mut headers = HeaderMap::new();
///     let bearer = format!("Bearer {}", fresh_token().await?);
///     headers.insert("authorization", bearer.parse()?);
///     Ok(headers)
/// });
/// ```
#[derive(Clone)]
pub struct Connection {
    limits: Limits,
    headers: Option<Arc<Callback>>,
    tls: Option<ClientConfig>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("limits", &self.limits)
            .field("headers", &self.headers.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Connection {
    /// One with these limits, without headers, with the platform's root certificates.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            headers: None,
            tls: None,
        }
    }

    /// The same, with headers that are asked for before each list call and each (re)connection, so
    /// that a token may be a fresh one. An error is a failed connection: it is tried again later.
    #[must_use]
    pub fn with_headers<F, A>(mut self, headers: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<HeaderMap, AnyError>> + Send + 'static,
    {
        self.headers = Some(Arc::new(move || Box::pin(headers())));
        self
    }

    /// The same, with TLS of your own: other roots, a client certificate.
    #[must_use]
    pub fn with_tls(mut self, tls: ClientConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the user's callback gives now.
    pub(crate) async fn headers(&self) -> Result<HeaderMap, Failure> {
        let Some(callback) = &self.headers else {
            return Ok(HeaderMap::new());
        };
        let asked = tokio::time::timeout(self.limits.connect, callback()).await;
        match asked {
            Ok(Ok(headers)) => Ok(headers),
            Ok(Err(error)) => Err(Failure::Headers(spelled_out(&*error))),
            Err(_) => Err(Failure::Headers(format!(
                "the callback did not answer within {:?}",
                self.limits.connect
            ))),
        }
    }

    /// TLS for a URL. One without TLS needs no roots, which some systems do not have.
    pub(crate) fn tls(&self, url: &Url) -> Result<ClientConfig, Failure> {
        if let Some(tls) = &self.tls {
            return Ok(tls.clone());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let bad = |error: rustls::Error| Failure::Tls(spelled_out(&error));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(bad)?;
        if ["https", "wss"].contains(&url.scheme()) {
            let builder = builder.with_platform_verifier().map_err(bad)?;
            return Ok(builder.with_no_client_auth());
        }
        let none = rustls::RootCertStore::empty();
        Ok(builder.with_root_certificates(none).with_no_client_auth())
    }

    pub(crate) fn url(given: &str, schemes: &[&str]) -> Result<Url, Failure> {
        let bad = |problem: String| Failure::BadUrl {
            url: given.into(),
            problem,
        };
        let url = Url::parse(given).map_err(|error| bad(error.to_string()))?;
        if !schemes.contains(&url.scheme()) {
            return Err(bad(format!("is none of {}", schemes.join(", "))));
        }
        Ok(url)
    }

    /// Waits for something at most as long as a connection may take.
    pub(crate) async fn connected<T>(
        &self,
        url: &Url,
        what: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        within(url, "answered", self.limits.connect, what).await
    }
}

/// Waits at most so long.
pub(crate) async fn within<T>(
    url: &Url,
    what: &'static str,
    after: Duration,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let timed_out = |_| Failure::TimedOut {
        url: shown(url),
        what,
        after,
    };
    tokio::time::timeout(after, future)
        .await
        .map_err(timed_out)?
}

/// A URL as it may stand in a message: without what may be secret in it.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}
