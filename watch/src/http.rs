//! HTTP calls: lists, and the bodies of streams.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use crate::connection::{Connection, shown, within};
use crate::failure::Failure;

/// An HTTP client for one server.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    connection: Connection,
}

/// What to call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) url: Url,
    /// The body of a `POST`; a `GET` without.
    pub(crate) body: Option<Bytes>,
    pub(crate) accept: &'static str,
    pub(crate) last_event_id: Option<String>,
}

impl Call {
    pub(crate) fn get(url: Url) -> Self {
        Self {
            url,
            body: None,
            accept: "application/json",
            last_event_id: None,
        }
    }

    pub(crate) fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self {
            body: Some(body.into()),
            ..Self::get(url)
        }
    }
}

impl Http {
    pub(crate) fn new(connection: Connection, url: &Url) -> Result<Self, Failure> {
        let client = Client::builder()
            .tls_backend_preconfigured(connection.tls(url)?)
            .connect_timeout(connection.limits().connect)
            .build()
            .map_err(|error| Failure::broken(&shown(url), &error))?;
        Ok(Self { client, connection })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The whole answer.
    pub(crate) async fn whole(&self, call: Call) -> Result<Bytes, Failure> {
        let (url, limits) = (call.url.clone(), self.connection.limits());
        let read = async {
            let mut answer = self.sent(call).await?;
            let limit = limits.max_list;
            let too_large = || Failure::TooLarge {
                url: shown(&url),
                what: "an answer",
                limit,
            };
            let length = answer.content_length().unwrap_or(0);
            if length > limit as u64 {
                return Err(too_large());
            }
            let mut body = BytesMut::new();
            while let Some(chunk) = self.chunk(&url, &mut answer).await? {
                if body.len() + chunk.len() > limit {
                    return Err(too_large());
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body.freeze())
        };
        within(&url, "answered", limits.list, read).await
    }

    /// An answer whose body is still to come.
    pub(crate) async fn stream(&self, call: Call) -> Result<Body, Failure> {
        let url = call.url.clone();
        let answer = self.connection.connected(&url, self.sent(call)).await?;
        Ok(Body {
            answer,
            idle: self.connection.limits().idle,
            url,
        })
    }

    async fn sent(&self, call: Call) -> Result<Response, Failure> {
        let url = shown(&call.url);
        let request = self.request(call).headers(self.connection.headers().await?);
        let answer = request.send().await;
        let answer = answer.map_err(|error| Failure::broken(&url, &error.without_url()))?;
        if answer.status() == StatusCode::OK {
            return Ok(answer);
        }
        Err(refused(url, answer).await)
    }

    fn request(&self, call: Call) -> RequestBuilder {
        let method = if call.body.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let mut request = self.client.request(method, call.url);
        request = request.header(ACCEPT, call.accept);
        if let Some(id) = call.last_event_id {
            request = request.header("last-event-id", id);
        }
        if let Some(body) = call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        request
    }

    async fn chunk(&self, url: &Url, answer: &mut Response) -> Result<Option<Bytes>, Failure> {
        let chunk = answer.chunk().await;
        chunk.map_err(|error| Failure::broken(&shown(url), &error.without_url()))
    }
}

/// What an answer of another status says: as much of it as an error's text can hold.
async fn refused(url: String, mut answer: Response) -> Failure {
    const SOME: usize = 512;
    let status = answer.status().as_u16();
    let seconds = answer.headers().get(RETRY_AFTER);
    let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
    let mut text = Vec::new();
    while text.len() < SOME {
        match answer.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk[..chunk.len().min(SOME)]),
            _ => break,
        }
    }
    text.truncate(SOME);
    Failure::Status {
        url,
        status,
        retry_after: seconds.map(Duration::from_secs),
        text: String::from_utf8_lossy(&text).into_owned(),
    }
}

/// The body of a stream, as it comes.
#[derive(Debug)]
pub(crate) struct Body {
    answer: Response,
    idle: Duration,
    url: Url,
}

impl Body {
    /// The next bytes; `None` at its end. Safe to be dropped and called again.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let read = async {
            let chunk = self.answer.chunk().await;
            chunk.map_err(|error| Failure::broken(&shown(&self.url), &error.without_url()))
        };
        within(&self.url, "heard", self.idle, read).await
    }

    /// Waits at least so long before it is taken as broken.
    pub(crate) fn patient(mut self, at_least: Duration) -> Self {
        self.idle = self.idle.max(at_least);
        self
    }

    pub(crate) fn url(&self) -> String {
        shown(&self.url)
    }

    pub(crate) fn content_type(&self) -> &str {
        let value = self.answer.headers().get(CONTENT_TYPE);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}
