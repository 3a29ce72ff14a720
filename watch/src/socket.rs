//! WebSocket connections (RFC 6455), by tungstenite: pings, silence, and closing.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use reqwest::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};

use crate::connection::{Connection, shown};
use crate::failure::{Failure, spelled_out};
use crate::limits::Limits;
use crate::transport::{Incoming, Transport};

/// One open WebSocket.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    limits: Limits,
    url: String,
    /// When something was heard last, and when the next ping is due.
    heard: Instant,
    ping: Instant,
}

impl Socket {
    /// Connects, and sends these texts first, such as a subscription.
    pub(crate) async fn open(
        connection: &Connection,
        url: &Url,
        protocol: Option<&str>,
        first: Vec<String>,
    ) -> Result<Self, Failure> {
        let opened = Self::connect(connection, url, protocol, first);
        connection.connected(url, opened).await
    }

    async fn connect(
        connection: &Connection,
        url: &Url,
        protocol: Option<&str>,
        first: Vec<String>,
    ) -> Result<Self, Failure> {
        let name = shown(url);
        let limits = connection.limits().clone();
        let bad = |problem: String| Failure::BadUrl {
            url: name.clone(),
            problem,
        };
        let request = url.as_str().into_client_request();
        let mut request = request.map_err(|error| bad(error.to_string()))?;
        request.headers_mut().extend(connection.headers().await?);
        if let Some(protocol) = protocol {
            let value = HeaderValue::from_str(protocol);
            let value = value.map_err(|error| bad(error.to_string()))?;
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(limits.max_message);
        config.max_frame_size = Some(limits.max_message);
        let connector = Connector::Rustls(Arc::new(connection.tls(url)?));
        let opened = tokio_tungstenite::connect_async_tls_with_config(
            request,
            Some(config),
            true, // small messages go at once
            Some(connector),
        );
        let (mut socket, _) = opened
            .await
            .map_err(|error| failed(&name, error, &limits))?;
        for text in first {
            let sent = socket.send(Message::text(text)).await;
            sent.map_err(|error| failed(&name, error, &limits))?;
        }
        let now = Instant::now();
        Ok(Self {
            socket,
            url: name,
            heard: now,
            ping: now + limits.ping_every(),
            limits,
        })
    }

    async fn incoming(&mut self) -> Option<Result<Incoming, Failure>> {
        loop {
            let silent = self.heard + self.limits.idle;
            let frame = tokio::select! {
                frame = self.socket.next() => frame?,
                () = sleep_until(silent) => {
                    return Some(Err(Failure::TimedOut {
                        url: self.url.clone(),
                        what: "heard",
                        after: self.limits.idle,
                    }));
                }
                () = sleep_until(self.ping) => {
                    self.ping = Instant::now() + self.limits.ping_every();
                    // A server that reads nothing must not hold us up: the silence then ends it.
                    let ping = self.socket.send(Message::Ping(Bytes::new()));
                    match timeout(self.limits.ping_every(), ping).await {
                        Ok(Err(error)) => return self.ended(error),
                        Ok(Ok(())) | Err(_) => continue,
                    }
                }
            };
            self.heard = Instant::now();
            match frame {
                Ok(Message::Text(text)) => return Some(Ok(Incoming::Message(text.into()))),
                Ok(Message::Binary(bytes)) => return Some(Ok(Incoming::Message(bytes))),
                // A ping is answered by tungstenite when the next frame is read.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(frame)) => {
                    let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                        (frame.code.into(), frame.reason.to_string())
                    });
                    return match code {
                        1000 | 1001 => None,
                        _ => Some(Err(Failure::Closed {
                            url: self.url.clone(),
                            code,
                            reason,
                        })),
                    };
                }
                Err(error) => return self.ended(error),
            }
        }
    }

    fn ended(&self, error: Error) -> Option<Result<Incoming, Failure>> {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => None,
            error => Some(Err(failed(&self.url, error, &self.limits))),
        }
    }
}

impl Transport for Socket {
    fn next(&mut self) -> BoxFuture<'_, Option<Result<Incoming, Failure>>> {
        Box::pin(self.incoming())
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            // Its answer is not waited for.
            let _ = timeout(self.limits.connect, self.socket.close(None)).await;
        })
    }

    fn url(&self) -> String {
        self.url.clone()
    }
}

fn failed(url: &str, error: Error, limits: &Limits) -> Failure {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Failure::TooLarge {
            url: url.into(),
            what: "a message",
            limit: limits.max_message,
        },
        Error::Http(answer) => {
            let seconds = answer.headers().get("retry-after");
            let seconds = seconds.and_then(|value| value.to_str().ok()?.parse().ok());
            let body = answer.body().as_deref().unwrap_or_default();
            Failure::Status {
                url: url.into(),
                status: answer.status().as_u16(),
                retry_after: seconds.map(std::time::Duration::from_secs),
                text: String::from_utf8_lossy(&body[..body.len().min(512)]).into_owned(),
            }
        }
        Error::Url(error) => Failure::BadUrl {
            url: url.into(),
            problem: error.to_string(),
        },
        Error::Tls(error) => Failure::Tls(spelled_out(&error)),
        // The connection went, and nobody said what is against the protocol.
        Error::Protocol(
            error @ (ProtocolError::ResetWithoutClosingHandshake
            | ProtocolError::SendAfterClosing
            | ProtocolError::ReceivedAfterClosing
            | ProtocolError::HandshakeIncomplete),
        ) => Failure::broken(url, &error),
        Error::Protocol(error) => Failure::malformed(url, spelled_out(&error)),
        error => Failure::broken(url, &error),
    }
}
