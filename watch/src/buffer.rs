//! The bounded buffer between a connection and the collection.
//!
//! A task of its own reads the connection, so that pings are answered while the collection is
//! busy. When the buffer is full it reads no more, and TCP holds the server up; when it has been
//! full for too long, it closes the connection and drops what waits: a list is cheaper then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::transport::{Incoming, Transport};

type Waiting = (Result<Incoming, Failure>, Option<OwnedSemaphorePermit>);

/// A stream that is read ahead, as far as the limits allow. Its connection is closed when this is
/// dropped.
#[derive(Debug)]
pub struct Buffer {
    waiting: mpsc::Receiver<Waiting>,
    /// Whether what waits is worth nothing any more.
    stalled: Arc<AtomicBool>,
    failure: Option<Failure>,
    pump: JoinHandle<()>,
}

impl Buffer {
    /// Reads a stream ahead. In a runtime of tokio's.
    pub fn new(transport: Box<dyn Transport>, limits: &Limits) -> Self {
        let (sender, waiting) = mpsc::channel(limits.buffer.max(1));
        let stalled = Arc::new(AtomicBool::new(false));
        let stall = Failure::SlowReader {
            url: transport.url(),
            after: limits.stall,
        };
        let pump = Pump {
            transport,
            sender,
            room: Arc::new(Semaphore::new(bytes_of(limits))),
            limits: limits.clone(),
            stalled: Arc::clone(&stalled),
        };
        Self {
            waiting,
            stalled,
            failure: Some(stall),
            pump: tokio::spawn(pump.run()),
        }
    }

    /// The next message; `None` at the end of the stream, and ever after. Safe to be dropped and
    /// called again.
    pub async fn next(&mut self) -> Option<Result<Incoming, Failure>> {
        let next = self.waiting.recv().await;
        if self.stalled.load(Ordering::Acquire) {
            self.waiting.close();
            while self.waiting.try_recv().is_ok() {}
            return self.failure.take().map(Err);
        }
        next.map(|(incoming, _room)| incoming)
    }

    /// The next message, if one waits.
    pub fn try_next(&mut self) -> Option<Result<Incoming, Failure>> {
        if self.stalled.load(Ordering::Acquire) {
            return None; // `next` tells
        }
        self.waiting
            .try_recv()
            .ok()
            .map(|(incoming, _room)| incoming)
    }

    /// Closes the connection with the protocol's goodbye, and waits until that is said.
    pub async fn close(mut self) {
        self.waiting.close();
        while self.waiting.try_recv().is_ok() {}
        let _ = (&mut self.pump).await;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // The pump says goodbye by itself when nobody is left to read; it is not waited for.
        self.waiting.close();
    }
}

/// Permits are counted in u32, and a semaphore holds fewer than usize's.
fn bytes_of(limits: &Limits) -> usize {
    limits
        .buffer_bytes
        .clamp(1, (u32::MAX as usize).min(Semaphore::MAX_PERMITS))
}

struct Pump {
    transport: Box<dyn Transport>,
    sender: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    limits: Limits,
    stalled: Arc<AtomicBool>,
}

impl Pump {
    async fn run(mut self) {
        self.pump().await;
        self.transport.close().await;
    }

    async fn pump(&mut self) {
        loop {
            let next = tokio::select! {
                next = self.transport.next() => next,
                () = self.sender.closed() => return,
            };
            let Some(incoming) = next else { return };
            let ended = incoming.is_err();
            let handed = tokio::time::timeout(self.limits.stall, self.hand_over(incoming));
            match handed.await {
                Ok(true) if !ended => {}
                Ok(_) => return,
                Err(_) => {
                    self.stalled.store(true, Ordering::Release);
                    return;
                }
            }
        }
    }

    /// Whether anybody is there to take it.
    async fn hand_over(&mut self, incoming: Result<Incoming, Failure>) -> bool {
        let size = match &incoming {
            Ok(Incoming::Message(bytes)) => bytes.len().min(bytes_of(&self.limits)),
            _ => 0,
        };
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        let room = tokio::select! {
            room = Arc::clone(&self.room).acquire_many_owned(size) => room.ok(),
            () = self.sender.closed() => return false,
        };
        self.sender.send((incoming, room)).await.is_ok()
    }
}
