//! The API's client.

use resourcecache_judge::Fact;
use serde_json::Value;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be reached, or answers what is no HTTP.
    #[error("{url}: {source}")]
    Http {
        /// Where.
        url: String,
        /// Why.
        source: Box<ureq::Error>,
    },
    /// The cache refused something.
    #[error(transparent)]
    Cache(#[from] resourcecache::Error),
    /// The store refused something, or what is in it cannot be read.
    #[error(transparent)]
    Stored(#[from] resourcecache_storage::Error),
    /// JSON that is none, or files that cannot be written.
    #[error("{0}")]
    Other(String),
}

impl From<resourcecache_storage::StoreError> for Error {
    fn from(error: resourcecache_storage::StoreError) -> Self {
        Self::Stored(error.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// One API, at one URL.
pub(crate) struct Api {
    agent: ureq::Agent,
    url: String,
}

impl Api {
    /// The API under this URL; an error's status is an answer like others.
    pub(crate) fn new(url: impl Into<String>) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        Self {
            agent: config.build().into(),
            url: url.into(),
        }
    }

    /// The status and the body's bytes.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Vec<u8>), Error> {
        let url = format!("{}{path}", self.url);
        let sent = match (method, body) {
            ("GET", _) => self.agent.get(&url).call(),
            ("DELETE", _) => self.agent.delete(&url).call(),
            ("PATCH", body) => self.agent.patch(&url).send_json(body),
            (_, body) => self.agent.post(&url).send_json(body),
        };
        let failed = |source| Error::Http {
            url: url.clone(),
            source: Box::new(source),
        };
        let mut answer = sent.map_err(failed)?;
        let status = answer.status().as_u16();
        let bytes = answer.body_mut().read_to_vec().map_err(failed)?;
        Ok((status, bytes))
    }

    /// The same, with the body read as JSON.
    pub(crate) fn json(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Error> {
        let (status, bytes) = self.call(method, path, body)?;
        Ok((status, serde_json::from_slice(&bytes)?))
    }

    /// Sets the lagging server up.
    pub(crate) fn control(&self, what: &str, body: &Value) -> Result<Value, Error> {
        Ok(self
            .json("POST", &format!("/control/{what}"), Some(body))?
            .1)
    }

    /// What was true when, and the server's time.
    pub(crate) fn ledger(&self) -> Result<(u64, Vec<Fact>), Error> {
        let mut answer = self.json("GET", "/control/ledger", None)?.1;
        let entries = serde_json::from_value(answer["entries"].take())?;
        Ok((answer["now_ms"].as_u64().unwrap_or_default(), entries))
    }
}
