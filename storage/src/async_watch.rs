//! Waits for others' commits in async code.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::blocking::blocking;
use crate::error::Error;
use crate::store::Watch;

/// For how long a thread is occupied at once: as long a runtime may wait for it when it shuts down.
const PIECE: Duration = Duration::from_millis(250);

/// A [`Watch`] for async code. While it is waited for it occupies one of tokio's threads for blocking
/// work.
pub struct AsyncWatch {
    watch: Arc<Mutex<Box<dyn Watch>>>,
    /// A commit was heard of, and nobody was told yet.
    heard: Arc<AtomicBool>,
}

impl std::fmt::Debug for AsyncWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncWatch").finish_non_exhaustive()
    }
}

impl AsyncWatch {
    pub(crate) fn new(watch: Box<dyn Watch>) -> Self {
        Self {
            watch: Arc::new(Mutex::new(watch)),
            heard: Arc::default(),
        }
    }

    /// Waits until the collection may have been committed to since the last call, or the watch began:
    /// `true`. `false` when nothing was heard of for so long. What is heard while the future is dropped
    /// is told by the next call.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub async fn wait(&mut self, timeout: Duration) -> Result<bool, Error> {
        let until = Instant::now().checked_add(timeout);
        loop {
            let left = until.map_or(PIECE, |until| {
                until.saturating_duration_since(Instant::now())
            });
            let (watch, heard) = (Arc::clone(&self.watch), Arc::clone(&self.heard));
            let piece = left.min(PIECE);
            blocking(move || {
                let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
                // One that was dropped may have waited for it.
                if !heard.load(Ordering::SeqCst) && watch.wait(piece)? {
                    heard.store(true, Ordering::SeqCst);
                }
                Ok(())
            })
            .await?;
            if self.heard.swap(false, Ordering::SeqCst) {
                return Ok(true);
            }
            if left <= piece {
                return Ok(false);
            }
        }
    }
}
