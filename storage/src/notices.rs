//! Tells those who wait in this process that a collection was committed to.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::StoreError;
use crate::store::Watch;

/// Who waits for what, within one process. For stores of your own as well.
#[derive(Debug, Default)]
pub struct Notices {
    waiting: Mutex<HashMap<String, Vec<Sender<()>>>>,
}

impl Notices {
    /// A watch of this collection.
    pub fn watch(&self, key: &str) -> Box<dyn Watch> {
        let (sender, receiver) = channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.entry(key.into()).or_default().push(sender);
        Box::new(Waiting(receiver))
    }

    /// Tells who watches this collection.
    pub fn tell(&self, key: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(senders) = waiting.get_mut(key) {
            senders.retain(|sender| sender.send(()).is_ok());
            if senders.is_empty() {
                waiting.remove(key);
            }
        }
    }
}

struct Waiting(Receiver<()>);

impl Watch for Waiting {
    fn wait(&mut self, timeout: Duration) -> Result<bool, StoreError> {
        match self.0.recv_timeout(timeout) {
            Ok(()) => {
                while self.0.try_recv().is_ok() {}
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => {
                // The store is gone: nobody commits any more.
                std::thread::sleep(timeout);
                Ok(false)
            }
        }
    }
}
