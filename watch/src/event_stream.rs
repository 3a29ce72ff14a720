//! Server-sent events, as the WHATWG's HTML standard defines them (section 9.2). The parser is
//! sse-core's.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use sse_core::{MessageEvent, SseDecoder, SseEvent};

use crate::failure::Failure;
use crate::http::Body;
use crate::transport::{Incoming, Transport};

/// What of an event the session reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Framing {
    /// Its data, which is a JSON text.
    #[default]
    Data,
    /// `{"event": ..., "id": ..., "data": ...}`: its name, its last id (`null` before the first) and
    /// its data, which is a JSON text. For servers that tell the type in the name, or the version
    /// in the id: the pointers of the mapping then begin with `/data`, and lead to `/event` and
    /// `/id`.
    Envelope,
}

/// The events of an HTTP answer.
pub(crate) struct EventStream {
    body: Body,
    decoder: SseDecoder,
    framing: Framing,
    waiting: VecDeque<Result<Incoming, Failure>>,
    limit: usize,
}

impl EventStream {
    /// Only an answer of the type `text/event-stream` is one.
    pub(crate) fn new(body: Body, framing: Framing, limit: usize) -> Result<Self, Failure> {
        let kind = body.content_type();
        let kind = kind.split(';').next().unwrap_or("").trim();
        if !kind.eq_ignore_ascii_case("text/event-stream") {
            let problem = format!("answers {kind:?}, not text/event-stream");
            return Err(Failure::malformed(&body.url(), problem));
        }
        let most = NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            body,
            decoder: SseDecoder::with_limit(most),
            framing,
            waiting: VecDeque::new(),
            limit,
        })
    }

    /// Takes all events out of some bytes.
    fn decode(&mut self, mut bytes: Bytes) {
        while let Some(event) = self.decoder.next(&mut bytes) {
            self.waiting.push_back(match event {
                Ok(SseEvent::Retry(ms)) => Ok(Incoming::Retry(Duration::from_millis(ms.into()))),
                Ok(SseEvent::Message(event)) => Ok(Incoming::Message(self.framing.text(event))),
                Err(_) => Err(Failure::TooLarge {
                    url: self.body.url(),
                    what: "a message",
                    limit: self.limit,
                }),
            });
        }
    }
}

impl Framing {
    fn text(self, event: MessageEvent) -> Bytes {
        if self == Self::Data {
            return event.data.into();
        }
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let id = event.last_event_id.as_deref();
        // The data is left as it came: what is no JSON is told by the session that reads it.
        let text = format!(
            r#"{{"event":{},"id":{},"data":{}}}"#,
            quoted(&event.event),
            id.map_or("null".into(), quoted),
            event.data
        );
        text.into()
    }
}

impl Transport for EventStream {
    fn next(&mut self) -> BoxFuture<'_, Option<Result<Incoming, Failure>>> {
        Box::pin(async {
            loop {
                if let Some(event) = self.waiting.pop_front() {
                    return Some(event);
                }
                match self.body.chunk().await {
                    Ok(Some(chunk)) => self.decode(chunk),
                    // An event that the end of the stream cuts is none, as the standard has it.
                    Ok(None) => return None,
                    Err(failure) => return Some(Err(failure)),
                }
            }
        })
    }

    fn url(&self) -> String {
        self.body.url()
    }
}
