//! Messages that are one line each: newline-delimited JSON, as Kubernetes and etcd send it.

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;

use crate::failure::Failure;
use crate::http::Body;
use crate::transport::{Incoming, Transport};

/// Cuts bytes into lines. Pure.
#[derive(Debug)]
pub(crate) struct Lines {
    buffer: BytesMut,
    /// How far there is no newline in the buffer.
    looked: usize,
    limit: usize,
}

/// A line is longer than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Lines {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            looked: 0,
            limit,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line that is not blank, without its end.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, TooLong> {
        loop {
            let end = self.buffer[self.looked..].iter().position(|b| *b == b'\n');
            let Some(end) = end else {
                self.looked = self.buffer.len();
                return if self.looked > self.limit {
                    Err(TooLong)
                } else {
                    Ok(None)
                };
            };
            let line = self.buffer.split_to(self.looked + end + 1).freeze();
            self.looked = 0;
            let line = line.slice(..line.trim_ascii_end().len());
            if line.len() > self.limit {
                return Err(TooLong);
            }
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// What stands behind the last newline. A broken connection may have cut it.
    pub(crate) fn rest(&self) -> &[u8] {
        self.buffer.trim_ascii()
    }
}

/// The lines of an HTTP answer.
#[derive(Debug)]
pub(crate) struct LineStream {
    body: Body,
    lines: Lines,
    limit: usize,
}

impl LineStream {
    pub(crate) fn new(body: Body, limit: usize) -> Self {
        Self {
            body,
            lines: Lines::new(limit),
            limit,
        }
    }

    pub(crate) async fn line(&mut self) -> Option<Result<Bytes, Failure>> {
        loop {
            match self.lines.next() {
                Ok(Some(line)) => return Some(Ok(line)),
                Ok(None) => {}
                Err(TooLong) => {
                    return Some(Err(Failure::TooLarge {
                        url: self.body.url(),
                        what: "a message",
                        limit: self.limit,
                    }));
                }
            }
            match self.body.chunk().await {
                Ok(Some(chunk)) => self.lines.feed(&chunk),
                Ok(None) if self.lines.rest().is_empty() => return None,
                Ok(None) => {
                    // Half a message is none: what it told comes again from the last version.
                    return Some(Err(Failure::Broken {
                        url: self.body.url(),
                        problem: "the stream ended within a line".into(),
                    }));
                }
                Err(failure) => return Some(Err(failure)),
            }
        }
    }
}

impl Transport for LineStream {
    fn next(&mut self) -> BoxFuture<'_, Option<Result<Incoming, Failure>>> {
        Box::pin(async { Some(self.line().await?.map(Incoming::Message)) })
    }

    fn url(&self) -> String {
        self.body.url()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines) -> Vec<String> {
        let mut found = Vec::new();
        while let Ok(Some(line)) = lines.next() {
            found.push(String::from_utf8_lossy(&line).into_owned());
        }
        found
    }

    #[test]
    fn lines_come_whole_however_the_bytes_are_cut() {
        let text = b"{\"a\":1}\r\n\n  \n{\"b\":\"\xc3\xa9\"}\n{\"c\"";
        for size in 1..=text.len() {
            let mut lines = Lines::new(100);
            let mut found = Vec::new();
            for part in text.chunks(size) {
                lines.feed(part);
                found.extend(all(&mut lines));
            }
            assert_eq!(found, ["{\"a\":1}", "{\"b\":\"é\"}"], "in parts of {size}");
            assert_eq!(lines.rest(), b"{\"c\"");
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_before_it_has_come() {
        let mut lines = Lines::new(8);
        lines.feed(b"12345678\n123456789");
        assert_eq!(lines.next(), Ok(Some(Bytes::from_static(b"12345678"))));
        assert_eq!(lines.next(), Err(TooLong));
    }
}
